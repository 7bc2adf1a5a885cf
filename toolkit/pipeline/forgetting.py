"""``toolkit forgetting RUN``: what training has cost elsewhere, on general text and other tasks.

An adapter that learns one task can lose what the base model could do otherwise. Base and adapter
are compared in pairs, by the loss per token, on general text and, where other runs on the same
model are named, on the right answers of their test rows. The result is stored as
``forgetting.json`` in the run, and the report shows its sentence.

A loss says how likely a model finds a text. It needs no task that a small model cannot do, and
sees changes long before answers become wrong; it does not say which ability is lost. Encoders write
no text, so that they have no such loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import RunError, UsageError
from toolkit.formatting import signed
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.pipeline.restore import load_task, make_kind
from toolkit.runs.contents import stored_test_rows
from toolkit.runs.files import write_json
from toolkit.runs.run import Run
from toolkit.system import environment

if TYPE_CHECKING:
    import numpy as np

    from toolkit.kinds.language.model import LanguageModel

FILE = "forgetting.json"
ROWS = 200
"""At most so many texts, and so many test rows of each other run, are read."""
BUILT_IN = "general text"


def _per_token(losses: np.ndarray, tokens: np.ndarray, axis: int = -1) -> Any:
    return losses.sum(axis=axis) / tokens.sum(axis=axis)


LOSS = Metric(
    "loss", lambda prediction, reference: None, _per_token, greater_is_better=False,
    label="Loss per token", format=".3f",
)  # fmt: skip
"""The mean loss of a token; a row's values are its summed loss and its number of tokens."""

Losses = Sequence[tuple[float, int]]
"""The summed loss of each row, and its number of tokens."""


# -- the command -----------------------------------------------------------------------------------
def forgetting(
    run: Run, text: Path | None = None, others: Sequence[Run] = (), rows: int = ROWS
) -> dict[str, Any]:
    """Compare base and adapter of a run on general text and on rows of other runs.

    Args:
        run: a finished run of a task for language models, with an adapter.
        text: a file with a text on each line; ``None``: the sentences that the toolkit brings.
        others: finished runs of other tasks on the same model.
        rows: the most texts, and the most test rows of each other run.

    Returns:
        what is stored in ``forgetting.json``: ``on`` (the figures of each set) and a ``sentence``.

    Raises:
        UsageError: the run is of a task for an encoder, or trained no adapter; another run is on
            another model; the file holds too little text.
        RunError: a run is not finished, or holds no rows.
    """
    from toolkit.kinds.language.text_losses import text_losses

    environment.prepare(offline=True)
    texts = read_texts(text)[:rows]
    model = _model(run)
    if run.info["recipe"].get("lora") is None:
        raise UsageError(f"run {run.id} trained no adapter, so that there is no base to go back to")
    neighbours = [(other, _model(other)) for other in others]
    for other, kind in neighbours:
        if kind.recipe.model != model.recipe.model:
            raise UsageError(
                f"run {other.id} is on {kind.recipe.model}, and run {run.id} on "
                f"{model.recipe.model}; name runs on the same model"
            )
    held = [(other, kind, stored_test_rows(other, rows)) for other, kind in neighbours]
    model.load_adapter(run.adapter)
    base, ours = (text_losses(model, texts, adapter=adapter) for adapter in (False, True))
    found = [compared(BUILT_IN if text is None else text.name, "texts", base, ours)]
    for other, kind, given in held:
        kind.model, kind.has_adapter = model.model, True
        base, ours = (kind.target_losses(given, adapter=adapter) for adapter in (False, True))
        found.append(compared(str(other.info["task"]), "test rows", base, ours))
    document = {"run": run.id, "on": found, "sentence": sentence(found)}
    write_json(run.path / FILE, document)
    return document


def _model(run: Run) -> LanguageModel:
    """The language model of a finished run; its weights are not loaded yet."""
    from toolkit.kinds.language.model import LanguageModel

    if not run.done("predict"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    task = load_task(run)
    kind = make_kind(run, task)
    if not isinstance(kind, LanguageModel):
        raise UsageError(
            f"{task.name} is a task for an encoder, which writes no text: forgetting is measured "
            "by the loss of text and does not apply to it"
        )
    return kind


def read_texts(file: Path | None) -> list[str]:
    """The texts of a file, one a line; of the toolkit's own file where none is named.

    Raises:
        UsageError: the file cannot be read as UTF-8, or has fewer than two texts of four words.
    """
    if file is None:
        whole = files("toolkit.pipeline").joinpath("general_text.txt").read_text(encoding="utf-8")
    else:
        try:
            whole = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read as text in UTF-8: {error}") from error
    texts = list(dict.fromkeys(_long_enough(whole)))
    if len(texts) < 2:
        raise UsageError(
            f"{file} holds fewer than two texts; give one of four words or more a line"
        )
    return texts


def _long_enough(whole: str) -> Iterator[str]:
    for line in whole.splitlines():
        text = " ".join(line.split())
        if len(text.split()) >= 4:
            yield text


# -- the figures -----------------------------------------------------------------------------------
def compared(name: str, what: str, base: Losses, ours: Losses) -> dict[str, Any]:
    """The losses per token of base and adapter on one set, and their difference with its interval.

    Args:
        name: the name of the set.
        what: what its rows are, such as ``texts``.
        base, ours: the losses of the base and of the adapter on the same rows.
    """
    difference = statistics.as_json(statistics.paired(LOSS, ours, base))
    tokens = sum(count for _, count in base)
    return {
        "name": name, "what": what, "rows": len(base), "tokens": tokens,
        "base": sum(loss for loss, _ in base) / tokens,
        "adapter": sum(loss for loss, _ in ours) / tokens,
        **difference,
    }  # fmt: skip


def sentence(found: Sequence[dict[str, Any]]) -> str:
    """The result as a text for the report: how the loss per token changed on each set."""
    return "What training cost elsewhere: " + "; ".join(map(_part, found)) + "."


def _part(one: dict[str, Any]) -> str:
    low, high = one["low"], one["high"]
    where = f"on {one['name']} ({one['rows']:,} {one['what']})"
    figures = f"{one['base']:.3f} to {one['adapter']:.3f}"
    if low is None or high is None:
        return f"{where} the loss per token went from {figures} (no interval)"
    between = f"{signed(one['difference'], '.3f')}, {signed(low, '.3f')} to {signed(high, '.3f')}"
    if low > 0:
        return f"{where} the loss per token rose from {figures} ({between}): the adapter forgot"
    if high < 0:
        return f"{where} the loss per token fell from {figures} ({between}): nothing was forgotten"
    return f"{where} the loss per token shows no clear change, {figures} ({between})"
