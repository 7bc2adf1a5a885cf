"""``toolkit.evaluate`` on objects in memory: the folder's figures, and nothing is changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

import evaluations as judging
import toolkit
from toolkit.errors import ModelError, UsageError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path) -> Path:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "q.toml").write_text(judging.PROMPTS)
    judging.questions(folder / "test.csv", range(100, 115))
    judging.questions(folder / "train.csv", range(20))
    judging.lively(tiny_qwen, folder / "base")
    return folder


def _in_memory(place: Path, **fields: Any) -> tuple[Any, Any]:
    """A model with an adapter and its tokenizer, as at the end of a notebook."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(3)
    base = AutoModelForCausalLM.from_pretrained(place / "base")
    config = LoraConfig(
        r=4, target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.1, **fields
    )
    model = get_peft_model(base, config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.2)
    model.train()
    tokenizer = AutoTokenizer.from_pretrained(place / "base")
    tokenizer.padding_side = "right"
    return model, tokenizer


def _digest(model: Any) -> str:
    total = hashlib.sha256()
    for name, weight in model.state_dict().items():
        total.update(name.encode())
        total.update(weight.detach().contiguous().numpy().tobytes())
    return total.hexdigest()


def _kept(model: Any, tokenizer: Any) -> dict[str, Any]:
    """All that must be as before."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    return {
        "weights": _digest(model),
        "modes": {name: module.training for name, module in model.named_modules()},
        "trained": {name: weight.requires_grad for name, weight in model.named_parameters()},
        "active": list(model.active_adapters),
        "off": [getattr(m, "_disable_adapters", None) for m in model.modules()],
        "merged": [list(getattr(m, "merged_adapters", ())) for m in model.modules()],
        "hooks": [[list(getattr(m, name)) for name in hooks] for m in model.modules()],
        "forward": [vars(m).get("forward") for m in model.modules()],
        "generation": model.generation_config.to_dict(),
        "config": model.config.to_dict(),
        "names": sorted(model.peft_config),
        "tokenizer": (
            tokenizer.padding_side, tokenizer.pad_token, tokenizer.chat_template, len(tokenizer),
            tokenizer.truncation_side,
        ),
        "environment": dict(os.environ),
    }  # fmt: skip


def test_the_figures_are_those_of_the_folder_and_nothing_is_changed(
    place: Path, tmp_path: Path
) -> None:
    model, tokenizer = _in_memory(place)
    before = _kept(model, tokenizer)
    found = toolkit.evaluate(
        model, tokenizer, place / "q.toml", place / "test.csv", place / "train.csv",
        prompt="task", runs=tmp_path / "runs",
    )  # fmt: skip
    after = _kept(model, tokenizer)
    for what, value in before.items():
        assert after[what] == value, what
    model.save_pretrained(str(tmp_path / "saved"))
    tokenizer.save_pretrained(str(tmp_path / "saved"))
    folder = judging.judge(
        place / "q.toml", [tmp_path / "saved"], place / "test.csv", tmp_path / "again",
        train=place / "train.csv", prompt="task",
    )  # fmt: skip
    mine = judging.Judged(found.path, found.metrics)
    assert len(set(mine.predictions("adapter").values())) > 5
    for system in ("adapter", "base", "few-shot", "nearest"):
        assert mine.predictions(system) == folder.predictions(system)
        assert (
            found.metrics["systems"][system]["metrics"]
            == (folder.metrics["systems"][system]["metrics"])
        )
    assert found.verdict == folder.metrics["verdict"]
    # The run outlives the notebook: it holds the adapter, and names its base by its folder.
    from toolkit.pipeline.verify import verify
    from toolkit.runs.run import Run

    assert not verify(Run.open(found.path)).differences


def test_a_model_that_goes_on_training_is_where_it_was(place: Path, tmp_path: Path) -> None:
    import torch

    model, tokenizer = _in_memory(place)
    ids = torch.tensor([[5, 6, 7, 8]])

    def step() -> float:
        torch.manual_seed(0)
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        total = sum(float(w.grad.abs().sum()) for w in model.parameters() if w.grad is not None)
        model.zero_grad(set_to_none=True)
        return total

    first = step()
    toolkit.evaluate(
        model, tokenizer, place / "q.toml", place / "test.csv", prompt="task",
        runs=tmp_path / "runs",
    )  # fmt: skip
    assert first > 0 and step() == first


def test_the_result_shows_itself(place: Path, tmp_path: Path) -> None:
    model, tokenizer = _in_memory(place)
    rows = [{**row, "q": f"<b>{row['q']}"} for row in judging.read(place / "test.csv")]
    found = toolkit.evaluate(
        model, tokenizer, str(place / "q.toml"), rows, prompt="adapter", runs=tmp_path / "runs"
    )
    assert found.worth_it in (True, False, None)
    assert found.report.is_file() and str(found) == found.verdict["sentence"]
    page = found._repr_html_()
    assert "<table>" in page and "adapter" in page and str(found.report) in page
    assert "<b>" not in page and found.metrics["n"] == len(rows)
    left = [path.name for path in (tmp_path / "runs" / ".given").iterdir()]
    assert all(name.startswith("rows-") for name in left), left


def test_a_whole_model_is_judged_with_its_base(place: Path, tmp_path: Path) -> None:
    model, tokenizer = _in_memory(place)
    whole = model.merge_and_unload()
    with pytest.raises(ModelError, match="--base"):
        toolkit.evaluate(
            whole, tokenizer, place / "q.toml", place / "test.csv", runs=tmp_path / "runs"
        )
    found = toolkit.evaluate(
        whole, tokenizer, place / "q.toml", place / "test.csv", base=str(place / "base"),
        prompt="task", runs=tmp_path / "runs",
    )  # fmt: skip
    assert set(found.metrics["systems"]) == {"base", "full"}


def test_what_cannot_be_judged_leaves_the_model_alone(place: Path, tmp_path: Path) -> None:
    model, tokenizer = _in_memory(place, bias="all")
    before = _kept(model, tokenizer)
    with pytest.raises(ModelError, match="bias in its LoraConfig"):
        toolkit.evaluate(
            model, tokenizer, place / "q.toml", place / "test.csv", runs=tmp_path / "runs"
        )
    assert _kept(model, tokenizer) == before
    model, tokenizer = _in_memory(place)
    before = _kept(model, tokenizer)
    with pytest.raises(UsageError, match="--prompt task is"):
        toolkit.evaluate(
            model, tokenizer, place / "q.toml", place / "test.csv", runs=tmp_path / "runs"
        )
    with pytest.raises(UsageError, match="rows must be a file"):
        toolkit.evaluate(model, tokenizer, place / "q.toml", 7, runs=tmp_path / "runs")
    assert _kept(model, tokenizer) == before
    assert not list((tmp_path / "runs").glob("q/*"))
