"""The options that name further systems, shared by ``run`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from toolkit.task import Task

Systems = Annotated[
    list[str] | None,
    typer.Option(
        "--system",
        help="Further system on the ladder: openai:MODEL (an OpenAI-compatible API; address and "
        "key from OPENAI_BASE_URL and OPENAI_API_KEY), run:ID, or another untouched MODEL. "
        "Repeatable.",
    ),
]
MaxCost = Annotated[
    float | None, typer.Option(help="The most that all answers of APIs may cost.", min=0)
]
PriceIn = Annotated[
    list[str] | None,
    typer.Option(help="Price of a million input tokens, or MODEL=PRICE. Repeatable."),
]
PriceOut = Annotated[
    list[str] | None,
    typer.Option(help="Price of a million output tokens, or MODEL=PRICE. Repeatable."),
]
Parallel = Annotated[int, typer.Option(min=1, max=256, help="Requests to an API at a time.")]
AnswerTokens = Annotated[
    int | None,
    typer.Option(
        min=1, help="The most tokens of an API's answer.", show_default="as the task, at least 64"
    ),
]
Answers = Annotated[
    Path | None,
    typer.Option(
        help="File that keeps answers of APIs.", show_default=".answers.sqlite among the runs"
    ),
]


def noted(
    task: type[Task],
    systems: list[str] | None,
    runs: Path,
    *,
    max_cost: float | None,
    price_in: list[str] | None,
    price_out: list[str] | None,
    parallel: int,
    answer_tokens: int | None,
    answers: Path | None,
) -> dict[str, Any]:
    """What ``run.json`` holds of the options; raises :class:`UsageError` where one cannot be."""
    from toolkit.pipeline.ladder import named

    asking = named.Asking(
        max_cost=max_cost,
        prices_in=named.prices(price_in or (), "--price-in"),
        prices_out=named.prices(price_out or (), "--price-out"),
        parallel=parallel,
        max_tokens=answer_tokens,
        cache=None if answers is None else str(answers.absolute()),
    )
    return named.noted(named.rungs(task, systems or (), runs), asking)
