"""Task files on several labels and several numbers: checked, run, used, and shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from several_fixtures import TOPICS, label_rows, number_rows, write_csv
from toolkit import testing
from toolkit.data.source import Source
from toolkit.errors import UsageError
from toolkit.plugins import discovery, task_file
from toolkit.plugins.contract import check
from toolkit.plugins.toml_task import of_content
from toolkit.preparation.prepare import prepare

LABELS = {
    "kind": "sequence-classification", "problem": "multi-label", "text": "text",
    "target": "labels", "classes": list(TOPICS), "synthetic": True, "api_version": 2,
}  # fmt: skip
NUMBERS = {
    "kind": "sequence-regression", "text": "text", "target": ["minutes", "kcal"],
    "synthetic": True, "api_version": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    discovery.load.cache_clear()


def written(folder: Path, name: str, content: dict[str, Any], rows: list[dict[str, Any]]) -> Path:
    write_csv(folder / "rows.csv", rows)
    lines = [f"{k} = {json.dumps(v)}" for k, v in {**content, "data": "rows.csv"}.items()]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("content", "rows"),
    [(LABELS, label_rows()), (NUMBERS, number_rows())],
    ids=["labels", "numbers"],
)  # fmt: skip
def test_a_file_keeps_the_contract(
    tmp_path: Path, content: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    task = task_file.load(written(tmp_path, "mine", content, rows))
    results = check.check(task(), Source(data=str(tmp_path / "rows.csv"), **_named(content)))
    assert [f"{r.rule}: {r.message}" for r in results if not r.passed] == []


def _named(content: dict[str, Any]) -> dict[str, Any]:
    target = content["target"]
    return {"target": ",".join(target) if isinstance(target, list) else target}


def test_each_split_has_each_label(tmp_path: Path) -> None:
    rows = label_rows(400)
    for number in (3, 30, 200, 390):
        rows[number]["labels"] = [*rows[number]["labels"], "praise"]
    task = task_file.load(written(tmp_path, "mine", {**LABELS, "classes": []}, rows))()
    prepared = prepare(task, Source(data=str(tmp_path / "rows.csv"), target="labels"))
    for split in prepared.splits.values():
        assert {*TOPICS, "praise"} <= {label for row in split for label in row["labels"]}


def test_labels_run_to_a_report_and_are_predicted(
    tmp_path: Path, run_task: Callable[..., testing.FinishedRun]
) -> None:
    content = {**LABELS, "class_weights": "balanced"}
    task = task_file.load(written(tmp_path, "mine", content, label_rows()))
    finished = run_task(task, data=tmp_path / "rows.csv", limit=None)
    systems = finished.metrics["systems"]
    assert {"adapter", "base", "mean-probe", "most-frequent", "tfidf-logistic"} <= set(systems)
    assert systems["tfidf-logistic"]["metrics"]["micro_f1"]["value"] > 0.9
    assert finished.metrics["confusion"] is None
    line = finished.predictions("adapter")[0]
    assert isinstance(line["prediction"], list) and set(line["detail"]) == set(TOPICS)
    assert set(line["decoders"]) == {"half", "threshold"}
    report = (finished.path / "report.html").read_text(encoding="utf-8")
    assert "Subset accuracy" in report and "F1 of billing" in report
    config = json.loads((finished.path / "adapter" / "toolkit.json").read_text())
    assert config["head"]["problem_type"] == "multi_label_classification"

    from toolkit.pipeline.predict import predict
    from toolkit.runs.run import Run

    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        (answer,) = predict(Run.open(finished.path), ["The parcel is late."])
    assert isinstance(answer["prediction"], list) and set(answer["detail"]) == set(TOPICS)


def test_numbers_run_to_a_report_and_are_predicted(
    tmp_path: Path, run_task: Callable[..., testing.FinishedRun]
) -> None:
    finished = run_task(
        task_file.load(written(tmp_path, "mine", NUMBERS, number_rows())),
        data=tmp_path / "rows.csv", limit=None,
    )  # fmt: skip
    systems = finished.metrics["systems"]
    assert {"adapter", "base", "median", "tfidf-ridge"} <= set(systems)
    assert set(systems["adapter"]["metrics"]) == {"scaled_mae", "mae_minutes", "mae_kcal"}
    assert systems["tfidf-ridge"]["metrics"]["scaled_mae"]["value"] < 0.6
    assert set(finished.predictions("adapter")[0]["prediction"]) == {"minutes", "kcal"}


def test_columns_of_0_and_1_are_named_as_the_target(tmp_path: Path) -> None:
    wide = [
        {"text": row["text"], **{t: int(t in row["labels"]) for t in TOPICS}}
        for row in label_rows()
    ]
    write_csv(tmp_path / "wide.csv", wide)
    content = {**LABELS, "target": list(TOPICS), "data": "wide.csv"}
    del content["classes"]
    task = of_content(tmp_path / "mine.toml", content)
    assert task.source_options["target"] == "billing,delivery,login"
    rows = task().load_rows(Source(**task.source_options))
    assert rows["labels"][:] == [row["labels"] for row in label_rows()]
    assert [m.name for m in task.metrics if not m.detail] == [
        "micro_f1", "macro_f1", "subset_accuracy", "samples_f1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**LABELS, "problem": "multilabel"}, "no problem 'multilabel' – did you mean 'multi-la"),
        ({**LABELS, "problem": "regression"}, 'write kind = "sequence-regression"'),
        ({**LABELS, "costs": {}}, "a row has several labels here"),
        ({**LABELS, "metrics": ["accuracy"]}, "no metric 'accuracy'"),
        ({**LABELS, "target": ["a"]}, "target must be a text or a list of columns"),
        ({**LABELS, "target": ["a,b", "c"]}, "rename the column 'a,b'"),
        ({**LABELS, "problem": "single-label", "target": ["a", "b"]}, "names several columns"),
        ({**LABELS, "problem": "single-label", "separator": ";"}, "separator goes with problem"),
        ({**NUMBERS, "problem": "multi-label"}, "problem does not go with kind"),
        ({**NUMBERS, "text": "minutes"}, "which is the target"),
        ({**NUMBERS, "text": "kcal"}, "text shows 'kcal', which is a target"),
        ({"kind": "causal-lm", "prompt": "{a}", "target": ["b", "c"]}, "names several columns"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        of_content(tmp_path / "mine.toml", content)
    assert message in str(caught.value)
