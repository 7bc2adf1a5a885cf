"""Results of runs on the terminal: tables for people, JSON for programs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import formatting
from toolkit.cli.tables import fitting, print_parts, styled, text_table
from toolkit.errors import RunError, UsageError
from toolkit.pipeline import prediction_formats
from toolkit.pipeline.compare import compare
from toolkit.reporting import comparison, context
from toolkit.reporting.examples import as_text
from toolkit.runs.files import read_json, write_text
from toolkit.runs.predictions import TRAINED
from toolkit.runs.run import Run, Unreadable
from toolkit.system.console import Console, emit
from toolkit.system.secrets import printable

if TYPE_CHECKING:
    from rich.table import Table

    from toolkit.data.source import Source


SHOWN_METRICS = 5
"""The most metrics beside the primary one in the terminal's ladder; the report has all."""


LONGEST_HEADING = 26
"""Characters of the ladder's heading that stand on one line: about as many as a system's name."""


SHOWN_DIFFERENCES = 20
"""The most differences that ``--verify`` prints; with ``--json`` it gives all."""


def show_result(run: Run, as_json: bool) -> None:
    """Print ladder and verdict of a finished run, and the path of its report."""
    metrics = read_json(run.path / "metrics.json")
    if as_json:
        emit(metrics | {"run_path": str(run.path), "next_recipe": _next_recipe(run)})
        return
    others = len(_other_metrics(metrics))
    table, shown = fitting(lambda number: ladder_table(metrics, number), min(others, SHOWN_METRICS))
    print_parts("", table, "")
    if shown < min(others, SHOWN_METRICS):
        print_parts("(the terminal is too narrow for all metrics; the report has them)")
    for reason, names in formatting.grouped(metrics.get("absent", {})):
        print_parts(f"{', '.join(names)}: not run, {reason}")
    print_parts(metrics["verdict"]["sentence"])
    for caveat in metrics["verdict"].get("caveats", []):
        print_parts(f"  ({caveat})")
    if metrics["targets"]:
        print_parts(_targets(metrics["targets"]))
    print_parts(f"\nReport: {run.path / 'report.html'}")
    if use := context.use(metrics, run.id):
        print_parts(use)
    if following := _next_recipe(run):
        print_parts(following)


def _next_recipe(run: Run) -> str | None:
    """The recipe to try next, if the run was on an embedded model and its task is installed."""
    from toolkit.plugins import discovery, recipes
    from toolkit.preparation.memory import cost

    plugins = discovery.load()
    task = plugins.tasks.get(str(run.info["task"]))
    if task is None:
        return None
    origin = plugins.origins.get(task.name)
    typed = origin.name if origin is not None and origin.file else task.name
    return cost.next_recipe(task, recipes.from_dict(run.info["recipe"]), typed)


def _targets(targets: Sequence[Mapping[str, Any]]) -> str:
    """A sentence: how many targets were met, which were not, and which were not measured."""
    known = [target for target in targets if target["met"] is not None]
    missed = "; ".join(target["label"] for target in known if not target["met"])
    unknown = "; ".join(target["label"] for target in targets if target["met"] is None)
    sentence = f"{sum(target['met'] for target in known)} of {len(known)} targets met"
    sentence += f". Not met: {missed}" if missed else ""
    return sentence + (f". Not measured: {unknown}" if unknown else "")


