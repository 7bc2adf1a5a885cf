"""``--to merged``: a plain folder that answers as the adapter, and faults that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import export_faults
from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_export import export as exporting
from toolkit_export.export import Refused

KIND_OF = {
    "kinds": "causal-lm",
    "shorter": "seq2seq-lm",
    "classes": "sequence-classification",
    "answers": "question-answering",
}
FAULTS = [
    ("chats", export_faults.other_template),
    ("places", export_faults.swapped_classes),
    *((name, fault) for name in KIND_OF for fault in export_faults.MERGED[KIND_OF[name]]),
]


@pytest.mark.parametrize(
    "name", ["kinds", "chats", "shorter", "classes", "amounts", "answers", "places"]
)
def test_an_unchanged_export_gives_the_adapters_answers(
    name: str, exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    record = export(exported_runs[name], "merged")
    gate = record["gate"]
    assert gate["accepted"] and not gate["reasons"] and not record["anyway"]
    assert gate["equal_answers"] == 1 and gate["equal_to_measured"] == 1
    assert gate["inputs"]["different"] == 0 and gate["stops"]["adapter"] == gate["stops"]["export"]
    assert gate["logits"]["largest_difference"] < 1e-3
    # Of a tiny encoder the best step may be the beginning, from which nothing has moved.
    moved = exported_runs[name].info["training"]["best_step"] > 0
    assert (gate["logits"]["changed_by_training"] > 1e-3) == moved
    assert json.loads((tmp_path / "out" / "export.json").read_text()) == record
    assert (tmp_path / "out" / "README.md").read_text().startswith("---\n")


def test_no_row_of_the_data_is_in_an_export(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    run = exported_runs["kinds"]
    export(run, "merged")
    lines = (run.data / "heldout.jsonl").read_text().splitlines()
    titles = [json.loads(line)["title"] for line in lines]
    for file in (tmp_path / "out").iterdir():
        content = file.read_bytes()
        assert not any(title.encode() in content for title in titles), file.name


def test_plain_transformers_writes_the_same(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from toolkit.pipeline import open_run

    run = exported_runs["kinds"]
    export(run, "merged")
    task, kind = open_run(run)
    row = {"row_id": 1, "title": "red oak thing"}
    (ours,) = kind.predict([row], adapter=True)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = tokenizer(task.format_example(row)["prompt"], return_tensors="pt")
    written = model.generate(**ids)[0, ids["input_ids"].shape[1] :]
    assert tokenizer.decode(written, skip_special_tokens=True) == ours.text


def test_question_answering_is_asked_without_the_segments_that_training_never_saw(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    export(exported_runs["answers"], "merged")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert "token_type_ids" not in tokenizer("what is it?", "this oak thing")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault"), FAULTS, ids=[f"{name}-{fault.__name__}" for name, fault in FAULTS]
)
def test_a_fault_is_found(
    name: str, fault: Any, exported_runs: dict[str, Run], judged_after: Any
) -> None:
    gate = judged_after(exported_runs[name], "merged", fault)
    assert not gate["accepted"] and gate["reasons"]


@pytest.mark.parametrize("name", ["kinds", "classes"])
def test_what_has_no_fault_has_none(
    name: str, exported_runs: dict[str, Run], judged_after: Any
) -> None:
    assert judged_after(exported_runs[name], "merged", lambda folder: None)["accepted"]


def test_what_is_refused_is_kept_where_asked_and_marked(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, write = exported_runs["kinds"], exporting.write

    def wrongly(job: exporting.Job, kind: Any) -> Any:
        made = write(job, kind)
        export_faults.other_stop(job.folder)
        return made

    monkeypatch.setattr(exporting, "write", wrongly)
    with pytest.raises(Refused, match=r"end at the tokens \[.*7.*\], and the adapter's at") as told:
        export(run, "merged")
    assert told.value.exit_code == 1 and list(tmp_path.iterdir()) == []
    record = export(run, "merged", anyway=True)
    assert record["anyway"] and not record["gate"]["accepted"]
    assert "**Refused by the gate" in (tmp_path / "out" / "README.md").read_text()


def test_a_task_without_a_margin_needs_one(exported_runs: dict[str, Run], export: Any) -> None:
    with pytest.raises(UsageError, match=r"names no margin.*--margin"):
        export(exported_runs["kinds"], "merged", margin=None)


def test_nothing_but_an_export_is_overwritten(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no export"):
        export(exported_runs["kinds"], "merged")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_a_type_that_a_form_has_not_is_refused(exported_runs: dict[str, Run], export: Any) -> None:
    with pytest.raises(UsageError, match="--to merged has no type int8"):
        export(exported_runs["kinds"], "merged", numbers="int8")
