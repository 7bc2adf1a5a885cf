"""Failures, tokens and a step as HTML: what they say, and that texts of others stay texts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import Markup

from hostile_run import PAYLOAD, injected
from toolkit import Metric
from toolkit.kinds import OneStep, Place
from toolkit.kinds.language.one_step import LayerGradient
from toolkit_playground.rendering import failures, tokens, training_step
from toolkit_playground.state.failures import Failure, Order, Page
from toolkit_playground.state.tokens import Alternative, Answer, Branch, Look
from toolkit_playground.state.training_step import Stepped

ERROR = Metric("mae", lambda p, r: abs(p - r), greater_is_better=False, label="Mean error",
               unit="$")  # fmt: skip
RIGHT = Metric("accuracy", lambda p, r: float(p == r), label="Accuracy")


def rows(metric: Metric, order: Order, *answers: Any, distance: float = 1.0, amiss: Any = 1,
         confusion: Any = None) -> str:  # fmt: skip
    """A page with one row: the truth, the adapter's answer, and the base's."""
    truth, adapter, base = answers
    task: Any = SimpleNamespace(
        metric=lambda: metric, panel=None, input_columns=lambda: ["text"], columns={"text": PAYLOAD}
    )
    lines = {
        name: {"reference": truth, "prediction": answer, "slices": {PAYLOAD: PAYLOAD}}
        for name, answer in (("adapter", adapter), ("base", base))
    }
    values = {name: metric.per_example(line["prediction"], truth) for name, line in lines.items()}
    of: Any = SimpleNamespace(
        task=task, metric=metric, trained="adapter", base="base", run=SimpleNamespace(id="r"),
        document={"confusion": confusion},
    )  # fmt: skip
    failure = Failure(7, 21, distance, values, lines, {"row_id": 7, "text": PAYLOAD})
    page = failures.page(Page([failure], 2, 3, 41, amiss, order), of, "test", ["prediction"])
    assert isinstance(page, Markup) and not injected(page), injected(page)
    return str(page)


def test_a_row_says_what_it_is_sorted_by() -> None:
    page = rows(ERROR, Order("error", "Error"), 100.0, 140.0, 90.0)
    assert "Rows 21 to 21 of 41 test rows" in page and "1 with an error" in page
    assert "100 $".replace(" ", "\u00a0") in page and "error 40" in page
    assert 'data-view="prediction"' in page and 'data-row="7"' in page and "Compare" not in page
    apart = rows(ERROR, Order("base", "", "base"), 100.0, 140.0, 90.0, distance=50.0)
    assert "50\u00a0$ apart" in apart and "with different answers" in apart
    lost = rows(ERROR, Order("lost-base", "", "base", True), 100.0, 140.0, 90.0, distance=30.0)
    assert "nearer by 30" in lost and "where base is nearer" in lost
    none = rows(ERROR, Order("lost-base", "", "base", True), 1.0, 1.0, 1.0, distance=0.0)
    assert "not nearer" in none


def test_classes_texts_and_lists_have_words_of_their_own() -> None:
    page = rows(RIGHT, Order("base", "", "base"), "good", "bad", "good", confusion={"labels": []})
    assert "different classes" in page and "✓" in page and "✗" in page and "not correct" in page
    order = Order("base", "", "base")
    assert "40% of the words differ" in rows(RIGHT, order, "a", "b c", "b d", distance=0.4)
    assert "40% of the entries differ" in rows(RIGHT, order, ["a"], ["b"], ["c"], distance=0.4)
    assert "the same answer" in rows(RIGHT, order, "a", "b", "b", distance=0.0)
    assert "the same words" in rows(RIGHT, order, "a", "b!", "b", distance=0.0)
    assert "nothing" in rows(RIGHT, order, "a", "", "b")
    assert " · " not in rows(RIGHT, Order("error", ""), "a", "b", "c", amiss=None).split("</p>")[0]


PLACES = [Place(5, 0.95, 1, ((5, 0.95), (6, 0.01))), Place(7, 0.00001, 40, ((5, 0.5), (6, 0.2)))]
ANSWER = Answer(PAYLOAD, [PAYLOAD, "\n"], {PAYLOAD: PLACES, "adapter": PLACES}, "limit")


def test_tokens_are_buttons_with_their_probability() -> None:
    look = Look("r", {}, True, [1], 9, [ANSWER])
    page = tokens.answers(look)
    assert isinstance(page, Markup) and not injected(page)
    assert page.count('<button type="button" class="tk-token') == 2
    assert "tk-p-sure" in page and "tk-p-unlikely" in page and "ended at the limit" in page
    assert page.count('tabindex="0"') == 1 and "95.0 %" in page and "1.0e−3 %" in page
    assert "↵</button><br>" in page


def test_a_place_shows_both_sides_and_the_written_token() -> None:
    found = [Alternative(5, PAYLOAD, 0.5, 1, False), Alternative(7, "", 0.00001, 40, True)]
    page = tokens.place(ANSWER, 1, {PAYLOAD: found, "adapter": found})
    assert isinstance(page, Markup) and not injected(page)
    assert "Token 2 of 2" in page and page.count("written</span> rank 40") == 2
    assert page.count("<button") == 4 and "◌" in page and "all other tokens: 50.0 %" in page
    branch = tokens.branch(Branch(PAYLOAD, PAYLOAD * 9, PAYLOAD, PAYLOAD, "stop token"))
    assert not injected(branch) and "ended by its stop token" in branch and "…" in branch
    masked = tokens.masked([{"text": PAYLOAD, "loss": True}, {"text": "b", "loss": False}])
    assert not injected(masked) and masked.count("<mark>") == 1


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.5, "50.0 %"), (0.99999, "100.00 %"), (0.9951, "99.51 %"), (0.0012, "0.120 %"),
     (0.0, "0.000 %"), (3e-12, "3.0e−10 %"), (1.0, "100.00 %")],
)  # fmt: skip
def test_small_and_large_probabilities_can_be_told_apart(share: float, text: str) -> None:
    assert tokens.percent(share) == text


LAYERS = (LayerGradient("layer 0", 0.3, 0.4, 0.0, 10), LayerGradient("layer 1", 0, 1.2, 0, 10))


def stepped(**changes: Any) -> Stepped:
    values: dict[str, Any] = {
        "tokens": (5, 6), "before": (0.5, 0.25), "after": (0.6, 0.3), "layers": LAYERS,
        "optimizer": "AdamW", "rate": 0.002, "clip": 1.0, "moved": 0.5, "weights": 5.0, **changes,
    }  # fmt: skip
    return Stepped("r", {"row_id": 3}, [PAYLOAD, "</s>"], OneStep(**values), True, ["x < y"])


def test_a_step_shows_each_part_with_its_units() -> None:
    pytest.importorskip("matplotlib", reason="the extra 'charts' brings matplotlib")
    page = training_step.explained(stepped())
    assert isinstance(page, Markup) and not injected(page)
    assert "(0.693 + 1.386) / 2 = <b>1.040\u00a0nats</b>" in page
    assert "50.0 %" in page and "norm of the whole gradient: <b>1.3</b>" in page
    assert "scaled by 0.769" in page and "learning rate of this run, 0.002" in page
    assert page.count("<svg") == 2 and "changes B alone" in page and "x &lt; y" in page
    assert "1.040\u00a0nats → <b>0.857\u00a0nats</b>" in page and "overshoot" not in page
    worse = training_step.explained(stepped(after=(0.1, 0.1), clip=None, optimizer="SGD"))
    assert "overshoot" in worse and "scaled" not in worse and "divides" not in worse


def test_many_tokens_are_counted_and_not_all_listed() -> None:
    pytest.importorskip("matplotlib", reason="the extra 'charts' brings matplotlib")
    found = stepped(tokens=(1,) * 80, before=(0.5,) * 80, after=(0.5,) * 80)
    page = training_step.explained(
        Stepped("r", {"row_id": 3}, ["a"] * 80, found.step, False, ["x"])
    )
    assert page.count("20 more tokens count as well.") == 2 and "/ 80 =" in page


def test_the_training_row_stays_a_text() -> None:
    task: Any = SimpleNamespace(
        panel=None, input_columns=lambda: ["text"], columns={"text": "t", "answer": "a"},
        reference=lambda row: row["answer"], metric=lambda: RIGHT,
    )  # fmt: skip
    page = training_step.row(task, {"row_id": 3, "text": PAYLOAD, "answer": PAYLOAD})
    assert not injected(page) and "Training row 3" in page
