"""``--to onnx``: graphs that ONNX Runtime answers with as the adapter does, and refused faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import export_faults
from toolkit.errors import UsageError
from toolkit.runs.run import Run


@pytest.mark.parametrize(
    "name", ["classes", "places", pytest.param("answers", marks=pytest.mark.slow)]
)
def test_an_unchanged_graph_gives_the_adapters_answers(
    name: str, exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    record = export(exported_runs[name], "onnx")
    gate = record["gate"]
    assert gate["accepted"] and gate["equal_answers"] == 1 and gate["inputs"]["different"] == 0
    assert gate["logits"]["largest_difference"] < 1e-3
    assert record["runtime"].startswith("onnxruntime ")
    assert not list((tmp_path / "out").glob("*.safetensors"))


@pytest.mark.slow
def test_a_rounded_graph_is_smaller_and_near(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    run = exported_runs["amounts"]
    export(run, "onnx")
    whole = (tmp_path / "out" / "model.onnx").stat().st_size
    record = export(run, "onnx", numbers="int8", margin=0.05)
    assert (tmp_path / "out" / "model.onnx").stat().st_size < whole
    logits = record["gate"]["logits"]
    assert logits["largest_difference"] > 0
    # Of a tiny encoder the best step may be the beginning, from which nothing has moved.
    assert logits["difference"] < 0.5 * (logits["changed_by_training"] or logits["spread"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", export_faults.ONNX, ids=lambda fault: fault.__name__)
def test_a_fault_is_found(fault: Any, exported_runs: dict[str, Run], judged_after: Any) -> None:
    gate = judged_after(exported_runs["classes"], "onnx", fault)
    assert not gate["accepted"] and gate["reasons"]


def test_tags_in_another_order_are_found(exported_runs: dict[str, Run], judged_after: Any) -> None:
    gate = judged_after(exported_runs["places"], "onnx", export_faults.swapped_classes)
    assert not gate["accepted"] and "in another order" in gate["reasons"][0]


def test_what_writes_text_has_no_such_form(exported_runs: dict[str, Run], export: Any) -> None:
    with pytest.raises(
        UsageError, match=r"--to onnx is for .*token-classification, and kinds is a causal-lm task"
    ):
        export(exported_runs["kinds"], "onnx")
