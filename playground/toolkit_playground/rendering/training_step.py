"""One training step explained, as HTML: forward, loss, backward, step, and the row once more."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from toolkit import Row, Task, formatting
from toolkit.reporting import step_charts
from toolkit_playground.rendering import html
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.rendering.tokens import percent, visible
from toolkit_playground.state.chart_lock import CHART_LOCK
from toolkit_playground.state.inputs import inputs_of, reference_text
from toolkit_playground.state.training_step import Stepped

NATS = "nats"
MOST_TOKENS = 60
"""Tokens that have a line of their own; the loss counts all of them."""


def row(task: Task, shown: Row) -> Markup:
    """The training row: its inputs, and the answer that is to be learned."""
    parts = joined(
        fill(
            '<p class="tk-quiet">{}</p><p class="tk-question">{}</p>',
            label, formatting.clipped(str(shown.get(name) or ""), 1200),
        )
        for name, label in inputs_of(task).items()
    )  # fmt: skip
    return fill(
        '<section class="tk-card tk-plain" aria-label="Training row"><h2>{}</h2>{}'
        '<p class="tk-gold">Answer to learn: <b>{}</b></p></section>',
        f"Training row {shown['row_id']}", parts, reference_text(task, shown),
    )  # fmt: skip


def explained(found: Stepped) -> Markup:
    """The whole step, part by part."""
    parts = (
        ("1", "Forward: how likely is the right answer?", _forward(found)),
        ("2", "Loss: one number to make smaller", _loss(found)),
        ("3", "Backward: who could help?", _backward(found)),
        ("4", "Step: each weight moves a little", _step(found)),
        ("5", "The same row once more", _after(found)),
    )
    sections = joined(
        fill(
            '<section class="tk-part" aria-label="{1}"><h3><span aria-hidden="true">{0}</span> '
            "{1}</h3>{2}</section>",
            number, title, body,
        )
        for number, title, body in parts
    )  # fmt: skip
    start = "a new adapter, as before training" if found.fresh else "the trained adapter"
    asked = f"Run {found.run} · training row {found.row['row_id']} · from {start}"
    return html.asked(asked) + sections + _differs(found)


def _text(*sentences: str) -> Markup:
    return fill("<p>{}</p>", " ".join(sentence for sentence in sentences if sentence))


def plain(value: float) -> str:
    """A loss as a figure; small ones with a digit more."""
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def nats(value: float) -> str:
    """A loss with its unit."""
    return formatting.with_unit(plain(value), NATS)


def surprise(probability: float) -> float:
    """−log p in nats."""
    return -math.log(max(probability, 1e-45))


def _forward(found: Stepped) -> Markup:
    said = _text(
        "The model reads prompt and answer once. At each place of the answer it gives every token "
        "that it knows a probability, after all that stands before. What counts is the probability "
        "p of the token that really stands there. The prompt is read, but nothing is learned "
        "of it.",
    )
    return said + _tokens(found, found.step.before)


def _tokens(found: Stepped, shares: Sequence[float]) -> Markup:
    """The answer's tokens with their probabilities and −log p."""
    rows = joined(
        fill(
            '<tr><th scope="row"><code>{}</code></th><td class="tk-bar-cell"><meter '
            'class="tk-meter" min="0" max="1" value="{:.4f}" aria-hidden="true"></meter></td>'
            "<td>{}</td><td>{}</td></tr>",
            visible(text), p, percent(p), plain(surprise(p)),
        )
        for text, p in list(zip(found.pieces, shares, strict=True))[:MOST_TOKENS]
    )  # fmt: skip
    return _scrolled("Tokens of the answer", ["Token", "", "p", "−log p, nats"], rows, found)


def _scrolled(name: str, heads: Sequence[str], rows: Markup, found: Stepped) -> Markup:
    head = joined(
        fill('<th scope="col">{}</th>' if text else "<td>{}</td>", text) for text in heads
    )
    left = len(found.pieces) - MOST_TOKENS
    more = f"{formatting.count(left, 'more token')} count as well." if left > 0 else ""
    return fill(
        '<div class="tk-table tk-step-table" tabindex="0" role="group" aria-label="{}"><table>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}</div>",
        name, head, rows, fill('<p class="tk-quiet">{}</p>', more) if more else NOTHING,
    )  # fmt: skip


