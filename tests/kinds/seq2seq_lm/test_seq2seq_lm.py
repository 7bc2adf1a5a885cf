"""The seq2seq kind on a tiny random T5: tokens, loss, generation, adapters, resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st

from tiny_tasks import TinyOffers, price_rows
from toolkit.data.source import Source
from toolkit.errors import ModelError, PreflightError, RecipeError
from toolkit.kinds.base import BASE
from toolkit.kinds.batching import padded
from toolkit.kinds.language.generate import generate
from toolkit.kinds.seq2seq_lm.model import Seq2SeqLM
from toolkit.kinds.seq2seq_lm.trainer import Collator
from toolkit.kinds.watching import TrainingWatch, Watch
from toolkit.pipeline import context, start
from toolkit.pipeline.run import execute
from toolkit.plugins import discovery
from toolkit.plugins.contract.check import check
from toolkit.preparation import preflight
from toolkit.preparation.prepare import prepare
from toolkit.recipe import Recipe
from toolkit.system.console import Console

LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q", "v"]}


def rows(n: int, start: int = 0) -> Dataset:
    made = price_rows()[start : start + n]
    return Dataset.from_list(
        [{"row_id": r["row_id"], "text": r["text"], "sentence": f"{r['text']}!"} for r in made]
    )


def recipe(model: Path, lora: dict[str, Any] | None = None, **training: Any) -> Recipe:
    fields = {
        "per_device_train_batch_size": 4, "max_steps": 4, "eval_strategy": "steps",
        "eval_steps": 2, "learning_rate": 0.02, "logging_steps": 1, "max_length": 96,
        "max_target_length": 32, **training,
    }  # fmt: skip
    return Recipe("tiny", "tiny", str(model), training=fields, lora=lora or LORA)


def make(model: Path, **changes: Any) -> Seq2SeqLM:
    return Seq2SeqLM(TinyOffers(), recipe(model, **changes))


def train(kind: Seq2SeqLM, folder: Path, watch: TrainingWatch | None = None) -> Any:
    splits = DatasetDict({"train": rows(32), "validation": rows(8, 40)})
    return kind.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=watch or TrainingWatch(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tiny_t5: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("seq2seq")
    return folder / "adapter", train(make(tiny_t5), folder)


# -- tokens ----------------------------------------------------------------------------------------


@given(target=st.text(max_size=40))
def test_labels_are_the_target_and_end_with_eos(tiny_t5: Path, target: str) -> None:
    kind = _SHARED.setdefault(tiny_t5, make(tiny_t5, max_target_length=400))
    ids, labels = kind.renderer.example({"text": "a cup", "text_target": target})
    assert kind.tokenizer.decode(ids) == "a cup"
    assert labels[-1] == kind.tokenizer.eos_token_id
    assert kind.tokenizer.decode(labels[:-1]) == target


_SHARED: dict[Path, Seq2SeqLM] = {}


def test_a_tokenizer_that_puts_eos_behind_texts_gets_one(tiny_t5: Path) -> None:
    """T5's own tokenizer ends every text with EOS; a target then has one, not two."""
    from tokenizers.processors import TemplateProcessing

    kind = make(tiny_t5)
    eos = kind.tokenizer.eos_token
    kind.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {eos}", special_tokens=[(eos, kind.tokenizer.eos_token_id)]
    )
    ids, labels = kind.renderer.example({"text": "a cup", "text_target": "a lamp"})
    assert ids[-1] == labels[-1] == kind.tokenizer.eos_token_id
    assert labels.count(kind.tokenizer.eos_token_id) == 1


def test_explain_shows_what_the_loss_counts(tiny_t5: Path) -> None:
    shown = make(tiny_t5).explain(dict(rows(1)[0]))
    assert "".join(t["text"] for t in shown if not t["loss"]) == "Say it: red cup, pack of 1"
    assert "".join(t["text"] for t in shown if t["loss"]) == "red cup, pack of 1!</s>"