def _other_metrics(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The metrics beside the primary one that the ladder shows."""
    primary = metrics["primary_metric"]
    return [m for m in metrics["metrics"] if not m.get("detail") and m["name"] != primary]


def ladder_table(metrics: Mapping[str, Any], number: int = SHOWN_METRICS) -> Table:
    """All systems on the test rows, best first by the primary metric, with 95 % intervals.

    Args:
        metrics: the content of ``metrics.json``.
        number: the most metrics beside the primary one.
    """
    primary = metrics["primary_metric"]
    first = next(m for m in metrics["metrics"] if m["name"] == primary)
    others = _other_metrics(metrics)[:number]
    rows = f"{metrics['n']:,} test rows"
    heading = f"{first['label']}, {rows}"
    if len(heading) > LONGEST_HEADING:
        heading = f"{first['label']},\n{rows}"
    table = text_table(
        heading, "", "95 %",
        *(m["name"] for m in others), right=range(1, 3 + len(others)),
        whole=range(3 + len(others)),
    )  # fmt: skip
    sign = -1 if first["greater_is_better"] else 1
    unit = f" {first['unit']}" if first["unit"].isalpha() else first["unit"]
    for name, system in sorted(
        metrics["systems"].items(), key=lambda item: sign * item[1]["metrics"][primary]["value"]
    ):
        figure = system["metrics"][primary]
        spec = first["format"]
        style = "bold" if system["role"] in TRAINED else ""
        if system["role"] == "control":
            style = "dim"
        table.add_row(
            styled(name, style),
            styled(formatting.number(figure["value"], spec) + unit, style),
            _range(figure, spec),
            *(
                formatting.number(system["metrics"][m["name"]]["value"], m["format"])
                for m in others
            ),
        )
    return table


def _range(figure: Mapping[str, Any], spec: str) -> str:
    if figure.get("low") is None or figure.get("high") is None:
        return ""
    return f"{figure['low']:{spec}}–{figure['high']:{spec}}"


def show_runs(found: Sequence[Run], odd: Sequence[Unreadable], folder: Path, as_json: bool) -> None:
    """Print runs with their state and verdict, and what cannot be read with its reason."""
    rows = [_run_row(run) for run in found]
    rows += [
        {"id": one.path.name, "task": one.path.parent.name, "path": str(one.path),
         "finished": False, "problem": one.reason}
        for one in odd
    ]  # fmt: skip
    if as_json:
        emit(rows)
        return
    if not rows:
        print_parts(f"no runs in {folder} yet; start one with: toolkit run TASK")
        return
    words = {True: "worth it", False: "not worth it", None: "cannot tell"}
    table = text_table("Run", "Task", "Model", "State", "Verdict", whole=(0, 1))
    for row in rows:
        state = "finished" if row["finished"] else _stopped(row.get("stage"))
        if row.get("running"):
            state = f"running {row['running']}"
        if row["problem"]:
            state = f"unreadable: {row['problem']}"
        verdict = words[row["worth_it"]] if row["finished"] and not row["problem"] else ""
        table.add_row(
            styled(row["id"], "bold"), row["task"], row.get("model", ""), styled(state), verdict
        )
    print_parts(table)


def _run_row(run: Run) -> dict[str, Any]:
    """A run's line of the list; what of it cannot be read is its ``problem``."""
    verdict, problem = None, None
    if run.done("score"):
        try:
            verdict = read_json(run.path / "metrics.json")["verdict"]["worth_it"]
            if not (verdict is None or isinstance(verdict, bool)):
                raise TypeError
        except RunError as error:
            problem = str(error)
        except (KeyError, TypeError, IndexError):
            problem = f"{run.path / 'metrics.json'} has no verdict; toolkit report writes it again"
    return {
        "id": run.id,
        "task": run.info["task"],
        "created": run.info["created"],
        "finished": run.finished,
        "stage": next((s for s in reversed(list(run.info["stages"]))), None),
        "running": run.running,
        "model": str(run.info["recipe"].get("model", "")),
        "worth_it": verdict,
        "path": str(run.path),
        "problem": problem,
    }


def _stopped(stage: str | None) -> str:
    """Where a run stopped; ``None``: before its first stage."""
    return f"stopped in {stage}" if stage else "not begun"


def show_predictions(answers: Sequence[Mapping[str, Any]], out: Path | None, as_json: bool) -> None:
    """Print predictions with their intervals, or write them to a file."""
    if out is not None:
        prediction_formats.write(lambda: answers, out)
        print_parts(f"{len(answers):,} predictions in {out}")
        return
    if as_json:
        emit(list(answers))
        return
    table = text_table("Prediction", "90 % interval", "Input", right=(0, 1))
    for answer in answers:
        low, high = answer.get("low"), answer.get("high")
        interval = "" if low is None else f"{low:,.2f} – {high:,.2f}"
        prediction = answer["prediction"]
        shown = f"{prediction:,.2f}" if isinstance(prediction, float) else as_text(prediction)
        if not answer["parsed"]:
            shown += " (unreadable output)"
        table.add_row(styled(shown, "bold"), interval, styled(str(answer["input"])[:100]))
    print_parts(table)


def write_predictions(run: Run, source: Source, out: Path, *, adapter: bool, quiet: bool) -> None:
    """Predict the rows of a file into another one, with a progress bar."""
    from toolkit.pipeline.predict_file import predict_file

    console = Console(quiet=quiet)
    with console.track("predictions") as progress:
        number = predict_file(
            run, source, out, adapter=adapter, progress=progress, say=console.note
        )
    if quiet:
        emit({"predictions": number, "file": str(out)})
        return
    print_parts(f"{number:,} predictions in {out}")


def show_report(run: Run, open_page: bool, as_json: bool) -> None:
    """Print the path of the report, and open it in a browser if wanted."""
    page = run.path / "report.html"
    if as_json:
        emit({"report": str(page)})
    else:
        print_parts(f"Report: {page}")
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def show_badge(run: Run, out: Path | None, url: str | None, as_json: bool) -> None:
    """Write the badge of a scored run, and print the Markdown that shows it."""
    from toolkit.reporting import badge

    path, text = badge.write(run, out, url)
    if as_json:
        emit({"badge": str(path), "markdown": text})
    else:
        import typer

        typer.echo(printable(text))  # copied from here, so that no line may be broken


def show_verification(run: Run, result: Any, as_json: bool) -> None:
    """Print the result of ``--verify``; raises :class:`VerificationError` on any difference."""
    from toolkit.errors import VerificationError

    if as_json:
        emit(result.document())
    notes = "".join(f"\n({note})" for note in result.notes)
    if result.differences:
        listed = "".join(f"\n  {each}" for each in result.differences[:SHOWN_DIFFERENCES])
        more = len(result.differences) - SHOWN_DIFFERENCES
        listed += f"\n  … and {more:,} more: --json lists all" if more > 0 else ""
        raise VerificationError(
            f"{len(result.differences):,} difference(s) in {run.path}:{listed}{notes}"
            f"\n{result.limit}"
        )
    if not as_json:
        print_parts(
            f"verified: {result.files:,} files are as the run recorded them, {result.figures:,} "
            f"figures recomputed from the predictions, {result.rows:,} rows predicted again, no "
            f"difference{notes}\n{result.limit}"
        )


def show(runs: Sequence[Run], out: Path | None, as_json: bool) -> None:
    """Compare runs and print the tables; with ``out`` write a page too (``.html`` or ``.md``)."""
    from rich.console import Console

    from toolkit.pipeline.restore import load_task

    if out is not None and out.suffix not in (".html", ".md"):
        raise UsageError(f"--out {out}: the name of a page ends in .html or .md")
    doc = compare(runs, [load_task(run) for run in runs])
    if out is not None:
        write_text(out, comparison.html(doc) if out.suffix == ".html" else comparison.markdown(doc))
    if as_json:
        emit(doc)
    else:
        Console(highlight=False, soft_wrap=True).print(
            printable(comparison.text(doc)), markup=False
        )


def show_steps(run: Run, as_json: bool) -> None:
    """Compare the steps that a run has kept, and print a table."""
    from rich.console import Console as Terminal

    from toolkit.pipeline.steps import compare_steps

    console = Console(quiet=as_json)
    with contextlib.ExitStack() as stack:
        doc = compare_steps(run, lambda what: stack.enter_context(console.track(what)))
    if as_json:
        emit(doc)
        return
    metric = doc["metric"]
    spec, unit = metric["format"], metric["unit"]

    def figure(line: Mapping[str, Any]) -> str:
        spread = formatting.span(line["low"], line["high"], spec)
        return f"{formatting.figure(line['value'], spec, unit)} ({spread})"

    table = text_table("Step", metric["label"], "Beside the adapter", right=(0, 1, 2))
    for line in doc["steps"]:
        if why := line.get("why"):
            table.add_row(f"{line['step']:,}", f"cannot answer: {why}", "")
            continue
        gap = line["difference"]
        beside = formatting.signed_span(gap["low"], gap["high"], spec)
        shown = formatting.signed(gap["difference"], spec, unit)
        table.add_row(f"{line['step']:,}", figure(line), f"{shown} ({beside})")
    step = doc["adapter"]["step"]
    named = "adapter" if step is None else f"adapter ({step:,})"
    table.add_row(named, figure(doc["adapter"]), "")
    Terminal(highlight=False, soft_wrap=True).print(table)
    of_rows = formatting.grouped_rows(doc["rows"], doc["groups"], "test row")
    console.say(
        f"On {of_rows}, with 95 % intervals. To look at: a step that is chosen by them has no test "
        "rows any more."
    )
