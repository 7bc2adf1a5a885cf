"""``toolkit check``: a good task keeps all rules, and a task broken in one way breaks one rule."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import datasets
import numpy as np
import pytest

from tiny_tasks import MAE, SMALL, TinyColours, TinyGoods, TinyPieces, TinyPrices, price_rows
from toolkit import Generated, Metric, MissingExtra, Panel, Source
from toolkit.plugins.contract.check import RULES, Result, check
from toolkit.task import Task, untuned

ROWS = price_rows()


def broken_rules(task: Task) -> list[str]:
    return [result.rule for result in check(task, Source()) if result.reached and not result.passed]


def result_of(task: Task, rule: str) -> Result:
    return next(result for result in check(task, Source()) if result.rule == rule)


# -- ways to break a task --------------------------------------------------------------------------


def variant(of: type[Task] = TinyPrices, **members: Any) -> type[Task]:
    """A task with some members replaced."""
    return type(f"Broken{of.__name__}", (of,), members)


def rows_of(rows: list[dict[str, Any]], **more: Any) -> type[Task]:
    """The price task with other rows."""
    return variant(load_rows=lambda self, source: datasets.Dataset.from_list(rows), **more)


def without(column: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != column} for row in ROWS]


def recipe(**changes: Any) -> type[Task]:
    return variant(recipes=(replace(SMALL, **changes),))


def prompts(prompt: Callable[[Any], str]) -> type[Task]:
    """The price task with another prompt."""

    def format_example(self: Any, row: Any) -> dict[str, Any]:
        return {**TinyPrices.format_example(self, row), "prompt": prompt(row)}

    return variant(format_example=format_example, truncate=None)


def postprocess(function: Callable[..., Any]) -> type[Task]:
    return variant(postprocess=lambda self, output, row: function(self, output, row))


def metric(**changes: Any) -> type[Task]:
    return variant(metrics=(replace(MAE, **changes),))


def baseline(fit: Any, name: str = "mine") -> type[Task]:
    return variant(baselines=lambda self: {name: fit})


def two_groups(self: Any, row: Any) -> str:
    return f"{row['text']} {row['good']}"


def needs_price(self: Any, row: Any) -> dict[str, Any]:
    """A ``format_example`` that fails on a row to be predicted, which has no answer."""
    number = self.number(row)
    return {"prompt": f"{row['text']}\nPrice is $", "completion": self.completion(number)}


def half(output: Generated, row: Any, tuned: Any) -> float | None:
    """A decoder that reads half of the number that the model gives."""
    numbers = output.numbers
    return float(numbers.values[0] / 2) if numbers is not None and numbers.values.size else None


def changing_rows() -> type[Task]:
    order = itertools.count()

    def load_rows(self: Any, source: Source) -> datasets.Dataset:
        rows = random.Random(next(order)).sample(price_rows(), len(ROWS))
        return datasets.Dataset.from_list([{**row, "row_id": i} for i, row in enumerate(rows, 1)])

    return variant(load_rows=load_rows)


def counting_group() -> type[Task]:
    numbers = itertools.count()
    return variant(group=lambda self, row: f"{next(numbers)}")


def split_types() -> type[Task]:
    def load_rows(self: Any, source: Source) -> datasets.DatasetDict:
        train, test = (datasets.Dataset.from_list(rows) for rows in (ROWS[:60], ROWS[60:]))
        test = test.cast_column("price", datasets.Value("string"))
        return datasets.DatasetDict({"train": train, "test": test})

    return variant(load_rows=load_rows)


def random_guess(train: Any) -> Any:
    generator = np.random.default_rng()
    return lambda rows: [float(generator.uniform(1, 2))] * len(rows)


def drawn_once(train: Any) -> Any:
    value = float(np.random.default_rng().uniform(1, 2))
    return lambda rows: [value] * len(rows)


BREAKS: list[tuple[str, str, Callable[[], type[Task]]]] = [
    ("registration", "another API version", lambda: variant(api_version=99)),
    ("registration", "name not kebab-case", lambda: variant(name="Tiny_Prices")),
    ("registration", "no summary", lambda: variant(summary="")),
    ("registration", "unknown primary metric", lambda: variant(primary_metric="rmse")),
    ("metric-names", "twice the same", lambda: variant(metrics=(MAE, MAE))),
    ("metric-names", "capitals", lambda: variant(metrics=(MAE, replace(MAE, name="R2!")))),
    ("metric-names", "no format", lambda: metric(format="$.2f")),
    ("recipe-names", "twice the same", lambda: variant(recipes=(SMALL, SMALL))),
    ("recipe-names", "capitals", lambda: recipe(name="Small")),
    ("recipe-names", "like a file", lambda: recipe(name="small.toml")),
    ("recipe-names", "no summary", lambda: recipe(summary="")),
    ("recipe-models", "none", lambda: recipe(model="")),
    ("recipe-models", "not embedded", lambda: recipe(model="embedded:causal-ln")),
    ("options", "unknown", lambda: recipe(task={"sigmar": 0.2})),
    ("options", "another type", lambda: recipe(task={"k": "three"})),
    ("options", "no JSON", lambda: variant(options={**TinyPrices.options, "units": {1, 2}})),
    ("recipe-fields", "training", lambda: recipe(training={"learning_rat": 1e-3})),
    ("recipe-fields", "lora", lambda: recipe(lora={"rank": 8})),
    ("recipe-fields", "decided by the toolkit", lambda: recipe(training={"seed": 3})),
    ("panel", "no column", lambda: variant(panel=Panel(inputs={"txt": "Offer"}))),
    ("panel", "no inputs", lambda: variant(panel=Panel(inputs={}))),
    ("panel", "example of something else",
     lambda: variant(panel=Panel(inputs={"text": "Offer"}, examples=({"offer": "cup"},)))),
    ("rows-load", "a list", lambda: variant(load_rows=lambda self, source: ROWS)),
    ("rows-load", "none", lambda: variant(
        load_rows=lambda self, source: datasets.Dataset.from_list(ROWS).select([]))),
    ("rows-load", "raises", lambda: variant(load_rows=lambda self, source: 1 / 0)),
    ("rows-load", "no train split", lambda: variant(load_rows=lambda self, source:
        datasets.DatasetDict({"test": datasets.Dataset.from_list(ROWS)}))),
    ("columns", "one is missing", lambda: rows_of(without("good"))),
    ("columns", "one too many", lambda: rows_of([{**row, "brand": "x"} for row in ROWS])),
    ("values", "none", lambda: rows_of([{**ROWS[0], "good": None}, *ROWS[1:]])),
    ("values", "no number", lambda: rows_of([*ROWS[:-1], {**ROWS[-1], "price": float("nan")}])),
    ("values", "several types", split_types),
    ("row-ids", "twice the same", lambda: rows_of([{**row, "row_id": 7} for row in ROWS])),
    ("row-ids", "texts", lambda: rows_of([{**row, "row_id": str(row["row_id"])} for row in ROWS])),
    ("groups", "a number", lambda: variant(group=lambda self, row: row["row_id"])),
    ("groups", "another every time", counting_group),
    ("duplicates", "two groups",
     lambda: rows_of([*ROWS, {**ROWS[0], "row_id": 99, "good": "mug"}], group=two_groups)),
    ("splits", "too few rows", lambda: rows_of(ROWS[:30])),
    ("splits", "one group", lambda: variant(group=lambda self, row: "all")),
    ("repeatable", "another order every time", changing_rows),
    ("state", "no dict", lambda: variant(learn=lambda self, train: 3)),
    ("state", "no JSON", lambda: variant(
        learn=lambda self, train: {**TinyPrices.fit(self, train), "mean": np.float32(3)})),
    ("state", "others every time", lambda: variant(
        learn=lambda self, train: {**TinyPrices.fit(self, train), "x": random.random()})),
    ("example", "another column", lambda: variant(format_example=lambda self, row: {
        "text": row["text"], "completion": "1"})),
    ("example", "another type", lambda: variant(format_example=lambda self, row: {
        "prompt": row["text"], "completion": 1})),
    ("example", "an empty prompt", lambda: prompts(lambda row: " ")),
    ("example", "another every time",
     lambda: prompts(lambda row: f"{row['text']} {random.random()}")),
    ("completion", "empty", lambda: variant(
        TinyColours, format_example=lambda self, row: {"prompt": row["text"], "completion": " "})),
    ("reference", "None", lambda: variant(reference=lambda self, row: None)),
    ("reference", "no JSON", lambda: variant(reference=lambda self, row: (row["price"],))),
    ("reference", "another every time", lambda: variant(
        reference=lambda self, row: row["price"] + random.random())),
    ("prompt-hides-answer", "shows it",
     lambda: prompts(lambda row: f"{row['text']}, {row['price']} dollars. Price is $")),
    ("prompt-hides-answer", "panel has it as an input",
     lambda: variant(panel=Panel(inputs={"text": "Offer", "price": "Price"}))),
    ("inputs", "needs the answer", lambda: variant(format_example=needs_price)),
    ("inputs", "no completion", lambda: variant(format_example=lambda self, row: {
        k: v for k, v in TinyPrices.format_example(self, row).items() if v})),
    ("inputs", "needs a column that is no input",
     lambda: prompts(lambda row: f"{row['good']}: {row['text']}")),
    ("inputs", "changes without a column",
     lambda: prompts(lambda row: f"{row.get('good', '')}: {row['text']}")),
    ("distinct-prompts", "all the same", lambda: prompts(lambda row: "What does this cost?")),
    ("truncate", "no column", lambda: variant(truncate="body")),
    ("truncate", "not in the prompt", lambda: variant(truncate="good")),
    ("truncate", "no text", lambda: variant(truncate="price")),
    ("number-scale", "from 0",
     lambda: variant(number=lambda self, row: round(row["price"]) // 1000)),
    ("number-scale", "a float", lambda: variant(number=lambda self, row: row["price"] // 1)),
    ("number-scale", "another unit", lambda: variant(from_number=lambda self, n: n / 100)),
    ("number-scale", "completion of its own",
     lambda: variant(format_example=lambda self, row: {
         **TinyPrices.format_example(self, row), "completion": f"{row.get('price', 0):.2f}"})),
    ("number-scale", "cannot be written", lambda: variant(writable=lambda self, n: n // 10 * 10)),
    ("number-scale", "larger than the largest", lambda: variant(largest_number=5)),
    ("gold", "unread", lambda: postprocess(lambda self, output, row: None)),
    ("gold", "read as something else",
     lambda: postprocess(lambda self, o, row: float(o.text) + 1 if o.text.isdigit() else None)),
    ("gold", "no JSON",
     lambda: postprocess(lambda self, o, row: np.float32(o.text) if o.text.isdigit() else None)),
    ("gold", "of several references", lambda: variant(
        TinyColours, reference=lambda self, row: [row["colour"], "any"],
        metrics=(Metric("accuracy", lambda p, r: float(p in r)),),
        postprocess=lambda self, output, row: output.text.upper() or None)),
    ("decoders", "reads something else", lambda: variant(
        decoders=lambda self: {"greedy": untuned(self.postprocess), "half": half})),
    ("decoders", "takes no tuned values", lambda: variant(
        decoders=lambda self: {"greedy": self.postprocess})),
    ("decoders", "unknown to it", lambda: recipe(task={"decoder": "top-q"})),
    ("unreadable", "raises", lambda: postprocess(lambda self, output, row: float(output.text))),
    ("unreadable", "reads nothing as something",
     lambda: postprocess(lambda self, o, row: float(o.text) if o.text.isdigit() else 0.0)),
    ("unreadable", "raises on odd texts", lambda: variant(
        TinyColours, postprocess=lambda self, output, row: {"": None}.get(output.text, output.text)
        if output.text.isalpha() or not output.text else 1 / 0)),
    ("per-example", "no number", lambda: metric(per_example=lambda p, r: str(abs(p - r)))),
    ("per-example", "infinite",
     lambda: metric(per_example=lambda p, r: abs(p - r) if abs(p - r) < 1 else float("inf"))),
    ("per-example", "not always as many", lambda: metric(
        per_example=lambda p, r: (p, r) if abs(p - r) < 1 else (p,))),
    ("aggregate", "over everything", lambda: metric(aggregate=lambda v, axis: np.mean(v))),
    ("aggregate", "without an axis", lambda: metric(aggregate=lambda v: np.mean(v))),
    ("aggregate", "infinite", lambda: metric(
        aggregate=lambda v, axis: np.mean(v, axis=axis) * np.inf)),
    ("direction", "the other way round", lambda: metric(greater_is_better=True)),
    ("direction", "always the same", lambda: metric(per_example=lambda p, r: 1.0)),
    ("fallback", "None", lambda: variant(fallback=lambda self: None)),
    ("fallback", "not implemented", lambda: variant(fallback=Task.fallback)),
    ("fallback", "cannot be scored", lambda: variant(fallback=lambda self: "unknown")),
    ("slices", "a truth value",
     lambda: variant(slices=lambda self: {"dear": lambda row: row["price"] > 9})),
    ("targets", "None", lambda: variant(targets=lambda self: None)),
    ("targets", "no target", lambda: variant(targets=lambda self: ["accuracy"])),
    ("targets", "an exception", lambda: variant(targets=lambda self: [1 / 0])),
    ("intervals", "does not hold it",
     lambda: variant(interval=lambda self, p, w: (p - w / 2, p + w / 2))),
    ("intervals", "too wide", lambda: variant(interval=lambda self, p, w: (p - 2 * w, p + 2 * w))),
    ("intervals", "turned round", lambda: variant(interval=lambda self, p, w: (p + w, p - w))),
    ("intervals", "negative", lambda: variant(residual=lambda self, p, r: p - r)),
    ("intervals", "sometimes", lambda: variant(
        residual=lambda self, p, r: None if p > 100 else abs(p - r))),
    ("baseline-names", "capitals", lambda: baseline(drawn_once, "My_Baseline")),
    ("baseline-names", "taken", lambda: baseline(drawn_once, "adapter-seed-1")),
    ("baselines-fit", "too few", lambda: baseline(lambda train: lambda rows: [1.0])),
    ("baselines-fit", "None as its predictor", lambda: baseline(lambda train: None)),
    ("baselines-fit", "None as predictions", lambda: baseline(lambda train: lambda rows: None)),
    ("baselines-fit", "None", lambda: baseline(lambda train: lambda rows: [None] * len(rows))),
    ("baselines-fit", "no number",
     lambda: baseline(lambda train: lambda rows: [float("nan")] * len(rows))),
    ("baselines-fit", "raises", lambda: baseline(lambda train: train["prize"])),
    ("baselines-repeat", "drawn", lambda: baseline(drawn_once)),
    ("baselines-blind", "looks", lambda: baseline(lambda train: lambda rows: list(rows["price"]))),
]  # fmt: skip


@pytest.mark.parametrize("task", [TinyPrices, TinyColours])
def test_a_good_task_keeps_all_rules(task: type[Task]) -> None:
    results = check(task(), Source())
    assert [result for result in results if not result.passed] == []
    assert [result.rule for result in results] == [
        rule.name for rule in RULES if issubclass(task, rule.of)
    ]


@pytest.mark.parametrize(("rule", "how", "make"), BREAKS, ids=[f"{r}: {h}" for r, h, _ in BREAKS])
def test_a_task_broken_in_one_way_breaks_that_rule_alone(
    rule: str, how: str, make: Callable[[], type[Task]]
) -> None:
    assert broken_rules(make()()) == [rule]


def test_every_rule_can_be_broken() -> None:
    assert {rule for rule, _, _ in BREAKS} == {rule.name for rule in RULES}


def test_rules_have_names_of_their_own_and_need_only_what_comes_before() -> None:
    seen: set[str] = set()
    for rule in RULES:
        assert rule.name not in seen
        assert set(rule.needs) <= seen
        seen.add(rule.name)


def test_messages_say_what_to_change() -> None:
    task = variant(panel=Panel(inputs={"txt": "Offer"}))()
    assert "did you mean 'text'" in result_of(task, "panel").message
    task = rows_of([{**ROWS[0], "good": None}, *ROWS[1:]])()
    assert "row 1" in result_of(task, "values").message


def test_an_exception_of_a_task_is_reported_with_its_place() -> None:
    result = result_of(variant(load_rows=lambda self, source: 1 / 0)(), "rows-load")
    assert "ZeroDivisionError" in result.message
    assert "test_check.py, line" in result.message


def test_rules_that_build_on_a_broken_one_are_not_checked_and_say_why() -> None:
    results = {r.rule: r for r in check(rows_of(without("good"))(), Source())}
    assert not results["state"].reached
    assert not results["state"].passed
    assert results["state"].message == "not checked, because columns is broken"
    assert results["recipe-fields"].passed


def test_a_baseline_whose_extra_is_absent_passes_with_a_note() -> None:
    def absent(train: Any) -> Any:
        raise MissingExtra("the baseline", "offline")

    result = result_of(baseline(absent)(), "baselines-fit")
    assert result.passed
    assert "pip install" in result.message


def test_an_overlap_of_splits_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.preparation import prepare as data

    def prepare(task: Task, source: Source) -> data.Prepared:
        found = original(task, source)
        splits = datasets.DatasetDict({**found.splits, "test": found.splits["train"]})
        return replace(found, splits=splits)

    original = data.prepare
    monkeypatch.setattr(data, "prepare", prepare)
    assert broken_rules(TinyPrices()) == ["splits"]


def test_a_random_predictor_is_found_though_it_was_fitted_once() -> None:
    # Two predictions differ as two fits do, so that both rules may be broken.
    assert "baselines-repeat" in broken_rules(baseline(random_guess)())


def test_the_source_given_is_left_as_it_was() -> None:
    source = Source()
    check(TinyPrices(), source)
    assert source.notes == []
    assert source.left_out == {}


def test_splits_of_the_source_s_own() -> None:
    def load_rows(self: Any, source: Source) -> datasets.DatasetDict:
        parts = {"train": ROWS[:60], "test": ROWS[60:]}
        return datasets.DatasetDict({k: datasets.Dataset.from_list(v) for k, v in parts.items()})

    assert broken_rules(variant(load_rows=load_rows)()) == []


def test_a_decoder_gets_what_a_model_gives() -> None:
    seen: list[Generated] = []

    def note(self: Any, output: Generated, row: Any) -> Any:
        seen.append(output)
        return TinyPrices.postprocess(self, output, row)

    assert broken_rules(variant(postprocess=note)()) == []
    assert all(isinstance(output, Generated) for output in seen)


# -- classes and numbers from an encoder -----------------------------------------------------------


@pytest.mark.parametrize("task", [TinyGoods, TinyPieces])
def test_classification_tasks_keep_all_rules(task: type[Task]) -> None:
    assert broken_rules(task()) == []


@pytest.mark.parametrize(
    ("members", "rule", "message"),
    [
        ({"classes": ("cup", "lamp")}, "example", "none of the classes cup, lamp"),
        ({"format_example": lambda self, row: {"text": "a"}}, "example", "text and label"),
        (
            {"format_example": lambda self, row: {"text": row["text"], "label": row["good"]}},
            "inputs",
            "looks up 'good'",
        ),
        (
            {"format_example": lambda self, row: {"text": str(row), "label": row.get("good")}},
            "prompt-hides-answer",
            "shows the answer",
        ),
        ({"postprocess": lambda self, output, row: "cup"}, "gold", "reads the completion"),
        (
            {"postprocess": lambda self, output, row: self.labels[int(output.logits.argmax())]},
            "unreadable",
            "return None",
        ),
        ({"truncate": "words"}, "truncate", "no column"),
        ({"recipes": (replace(SMALL, model="embedded:minilmm"),)}, "recipe-models", "minilm"),
        (
            {"recipes": (replace(SMALL, model="embedded:minilm", training={"packingg": True}),)},
            "recipe-fields",
            "packingg",
        ),
    ],
)  # fmt: skip
def test_a_classification_task_that_breaks_one_rule(
    members: dict[str, Any], rule: str, message: str
) -> None:
    task = variant(TinyGoods, **members)()
    assert broken_rules(task)[0] == rule
    assert message in result_of(variant(TinyGoods, **members)(), rule).message


@pytest.mark.slow
def test_the_price_tasks_keep_all_rules() -> None:
    from toolkit_price_regression.encoder import PriceRegressionEncoder
    from toolkit_price_regression.task import PriceRegression

    for task in (PriceRegression, PriceRegressionEncoder):
        assert [result for result in check(task(), Source()) if not result.passed] == []


def test_importing_the_rules_loads_no_heavy_library() -> None:
    code = (
        "import sys, toolkit.plugins.contract.check;"
        "print([m for m in ('torch', 'transformers', 'trl', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