def test_a_text_that_is_too_long_loses_its_end_and_a_target_nothing(tiny_t5: Path) -> None:
    class Shortening(TinyOffers):
        truncate = "text"

    kind = Seq2SeqLM(Shortening(), recipe(tiny_t5, max_length=12))
    row = {"row_id": 1, "text": "red cup " * 40, "sentence": "red cup " * 4}
    example = kind.example(row)
    assert 0 < len(kind.renderer.prompt(example)) <= 12
    assert example["text"].startswith("Say it: red")
    assert example["text_target"] == row["sentence"]


def test_preflight_refuses_targets_that_would_be_cut(tiny_t5: Path) -> None:
    prepared = prepare(TinyOffers(), Source(), 0)
    task = TinyOffers()

    def look(limit: int, allowed: bool = False) -> preflight.Preflight:
        kind = make(tiny_t5, max_target_length=limit)
        return preflight.check(task, prepared, kind, allow_truncation=allowed)

    assert not any("cut" in said for said in look(32).cautions)
    assert {"text", "target"} <= set(look(32).lengths["parts"])
    with pytest.raises(PreflightError, match=r"the target of 80 of 80 rows .*max_target_length="):
        look(3)
    assert any("would be cut" in said for said in look(3, allowed=True).cautions)
    cut = make(tiny_t5, max_target_length=3).renderer.example(
        {"text": "a", "text_target": "b " * 9}
    )
    assert len(cut[1]) == 3 and cut[1][-1] == make(tiny_t5).tokenizer.eos_token_id


# -- loss and generation ---------------------------------------------------------------------------


def test_the_loss_is_transformers_own(tiny_t5: Path, tmp_path: Path) -> None:
    kind = make(tiny_t5)
    kind.load()
    tokenized = kind.tokenized(rows(4))
    batch = Collator(kind.tokenizer.pad_token_id)(list(tokenized))
    trainer = kind.trainer(
        DatasetDict({"train": rows(4)}), tokenized, tokenized,
        recipe=kind.recipe, checkpoints=tmp_path,
    )  # fmt: skip
    loss, count, _ = trainer.summed_loss(kind.model, batch)
    with torch.no_grad():
        own = kind.model(**batch).loss
    assert count == sum(len(labels) for labels in tokenized["labels"])
    assert loss.item() / count == pytest.approx(own.item(), rel=1e-5)


def test_batch_one_and_sixteen_give_the_same_outputs(
    tiny_t5: Path, trained: tuple[Path, Any]
) -> None:
    kind = make(tiny_t5)
    kind.load_adapter(trained[0])
    sample = [dict(row) for row in rows(16, 30)]
    together = kind.predict(sample, adapter=True)
    alone = [kind.predict([row], adapter=True)[0] for row in sample]
    assert [o.text for o in together] == [o.text for o in alone]
    assert [o.tokens for o in together] == [o.tokens for o in alone]


def test_only_what_the_decoder_writes_comes_back(tiny_t5: Path) -> None:
    kind = make(tiny_t5)
    kind.load()
    ids = kind.renderer.prompt(kind.example(dict(rows(1)[0])))
    ours = generate(kind.model, kind.tokenizer, [ids], generation={"max_new_tokens": 6})[0]
    plain = kind.model.generate(input_ids=torch.tensor([ids]), max_new_tokens=6, do_sample=False)
    assert ours.text == kind.tokenizer.decode(plain[0], skip_special_tokens=True)
    assert ours.tokens <= 6


def test_padding_is_on_the_right_where_requested() -> None:
    ids, mask = padded([[5, 6, 7], [8]], 0, "cpu", right=True)
    assert ids[1, 0] == 8 and mask[1].tolist()[:2] == [1, 0]


