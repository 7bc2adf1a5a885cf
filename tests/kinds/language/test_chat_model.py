"""A language model and its chat template: dates, rows that it cannot write, adapters of old."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from chat_layouts import CALL, TOOL, assistant, system, tokenizer, user
from toolkit.errors import DataError, ModelError
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.watching import TrainingWatch
from toolkit.metrics.common import EXACT_MATCH
from toolkit.plugins.chat_task import FormTask
from toolkit.recipe import Recipe
from toolkit.testing import models

DAY, LATER = datetime.date(2026, 3, 4), datetime.date(2026, 3, 5)


class Chats(FormTask):
    name = "chats"
    summary = "chats"
    metrics = (EXACT_MATCH,)
    primary_metric = "exact_match"


def _row(number: int, *before: dict[str, Any], answer: str = "") -> dict[str, Any]:
    return {
        "row_id": number, "before": json.dumps(list(before)), "prompt": f"Say {number}.",
        "completion": answer or str(number),
    }  # fmt: skip


def _model(folder: Path, layout: str, **changes: Any) -> CausalLM:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    place = folder / layout
    if not place.is_dir():
        learned = tokenizer(layout)
        learned.pad_token = learned.pad_token or "<|endoftext|>"
        config = Qwen2Config(
            vocab_size=len(learned), num_key_value_heads=2, **models.decoder_sizes(learned)
        )
        models.saved(place, Qwen2ForCausalLM, config, learned)
    training = {
        "per_device_train_batch_size": 2, "max_steps": 1, "bf16": False, "max_length": 256,
        "eval_strategy": "steps", "eval_steps": 1, "learning_rate": 1e-2,
    }  # fmt: skip
    recipe = Recipe(
        "tiny", "tiny", str(place), training=training,
        lora={"r": 4, "target_modules": "all-linear"}, generation={"max_new_tokens": 2},
    )  # fmt: skip
    task = Chats()
    task.load_state(changes.get("state", {}))
    return CausalLM(task, recipe)


def _on(monkeypatch: pytest.MonkeyPatch, day: datetime.date) -> None:
    monkeypatch.setattr("toolkit.kinds.language.chat.today", lambda: day)


def _trained(folder: Path, layout: str) -> Path:
    rows = Dataset.from_list([_row(n) for n in range(1, 5)])
    kind = _model(folder, layout)
    kind.task.load_state(kind.task.fit(rows))
    kind.task.load_state({**kind.task.state, **kind.fit_state(rows)})
    kind.train(
        DatasetDict({"train": rows, "validation": rows}),
        checkpoints=folder / "checkpoints", adapter=folder / "adapter", watch=TrainingWatch(),
    )  # fmt: skip
    return folder / "adapter"


def test_an_adapter_reads_the_prompts_of_its_training_on_every_later_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _on(monkeypatch, DAY)
    adapter = _trained(tmp_path, "llama3")
    stored = json.loads((adapter / "toolkit.json").read_text())
    assert stored["task_state"]["template_date"] == "2026-03-04"
    _on(monkeypatch, LATER)
    kind = _model(tmp_path, "llama3", state=stored["task_state"])
    kind.load_adapter(adapter)
    shown = kind.tokenizer.decode(kind.prompt(_row(9)))
    assert "04 Mar 2026" in shown
    other = _model(tmp_path, "llama3", state={"chat": True})  # a task without the run's state
    assert "05 Mar 2026" in other.tokenizer.decode(other.prompt(_row(9)))
    other.load_adapter(adapter)
    assert other.tokenizer.decode(other.prompt(_row(9))) == shown


def test_an_adapter_without_a_date_is_read_as_the_version_that_made_it_did(tmp_path: Path) -> None:
    """It wrote the date of today and let the template think."""
    adapter = _trained(tmp_path, "qwen3")
    place = adapter / "toolkit.json"
    stored = json.loads(place.read_text())
    del stored["task_state"]["template_date"]
    kind = _model(tmp_path, "qwen3", state=stored["task_state"])
    place.write_text(json.dumps(stored))
    with pytest.raises(ModelError, match="another prompt"):
        kind.load_adapter(adapter)
    kind.renderer.tell(None, former=True)
    prompts = kind.canary_prompts(stored["canaries"])
    assert kind.tokenizer.decode(prompts[0]).endswith("<|im_start|>assistant\n")
    place.write_text(json.dumps({**stored, "prompt_sha": kind.renderer.digest(prompts)}))
    kind.renderer.tell(None)
    kind.load_adapter(adapter)
    assert kind.tokenizer.decode(kind.prompt(_row(9))).endswith("<|im_start|>assistant\n")


def test_another_template_is_named_where_prompts_differ(tmp_path: Path) -> None:
    adapter = _trained(tmp_path, "chatml")
    stored = json.loads((adapter / "toolkit.json").read_text())
    kind = _model(tmp_path, "chatml", state=stored["task_state"])
    template = kind.tokenizer.chat_template
    kind.tokenizer.chat_template = template + "{# what is not written is no difference #}"
    kind.check_prompts(stored, adapter)
    kind.tokenizer.chat_template = template + "{% if add_generation_prompt %}So: {% endif %}"
    with pytest.raises(ModelError, match="another chat template"):
        kind.check_prompts(stored, adapter)


def test_tasks_without_conversations_have_no_date(tiny_llama: Path) -> None:
    recipe = Recipe("tiny", "tiny", str(tiny_llama), training={"max_length": 64})
    kind = CausalLM(Chats(), recipe)
    rows = Dataset.from_list([{**_row(1), "before": ""}])
    assert kind.fit_state(rows) == {} and kind.notes(rows) == []
    assert kind.tokenizer.chat_template is None  # nor is a template set that nothing uses


def test_what_becomes_of_system_messages_is_noted(tmp_path: Path) -> None:
    kind = _model(tmp_path, "gemma2", state={"chat": True})
    rows = Dataset.from_list([_row(1, system("Be brief.")), _row(2)])
    (note,) = kind.notes(rows)
    assert "no system role" in note and "1 of 2 rows" in note
    assert kind.training_notes() == []


def test_rows_that_the_template_has_no_way_to_write_are_found(tmp_path: Path) -> None:
    calling = assistant("", tool_calls=[CALL])
    tools = {"messages": [user("Hi."), calling, user("Hm?")], "tools": [TOOL]}
    rows = Dataset.from_list(
        [_row(1), {**_row(2), "before": json.dumps(tools)}, _row(3, assistant("Hello."))]
    )
    assert _model(tmp_path, "chatml").unusable(rows) == {
        "tools, which the model's chat template does not write": [2]
    }
    found = _model(tmp_path, "gemma2").unusable(rows)
    assert sorted(number for numbers in found.values() for number in numbers) == [2, 3]
    assert _model(tmp_path, "qwen3").unusable(rows) == {}


def test_a_refused_conversation_names_its_row(tmp_path: Path) -> None:
    kind = _model(tmp_path, "gemma2", state={"chat": True})
    rows = Dataset.from_list([_row(1), _row(7, assistant("Hello."))])
    with pytest.raises(DataError, match=r"^row 7: .*alternate") as error:
        kind.tokenized(rows)
    assert "\n" not in str(error.value)
    with pytest.raises(DataError, match=r"^row 7: "):
        kind.lengths(rows)


def test_tokens_with_a_loss_are_counted_in_all_answers(tmp_path: Path) -> None:
    """The memory of the logits depends on them."""
    kind = _model(tmp_path, "chatml", state={"chat": True})
    one = Dataset.from_list([_row(1)])
    answer = int(kind.lengths(one)["completion"][0])
    assert kind.most_learned(one, kind.lengths(one)) == answer
    more = Dataset.from_list([_row(1), _row(1, user("Say 1."), assistant("1"))])
    assert kind.most_learned(more, kind.lengths(more)) == 2 * answer


def test_a_recipe_may_ask_for_the_loss_on_answers_alone(tmp_path: Path) -> None:
    """TRL refuses it for rows that are tokenized, as all are here; it is what happens anyway."""
    from toolkit.kinds import fit

    kind = _model(tmp_path, "chatml")
    kind.recipe.training["assistant_only_loss"] = True
    made = fit.arguments(kind, kind.recipe, tmp_path / "c", **kind.fixed_arguments)
    assert made.assistant_only_loss is False


def test_solved_examples_that_call_tools_are_left_out_where_only_a_result_may_follow(
    tmp_path: Path,
) -> None:
    call = json.dumps(assistant("", tool_calls=[CALL]))
    shots = [_row(1), _row(2, answer=call)]
    mistral = _model(tmp_path, "mistral-v3", state={"chat": True})
    shown = mistral.tokenizer.decode(
        mistral.renderer.prompt(mistral.few_shot_example(_row(3), shots))
    )
    assert "Say 1." in shown and "Say 2." not in shown and shown.endswith("Say 3.[/INST]")
    qwen = _model(tmp_path, "qwen3", state={"chat": True})
    shown = _shown(qwen, shots)
    assert "Say 1." in shown and "<tool_call>" in shown


def _shown(kind: CausalLM, shots: list[dict[str, Any]]) -> str:
    ids = kind.renderer.prompt(kind.few_shot_example(_row(3), shots))
    return str(kind.tokenizer.decode(ids))
