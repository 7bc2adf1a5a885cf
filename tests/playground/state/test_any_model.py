"""Any model without a run: it writes, its adapters answer beside it, and odd ones are refused."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ModelError, ToolkitError, UsageError
from toolkit.models import foreign
from toolkit_playground import serve
from toolkit_playground.state import any_model
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.fitting import unfitting
from toolkit_playground.state.library import Library, task_of
from toolkit_playground.state.sides import own_labels, side_labels
from toolkit_playground.state.texts import ending


def lora(base: Path, folder: Path, seed: int) -> Path:
    """An adapter as PEFT saves one, which changes what its base says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(
        r=4, lora_alpha=32, target_modules=["up_proj", "down_proj"], init_lora_weights=False
    )
    tuned = get_peft_model(model, config)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_" in name:
                weights.mul_(10)
    tuned.save_pretrained(folder)
    return folder


def written(engine: Engine, text: str, labels: list[str], until: tuple[str, ...] = ()) -> Any:
    prompt = engine.prompt({"row_id": 0, "text": text})
    return list(
        engine.write(
            [prompt] * len(labels), labels, generation={"max_new_tokens": 12}, until=until,
            stop=threading.Event(),
        )
    )[-1]  # fmt: skip


def test_a_model_and_its_adapters_write_side_by_side(tmp_path: Path, tiny_llama: Path) -> None:
    first, second = (lora(tiny_llama, tmp_path / name, n) for n, name in enumerate(("one", "two")))
    run = any_model.place(
        tmp_path / "there", str(tiny_llama), [foreign.find(str(one)) for one in (first, second)]
    )
    assert any_model.is_free(run) and own_labels(run) == ["base", "one"]
    library = Library(tmp_path / "none", [run])
    assert side_labels(library, run) == ["base", "one", "two"]
    engine = library.engine(run.id)
    assert engine.problems == {} and list(engine.sides) == ["base", "one", "two"]
    texts = [one.text for one in written(engine, "One, two,", ["base", "one", "two"])]
    assert len(set(texts)) == 3
    found = task_of(library, run.id)
    assert found is not None
    assert unfitting(*found, ["compare", "chat", "vote", "run"]) == ["vote", "run"]


def test_a_text_ends_before_a_stop_string(tmp_path: Path, tiny_llama: Path) -> None:
    run = any_model.place(tmp_path, str(tiny_llama), [])
    engine = Engine(run)
    assert own_labels(run) == ["base"]
    (whole,) = written(engine, "One, two,", ["base"])
    assert len(whole.text) > 4
    until = whole.text.strip()[1:3]
    (cut,) = written(engine, "One, two,", ["base"], ("never written, that", until))
    assert cut.text == whole.text[: whole.text.index(until)] and cut.tokens < whole.tokens
    assert ending(cut) == "stop string" and not cut.limit


def test_what_does_not_fit_is_refused(tmp_path: Path, tiny_llama: Path, tiny_qwen: Path) -> None:
    whole = foreign.find(str(tiny_llama))
    with pytest.raises(ModelError, match="whole model"):
        any_model.place(tmp_path / "a", str(tiny_llama), [whole])
    idle = tmp_path / "idle"
    shutil.copytree(lora(tiny_llama, tmp_path / "real", 1), idle)
    config = json.loads((idle / "adapter_config.json").read_text())
    (idle / "adapter_config.json").write_text(json.dumps({**config, "target_modules": ["none"]}))
    run = any_model.place(tmp_path / "b", str(tiny_llama), [foreign.find(str(idle))])
    with pytest.raises(ToolkitError):
        Engine(run)


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        ([], {"base": "m"}, "needs folders of adapters"),
        (["a"], {"model": "m"}, "name adapters of it with --base"),
        (["a"], {"base": "m", "model": "m"}, "not both"),
        (["ADAPTER"], {}, "name its model: --base MODEL"),
    ],
)
def test_the_command_says_what_is_missing(
    tmp_path: Path, names: list[str], options: dict[str, str], said: str
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    given = [str(adapter) if name == "ADAPTER" else name for name in names]
    with pytest.raises(UsageError, match=said):
        serve.shown_first(given, tmp_path, serve.Options(**options), tmp_path)