def test_both_sides_are_written_from_one_model(tiny_t5: Path, trained: tuple[Path, Any]) -> None:
    kind = make(tiny_t5)
    kind.load_adapter(trained[0])
    prompts = [kind.prompt(dict(row)) for row in rows(3)]
    seen: list[int] = []
    mixed = kind.write_texts(
        [prompts[0], prompts[0], prompts[1]], [BASE, "default", "default"],
        generation={"max_new_tokens": 8}, watch=Watch(lambda index, token: seen.append(index)),
    )  # fmt: skip
    base = kind.predict([dict(rows(1)[0])], adapter=False)[0]
    assert mixed[0].text == base.text[: len(mixed[0].text)]
    assert mixed[0].text != mixed[1].text
    assert set(seen) == {0, 1, 2}


# -- training and adapters -------------------------------------------------------------------------


def test_a_trained_adapter_is_saved_and_loads_in_plain_peft(
    tiny_t5: Path, trained: tuple[Path, Any]
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSeq2SeqLM

    folder, result = trained
    assert result.info["steps"] == 4
    # q and v of two self-attentions and one cross-attention in each of two layers.
    assert result.info["parameters_trained"] == 2 * 3 * 2 * 4 * (32 + 32)
    kind = make(tiny_t5)
    kind.load_adapter(folder)
    plain = PeftModel.from_pretrained(
        AutoModelForSeq2SeqLM.from_pretrained(str(tiny_t5)), str(folder)
    ).eval()
    for row in map(dict, rows(4, 50)):
        ids = kind.prompt(row)
        written = plain.generate(input_ids=torch.tensor([ids]), max_new_tokens=32, do_sample=False)
        text = kind.tokenizer.decode(written[0], skip_special_tokens=True)
        assert kind.predict([row], adapter=True)[0].text == text
        assert kind.predict([row], adapter=False)[0].text != text


def test_training_lowers_the_loss(tiny_t5: Path, tmp_path: Path) -> None:
    result = train(make(tiny_t5, max_steps=30, eval_steps=10), tmp_path)
    losses = [e["eval_loss"] for e in result.history if "eval_loss" in e]
    assert losses[-1] < losses[0]


def test_resume_gives_the_same_adapter_byte_for_byte(tiny_t5: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    settings = {"max_steps": 8, "lora": {**LORA, "lora_dropout": 0.1}}
    train(make(tiny_t5, **settings), whole)

    class Killed(Exception):
        pass

    def stop(step: int, steps: int, tokens: int) -> None:
        if step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(make(tiny_t5, **settings), broken, TrainingWatch(on_step=stop))
    again = train(make(tiny_t5, **settings), broken)
    assert again.info["resumed_from_step"] == 4
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (broken / "adapter" / name).read_bytes() == (whole / "adapter" / name).read_bytes()


def test_an_adapter_that_does_nothing_is_an_error(
    tiny_t5: Path, trained: tuple[Path, Any], tmp_path: Path
) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "adapter"
    shutil.copytree(trained[0], folder)
    weights = folder / "adapter_model.safetensors"
    save_file({k: torch.zeros_like(v) for k, v in load_file(weights).items()}, weights)
    with pytest.raises(ModelError, match="does nothing"):
        make(tiny_t5).load_adapter(folder)


def test_a_recipe_without_lora_is_refused_in_words(tiny_t5: Path, tmp_path: Path) -> None:
    made = recipe(tiny_t5)
    kind = Seq2SeqLM(TinyOffers(), Recipe(**{**made.__dict__, "lora": None}))
    with pytest.raises(RecipeError, match=r"no \[lora\]"):
        train(kind, tmp_path)


# -- the flow --------------------------------------------------------------------------------------


def test_check_keeps_every_rule() -> None:
    assert all(result.passed for result in check(TinyOffers(), Source()))


def test_a_whole_run(tiny_t5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "load_task", lambda run: TinyOffers())
    monkeypatch.setattr(discovery, "load", discovery.Plugins)
    run = start.start(
        TinyOffers, recipe(tiny_t5, report_to="none"), Source(), runs=tmp_path, options={"seed": 0}
    )
    execute(run, Console())
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert {"base", "few-shot", "adapter"} <= set(metrics["systems"])
    assert metrics["verdict"]["sentence"]
    assert (run.path / "report.html").is_file()
    assert "AutoModelForSeq2SeqLM" in (run.path / "README.md").read_text()