def _loss(found: Stepped) -> Markup:
    values = [surprise(p) for p in found.step.before]
    terms = " + ".join(f"{value:.3f}" for value in values[:6]) + (" + …" if values[6:] else "")
    sum_of = f"({terms}) / {len(values)}"
    return _text(
        "−log p is 0 where the model is sure of the right token, and the larger the less it "
        "expected it: 0.69 nats at 50 %, 4.6 nats at 1 %. The loss of the row is the mean over its "
        f"{formatting.count(len(values), 'token')}:",
    ) + fill(
        '<p class="tk-formula">{} = <b>{}</b></p>', sum_of, nats(found.step.loss_before)
    )  # fmt: skip


def _backward(found: Stepped) -> Markup:
    step = found.step
    said = _text(
        f"The gradient says, for each of the {step.parameters:,} numbers of the adapter, how the "
        "loss changes where that number grows a little. Its norm in a layer says how much this row "
        "pulls there. The weights of the base are frozen and get none.",
        "LoRA adds B·A·x to what a layer computes: A reads the input, B writes the output.",
        "In a new adapter B is zero, so that A has no influence yet and gets no gradient: the "
        "first step changes B alone."
        if found.fresh
        else "",
    )
    rows = [
        [layer.name, *(f"{norm:.4g}" for norm in (layer.a, layer.b, layer.norm)),
         f"{layer.parameters:,}"]
        for layer in step.layers
    ]  # fmt: skip
    table = html.table(["Layer", "A", "B", "together", "numbers"], rows)
    total = fill('<p class="tk-formula">{} <b>{:.4g}</b></p>', "norm of the whole gradient:",
                 step.norm)  # fmt: skip
    return said + total + _chart(found) + fill(
        '<details class="tk-prompt"><summary>The norms as a table</summary>{}</details>', table
    )  # fmt: skip


def _chart(found: Stepped) -> Markup:
    names = [layer.name for layer in found.step.layers]
    a, b = [layer.a for layer in found.step.layers], [layer.b for layer in found.step.layers]
    with CHART_LOCK:
        wide, narrow = (step_charts.gradients(names, a, b, narrow=n) for n in (False, True))
    return fill(
        '<div class="tk-chart"><div class="wide">{}</div><div class="narrow">{}</div></div>',
        html.chart(wide), html.chart(narrow),
    )  # fmt: skip


def _step(found: Stepped) -> Markup:
    step = found.step
    clipped = ""
    if step.clip is not None and step.norm > step.clip:
        share = step.clip / step.norm
        clipped = (
            f"The gradient is longer than the run allows ({step.clip:g}), so it is scaled by "
            f"{share:.3g} before."
        )
    adam = ""
    if "adam" in step.optimizer.lower():
        adam = (
            "It divides each number's gradient by the size that it usually has; a new one knows "
            "this single gradient, so that every weight with one moves by about the learning rate."
        )
    moved = step.moved / step.weights if step.weights else 0.0
    return _text(
        f"The optimizer ({step.optimizer}) moves the weights against the gradient, with the "
        f"learning rate of this run, {step.rate:g} (the highest of its schedule).",
        adam, clipped,
    ) + fill(
        '<p class="tk-formula">{} <b>{:.4g}</b>{}</p>', "the adapter's weights have moved by",
        step.moved, f" (norm; {percent(moved)} of their own norm, {step.weights:.4g})",
    )  # fmt: skip


def _after(found: Stepped) -> Markup:
    step = found.step
    before, after = step.loss_before, step.loss_after
    change = after - before
    word = "smaller" if change < 0 else "larger" if change > 0 else "the same"
    said = _text(
        "With the moved weights the row is read again.",
        f"The loss is {word} now." if change >= 0 else "",
        "One step on one row can overshoot: a learning rate that suits the mean of many rows may "
        "be too large for one."
        if change > 0
        else "",
    )
    figures = fill(
        '<p class="tk-formula">{} → <b>{}</b> ({})</p>', nats(before), nats(after),
        formatting.signed(round(change, 4), ".4f", NATS),
    )  # fmt: skip
    rows = joined(
        fill(
            '<tr><th scope="row"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td>'
            "</tr>",
            visible(text), percent(p), percent(q), plain(surprise(p)), plain(surprise(q)),
        )
        for text, p, q in list(zip(found.pieces, step.before, step.after, strict=True))[
            :MOST_TOKENS
        ]
    )  # fmt: skip
    heads = ["Token", "p before", "p after", "−log p before, nats", "after"]
    table = _scrolled("Tokens before and after the step", heads, rows, found)
    return said + figures + table


def _differs(found: Stepped) -> Markup:
    return fill(
        '<p class="tk-quiet">{}</p>',
        "Otherwise than here, " + "; ".join(found.differs) + ". The step has been taken back: the "
        "model in memory is what it was, and the run's files were not touched.",
    )  # fmt: skip
