"""The digest of a base's weights: the same for the same, another for others, cheap, and checked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from toolkit.errors import ModelError
from toolkit.models import base_digest


@pytest.fixture
def copy(tiny_llama: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama, tmp_path / "copy"))


def test_a_copy_has_the_same_digest_however_it_is_stored(tiny_llama: Path, copy: Path) -> None:
    known = base_digest.digest(tiny_llama)
    assert known is not None and base_digest.digest(copy) == known
    tensors = load_file(copy / "model.safetensors")
    names = sorted(tensors)
    (copy / "model.safetensors").unlink()
    for number, part in enumerate((names[::2], names[1::2])):
        save_file({n: tensors[n] for n in part}, copy / f"model-{number}.safetensors")
    assert base_digest.digest(copy) == known


@pytest.mark.parametrize("change", ["one value", "rounded", "renamed"])
def test_other_weights_have_another(tiny_llama: Path, copy: Path, change: str) -> None:
    place = copy / "model.safetensors"
    tensors = load_file(place)
    name = sorted(tensors)[0]
    if change == "one value":
        tensors[name].view(-1)[0] += 1
    elif change == "rounded":
        tensors = {n: t.to(torch.float16) for n, t in tensors.items()}
    else:
        tensors[f"{name}.other"] = tensors.pop(name)
    save_file(tensors, place)
    assert base_digest.digest(copy) not in (None, base_digest.digest(tiny_llama))


def test_a_folder_without_readable_weights_has_none(copy: Path, tmp_path: Path) -> None:
    (copy / "model.safetensors").write_bytes(b"\xff" * 100)
    assert base_digest.digest(copy) is None
    assert base_digest.digest(tmp_path / "nowhere") is None


def test_a_model_of_the_hub_has_one_once_it_is_downloaded(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert base_digest.of("somebody/that-nobody-has") is None
    assert base_digest.of("name-without-owner:1") is None
    snapshot = tmp_path / "hub" / "models--somebody--a-model" / "snapshots" / "abc"
    shutil.copytree(tiny_llama, snapshot)
    refs = snapshot.parent.parent / "refs"
    refs.mkdir()
    (refs / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert base_digest.of("somebody/a-model") == base_digest.digest(tiny_llama)


def test_a_model_of_the_wheel_has_one() -> None:
    assert base_digest.of("embedded:causal-lm")


def test_an_adapter_of_other_weights_is_refused_in_one_sentence(
    tiny_llama: Path, tmp_path: Path
) -> None:
    stored = {"model": "some-base", "base_weights": base_digest.digest(tiny_llama)}
    base_digest.check(stored, str(tiny_llama), tmp_path)
    base_digest.check({"model": "some-base"}, str(tiny_llama), tmp_path)  # of an earlier version
    base_digest.check(stored, "somebody/not-downloaded", tmp_path)
    with pytest.raises(ModelError, match=r"trained on other weights.*'some-base'") as caught:
        base_digest.check(stored | {"base_weights": "0" * 64}, str(tiny_llama), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_run_and_its_adapter_name_the_weights(played: Path, tiny_llama: Path) -> None:
    known = base_digest.digest(tiny_llama)
    run = json.loads((played / "run.json").read_text())
    stored = json.loads((played / "adapter" / "toolkit.json").read_text())
    assert run["base_weights"] == stored["base_weights"] == known


def test_language_models_check_the_first_adapter_and_those_beside_it(
    played: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    from toolkit.kinds.registry import model_class
    from toolkit.pipeline.restore import load_task, make_kind
    from toolkit.runs.run import Run

    run = Run.open(played)
    task = load_task(run)
    kind = make_kind(run, task)
    assert isinstance(kind, model_class(task))
    kind.load_adapter(played / "adapter")
    other = Path(shutil.copytree(played / "adapter", tmp_path / "adapter"))
    stored = json.loads((other / "toolkit.json").read_text())
    (other / "toolkit.json").write_text(json.dumps(stored | {"base_weights": "0" * 64}))
    with pytest.raises(ModelError, match="trained on other weights"):
        kind.add_adapter(other, "beside")
    with pytest.raises(ModelError, match="trained on other weights"):
        kind.load_adapter(other)
