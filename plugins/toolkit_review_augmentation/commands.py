"""The command ``toolkit augment``: it parses the options and prints the result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit import UsageError
from toolkit.cli.run_options import Json

TASK = "review-augmentation"


def augment(
    task: Annotated[str, typer.Argument(help="review-augmentation")],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    data: Annotated[
        str | None, typer.Option(help="File of reviews.", show_default="synthetic reviews")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Text column(s), or a template.")] = None,
    target: Annotated[str | None, typer.Option(help="Column with the ratings.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the file.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="What the ratings mean: '0=negative,1=positive'.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use so many reviews.")] = None,
    reviews: Annotated[int, typer.Option(min=30, help="Synthetic reviews without --data.")] = 500,
    balance: Annotated[
        str | None, typer.Option(help="Shares positive/negative/neutral, such as 40/30/30.")
    ] = None,
    fill: Annotated[
        bool, typer.Option("--fill", help="Fill up rare classes with perturbed copies.")
    ] = False,
    near: Annotated[
        float, typer.Option(help="Reviews from this cosine on count as copies; 0 keeps all.")
    ] = 0.95,
    perturb: Annotated[
        float, typer.Option(help="Share of training reviews to repeat with typos or similar.")
    ] = 0.0,
    wordings: Annotated[
        bool, typer.Option("--wordings/--plain", help="Several wordings of instructions, or one.")
    ] = True,
    form: Annotated[str, typer.Option(help="prompt, messages or alpaca.")] = "prompt",
    teacher: Annotated[
        str | None,
        typer.Option(help="Address of an OpenAI-compatible API, up to /v1; key: "
                     "TOOLKIT_TEACHER_KEY."),
    ] = None,
    teacher_model: Annotated[str, typer.Option(help="The teacher's model.")] = "gpt-4o-mini",
    budget: Annotated[float | None, typer.Option(help="The most to spend on the teacher.")] = None,
    price_in: Annotated[float, typer.Option(help="Price of a million input tokens.")] = 0.0,
    price_out: Annotated[float, typer.Option(help="Price of a million output tokens.")] = 0.0,
    cache: Annotated[
        Path | None,
        typer.Option(help="File to keep answers in.", show_default="teacher.sqlite in --out"),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Seed of all random choices.")
    ] = 0,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Make instruction data from reviews: five examples each, as JSONL files for any trainer."""
    from toolkit.data import Source, columns
    from toolkit.system import Console, environment
    from toolkit_review_augmentation import augment as work
    from toolkit_review_augmentation import balancing

    if task != TASK:
        raise UsageError(f"the task {task!r} has no data to augment; {TASK} has")
    environment.prepare(offline=True)
    source = Source(
        data=data, text=columns.split_option(text) if text else (), target=target,
        encoding=encoding, limit=limit, seed=seed, labels=labels,
    )  # fmt: skip
    options = work.Options(
        balance=balancing.parse_shares(balance) if balance else None, fill=fill,
        near=near or None, perturb=perturb, wordings=wordings, form=form, number=reviews, seed=seed,
    )  # fmt: skip
    console = Console(quiet=as_json)
    if teacher is None:
        made = work.augment(source, options)
    else:
        from toolkit_review_augmentation.teacher import ChatTeacher, Settings

        client = ChatTeacher(
            Settings(
                url=teacher, model=teacher_model, budget=budget, price_in=price_in,
                price_out=price_out, cache=cache or out / "teacher.sqlite",
            )
        )  # fmt: skip
        try:
            with console.track("teacher") as progress:
                made = work.augment(source, options, client, progress)
        finally:
            client.close()
        made.summary["teacher"] = {**client.counts, "spent": round(client.spent, 6)}
    written = work.write(made, out, form)
    _show(console, made.summary, written, as_json)


def _show(console: object, summary: dict[str, object], written: list[Path], as_json: bool) -> None:
    from toolkit.system import Console, emit

    if as_json:
        emit(summary | {"files": [str(path) for path in written]})
        return
    assert isinstance(console, Console)
    for note in summary["notes"]:  # type: ignore[attr-defined]
        console.note(str(note))
    for name in ("left_out", "reviews", "examples", "sources", "teacher"):
        values = summary.get(name)
        if isinstance(values, dict) and values:
            counts = ", ".join(f"{key} {value:,}" for key, value in values.items())
            console.say(f"{name.replace('_', ' ')}: {counts}")
    for name in ("sentiments_before", "sentiments"):
        values = summary[name]
        assert isinstance(values, dict)
        shares = ", ".join(f"{key} {value:.0%}" for key, value in values.items())
        console.say(f"{name.replace('_', ' ')}: {shares}")
    for path in written:
        console.say(f"wrote {path}")
