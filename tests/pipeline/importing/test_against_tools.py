"""What is imported against what the other tool itself makes of the same file, field by field.

The tools' own results are stored beside the files; ``.ci/campaign/imports.py`` makes them again.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from peft import LoraConfig

import imported
from toolkit.models.loading import quantization_config

CASES = [
    (tool, name) for tool in ("llamafactory", "axolotl", "trl") for name in imported.named(tool)
]
RENAMED = {"warmup_ratio": "warmup_steps", "activation_checkpointing": "gradient_checkpointing",
           "activation_checkpointing_kwargs": "gradient_checkpointing_kwargs"}  # fmt: skip
"""Fields of the tools' versions of transformers → the fields that hold their values."""


def test_there_are_ten_files_of_each_of_the_two_tools() -> None:
    assert [len(imported.named(tool)) for tool in ("llamafactory", "axolotl")] == [10, 10]


@pytest.mark.parametrize(("tool", "name"), CASES)
def test_training_arguments(
    tool: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = imported.dumped(tool, name)
    draft = imported.drafted(tool, name)
    ours = imported.arguments(draft, tmp_path, monkeypatch)
    known = {field.name for field in dataclasses.fields(ours)}
    expected = {RENAMED.get(k, k): v for k, v in theirs["training"].items() if k not in RENAMED}
    if tool == "llamafactory":  # it checkpoints by an argument of its model
        expected["gradient_checkpointing"] = not theirs["model"]["disable_gradient_checkpointing"]
    assert expected.pop("seed") == draft.seed
    for field in ("max_length", "packing"):  # the toolkit packs itself, see below
        expected.pop(field, None)
    different = {
        field: (wanted, imported.value(ours, field))
        for field, wanted in expected.items()
        if field in known and not _same(imported.value(ours, field), wanted)
    }
    unexplained = {k: v for k, v in different.items() if k not in imported.explained(draft)}
    assert not unexplained
    gone = set(expected) - known - {"gradient_checkpointing", "gradient_checkpointing_kwargs"}
    assert gone <= GONE


GONE = {
    "torchdynamo", "ray_scope", "mp_parameters", "use_mps_device", "push_to_hub_model_id",
    "push_to_hub_organization", "tpu_num_cores", "tpu_metrics_debug", "past_index",
    "jit_mode_eval", "use_legacy_prediction_loop", "torchdynamo_backend", "half_precision_backend",
    "group_by_length", "save_safetensors", "dispatch_batches", "split_batches",
}  # fmt: skip
"""Fields of older versions that do nothing in a training, or have another name now."""


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return bool(ours) == bool(theirs)
    if isinstance(theirs, int | float) and isinstance(ours, int | float):
        return ours == pytest.approx(theirs, rel=1e-5)
    return (ours or None) == (theirs or None)


@pytest.mark.parametrize(("tool", "name"), CASES)
def test_lora(tool: str, name: str) -> None:
    theirs = imported.dumped(tool, name)["lora"]
    draft = imported.drafted(tool, name)
    ours = vars(LoraConfig(**imported.recipe(draft).lora))
    targets = ours.pop("target_modules")
    wanted = theirs.pop("target_modules")
    assert (imported.LINEAR if targets == "all-linear" else set(targets or ())) == (
        imported.LINEAR if wanted == "all-linear" else set(wanted or ())
    )
    different = {
        field: (wanted, ours[field])
        for field, wanted in theirs.items()
        if field in ours and (ours[field] or None) != (wanted or None)
    }
    assert not {k: v for k, v in different.items() if k not in imported.explained(draft)}


@pytest.mark.parametrize(("tool", "name"), CASES)
def test_quantization(tool: str, name: str) -> None:
    theirs = imported.dumped(tool, name)["quantization"]
    made = quantization_config(imported.recipe(imported.drafted(tool, name)).quantization)
    if theirs is None:
        assert made is None
        return
    ours = {name: getattr(one, "value", one) for name, one in made.to_dict().items()}
    assert {name: one for name, one in ours.items() if not name.startswith("_")} == theirs


@pytest.mark.parametrize("name", imported.named("llamafactory"))
def test_lengths_model_and_stopping_of_llama_factory(name: str) -> None:
    theirs = imported.dumped("llamafactory", name)
    draft = imported.drafted("llamafactory", name)
    training, data = draft.sections["training"], theirs["data"]
    assert draft.model == theirs["model"]["model_name_or_path"]
    assert training["max_length"] == data["cutoff_len"]
    assert training["packing"] == data["packing"]
    init = training.get("model_init_kwargs", {})
    assert init.get("dtype") == theirs["model"]["compute_dtype"]
    assert init.get("revision", "main") == theirs["model"]["model_revision"]
    stopping = draft.sections.get("early_stopping", {})
    assert stopping.get("early_stopping_patience") == theirs["tuning"]["early_stopping_steps"]
    assert draft.sections.get("rows", {}).get("train") == data["max_samples"]
    left = {one.key for one in draft.left}
    assert "template" in left
    assert ("loraplus_lr_ratio" in left) == (theirs["tuning"]["loraplus_lr_ratio"] is not None)
    assert ("val_size" in left) == bool(data["val_size"])
    assert ("dataset" in left) == (len(data["dataset"]) > 1)


@pytest.mark.parametrize("name", imported.named("axolotl"))
def test_lengths_model_and_stopping_of_axolotl(name: str) -> None:
    theirs = imported.dumped("axolotl", name)["config"]
    draft = imported.drafted("axolotl", name)
    training = draft.sections["training"]
    assert draft.model == theirs["base_model"]
    assert training["max_length"] == theirs["sequence_len"]
    assert training["packing"] == bool(theirs["sample_packing"])
    assert training["model_init_kwargs"]["dtype"] == theirs["torch_dtype"]
    stopping = draft.sections.get("early_stopping", {})
    assert stopping.get("early_stopping_patience") == theirs["early_stopping_patience"]


@pytest.mark.parametrize("name", imported.named("trl"))
def test_lengths_and_model_of_trl(name: str) -> None:
    theirs = imported.dumped("trl", name)
    draft = imported.drafted("trl", name)
    training = draft.sections["training"]
    assert draft.model == theirs["model"]["model_name_or_path"]
    assert training["max_length"] == theirs["training"]["max_length"]
    assert training["packing"] == theirs["training"]["packing"]
    assert training["model_init_kwargs"]["dtype"] == theirs["model"]["dtype"]
