"""The kind that a plugin brings: places and tags, entity scores, windows, files, a whole run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nervaluate import Evaluator

from toolkit import testing
from toolkit.data.source import Source
from toolkit.errors import UsageError
from toolkit.kinds import Kind, registry
from toolkit.plugins import discovery, scaffold, task_file
from toolkit.plugins.contract import check
from toolkit_token_classification import TokenClassificationTask, entity_metrics
from toolkit_token_classification.outputs import Entity, Tagged
from toolkit_token_classification.spans import entities_of, tags_of

LABELS = ("supplier", "sum", "date")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    discovery.load.cache_clear()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """What ``toolkit new --kind token-classification`` makes."""
    made = scaffold.create("find-sums", "token-classification", tmp_path / "find-sums")
    return made / "find_sums"


# -- places and tags -------------------------------------------------------------------------------
TEXT = "Pay EUR 30 to Halden AS."
PLACES = [(0, 0), (0, 3), (3, 7), (7, 10), (10, 13), (13, 20), (20, 23), (23, 24), (0, 0)]
"""Tokens that hold the blank before them, as those of sentencepiece do."""
ENTITIES = [
    {"start": 4, "end": 10, "label": "sum"},
    {"start": 14, "end": 23, "label": "supplier"},
]


def test_tokens_get_tags_and_tags_give_the_places_back() -> None:
    tags = tags_of(PLACES, TEXT, ENTITIES)
    assert tags == [None, "O", "B-sum", "I-sum", "O", "B-supplier", "I-supplier", "O", None]
    names = ["O", "B-sum", "I-sum", "B-supplier", "I-supplier"]
    shares = np.array([[0.9 if n == t else 0.025 for n in names] for t in tags if t])
    found = list(entities_of(TEXT, PLACES[1:-1], shares, names))
    assert [(e.start, e.end, e.label) for e in found] == [(4, 10, "sum"), (14, 23, "supplier")]
    assert {e.probability for e in found} == {0.9}


def test_a_window_within_an_entity_goes_on_with_it_and_odd_tags_begin_one() -> None:
    assert tags_of(PLACES[3:5], TEXT, ENTITIES) == ["I-sum", "O"]
    names = ["O", "B-sum", "I-sum", "I-date"]
    shares = np.eye(4)[[2, 2, 3, 0, 1, 1]]
    places = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]
    found = [(e.start, e.end, e.label) for e in entities_of("abcdef", places, shares, names)]
    assert found == [(0, 2, "sum"), (2, 3, "date"), (4, 5, "sum"), (5, 6, "sum")]


# -- scores ----------------------------------------------------------------------------------------
def entity(start: int, end: int, label: str) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, "text": "x" * (end - start)}


def test_the_scores_of_a_set_are_nervaluates() -> None:
    chance = np.random.default_rng(0)
    true, found = [], []
    for _ in range(60):
        row = [entity(10 * i, 10 * i + 4, LABELS[int(chance.integers(3))]) for i in range(3)]
        guess = [
            entity(e["start"] + int(chance.integers(2)), e["end"], LABELS[int(chance.integers(3))])
            for e in row
            if chance.random() < 0.8
        ]
        true.append(row[: int(chance.integers(1, 4))])
        found.append(guess or [entity(90, 92, "sum")])
    spans = [[[{**e, "end": e["end"] - 1} for e in row] for row in rows] for rows in (true, found)]
    expected = Evaluator(*spans, tags=list(LABELS), loader="dict").evaluate()["overall"]
    metrics = {m.name: m for m in entity_metrics(LABELS)}
    for scheme in ("strict", "exact", "partial", "ent_type"):
        metric = metrics[f"{scheme}_f1"]
        values = [metric.per_example(f, t) for f, t in zip(found, true, strict=True)]
        assert metric.value(values) == pytest.approx(expected[scheme].f1), scheme
    assert metrics["rows_right"].per_example(true[0], true[0]) == 1.0
    assert metrics["strict_f1_sum"].detail and metrics["strict_f1"].per_example([], []) == (0, 0, 0)


# -- rows ------------------------------------------------------------------------------------------
class Sums(TokenClassificationTask):
    name, summary, api_version = "sums", "sums in messages", 2
    classes = LABELS
    metrics = entity_metrics(classes)
    primary_metric = "strict_f1"


@pytest.mark.parametrize(
    ("entities", "reason"),
    [
        ([{"start": 0, "end": 99, "label": "sum"}], "an entity outside of its text"),
        ([{"start": 3, "end": 3, "label": "sum"}], "an entity outside of its text"),
        ([{"start": 0, "end": 5, "label": "sum"}, {"start": 3, "end": 8, "label": "sum"}],
         "entities that overlap"),
        ([{"start": 0, "end": 3, "label": "sum", "text": "nope"}],
         "an entity whose text stands elsewhere"),
        ([{"start": 0, "end": 3, "label": "colour"}],
         "a label that the task does not know (colour)"),
        ([{"start": 0, "label": "sum"}], "an entity without start, end or label"),
        ("[{", "entities are no JSON"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used_are_left_out(tmp_path: Path, entities: Any, reason: str) -> None:
    rows = [{"text": TEXT, "entities": json.dumps(ENTITIES)}] * 3
    odd = entities if isinstance(entities, str) else json.dumps(entities)
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in [*rows, {"text": TEXT, "entities": odd}]))
    source = Source(data=str(path))
    loaded = Sums().load_rows(source)
    assert len(loaded) == 3 and source.left_out == {reason: [4]}
    assert Sums().reference(loaded[0])[1] == {**ENTITIES[1], "text": "Halden AS"}


def test_lists_in_json_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": t, "spans": s}) + "\n" for t, s in (
        (TEXT, ENTITIES), ("Nothing here.", []))))  # fmt: skip
    loaded = Sums().load_rows(Source(data=str(path)))
    assert loaded[0]["entities"] == ENTITIES and loaded[1]["entities"] == []


def test_a_panel_marks_the_places() -> None:
    output = Tagged(TEXT, (Entity(4, 10, "sum", 0.87),))
    data = Sums().panel_data(output, {})
    assert data["marks"] == [{"start": 4, "end": 10, "kind": "label", "note": "sum 87%"}]

    from toolkit_playground.rendering.panels import Shown, draw

    page = draw("text", [Shown("adapter", output.predictions(), None, None, data)])
    assert "sum 87%" in page and "tk-label" in page and "found" in page


# -- the plugin ------------------------------------------------------------------------------------
def test_the_kind_is_there_by_its_entry_point() -> None:
    discovery.load()
    kind = registry.added()["token-classification"]
    assert isinstance(kind, Kind) and kind.model().__name__ == "TokenClassification"
    assert "token-classification" in scaffold.kinds()


def test_what_new_makes_keeps_the_contract(package: Path) -> None:
    task = task_file.load(package / "task.py")
    results = check.check(task(), Source())
    assert [f"{r.rule}: {r.message}" for r in results if not r.passed] == []


def test_a_task_file_may_be_of_the_kind(package: Path) -> None:
    file = package / "sums.toml"
    content = 'kind = "token-classification"\ndata = "rows.jsonl"\nclasses = ["sum", "date"]\n'
    rows = (package / "rows.jsonl").read_text(encoding="utf-8").replace("supplier", "sum")
    (package / "rows.jsonl").write_text(rows, encoding="utf-8")
    file.write_text(content + 'metrics = ["strict_f1", "rows_right"]\nsynthetic = true\n')
    task = task_file.load(file)
    assert issubclass(task, TokenClassificationTask) and task.primary_metric == "strict_f1"
    for extra, message in (
        ('separator = ";"', "separator does not go with kind token-classification"),
        ('text = "{a} {b}"', "text and target name one column each"),
    ):
        file.write_text(content + extra + "\n")
        with pytest.raises(UsageError, match=message):
            task_file.load(file)
    file.write_text('kind = "token-classificatio"\n')
    with pytest.raises(UsageError, match="did you mean 'token-classification'"):
        task_file.load(file)


def test_a_run_goes_through_and_a_long_text_is_read_in_windows(
    package: Path, run_task: Callable[..., testing.FinishedRun]
) -> None:
    from toolkit.pipeline.predict import open_run, predict
    from toolkit.runs.run import Run
    from toolkit_playground.rendering import panels
    from toolkit_playground.state.engine import Engine

    task = task_file.load(package / "task.py")
    finished = run_task(task, limit=120)
    systems = finished.metrics["systems"]
    assert {"adapter", "base", "dictionary", "word-features"} <= set(systems)
    assert systems["dictionary"]["metrics"]["strict_f1"]["value"] > 0.3
    # What stands around a word tells what a dictionary of training words cannot.
    figures = [systems[n]["metrics"]["strict_f1"]["value"] for n in ("dictionary", "word-features")]
    assert figures[1] > figures[0]
    report = (finished.path / "report.html").read_text(encoding="utf-8")
    assert "F1 of entities" in report and "F1 of supplier" in report
    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        run = Run.open(finished.path)
        (answer,) = predict(run, ["Please pay 30 euros to Halden AS by 3 May."])
        assert isinstance(answer["prediction"], list)
        _, kind = open_run(run)
        text = "Pay 5 euros to Halden AS. " * 80
        row = {"row_id": 1, "text": text, "entities": []}
        windows = kind.features(row)  # type: ignore[attr-defined]
        assert len(windows) > 2 and max(len(w["input_ids"]) for w in windows) <= 256
        (tagged,) = kind.predict([row], adapter=False)
        assert tagged.readable and tagged.source == text
        # The playground shows the same, marked in the text.
        engine = Engine(run)
        asked = {"row_id": 1, "text": "Please pay 30 euros to Halden AS by 3 May.", "entities": []}
        base, adapter = engine.predict(asked, list(engine.sides))
        assert adapter.answer["prediction"] == answer["prediction"] and not engine.writes
        shown = [
            panels.Shown(one.side.label, one.answer["prediction"], None, None,
                         engine.task.panel_data(one.output, asked), one.answer["parsed"])
            for one in (base, adapter)
        ]  # fmt: skip
        page = panels.draw("text", shown)
        assert (
            page.count('class="tk-card ') == 2
            and page.count("<mark") >= len(answer["prediction"]) > 0
        )


def test_the_layouts_are_those_with_a_head_for_tokens() -> None:
    found = testing.layouts_for(Sums)
    assert "bert" in {testing.LAYOUTS[name].model_type for name in found}
    assert len(found) < len(testing.LAYOUTS), "not every architecture has such a head"


@pytest.mark.slow
def test_every_layout_of_encoders_can_do_it(package: Path, tmp_path: Path) -> None:
    task = task_file.load(package / "task.py")
    for layout in testing.layouts_for(Sums):
        if testing.LAYOUTS[layout].kind not in ("causal-lm", "seq2seq-lm"):
            testing.through(task, layout, tmp_path / layout)
