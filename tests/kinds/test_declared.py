"""What kinds declare about themselves, so that nothing is guessed from names of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tiny_tasks import TinyColours, TinyGoods, TinyPrices
from toolkit.kinds.base import TaskModel
from toolkit.kinds.dry_run import DryRunRequest
from toolkit.kinds.language.text_model import TextModel
from toolkit.kinds.registry import model_class
from toolkit.preparation.memory import stored
from toolkit.recipe import Recipe

LORA = {"r": 4, "target_modules": "all-linear"}


def made(task: type[Any], model: Path, **training: Any) -> TaskModel:
    recipe = Recipe("tiny", "tiny", str(model), training=training, lora=LORA)
    return model_class(task)(task(), recipe)


def test_language_models_write_text_and_encoders_do_not(tiny_llama: Path, tiny_bert: Path) -> None:
    writes, marks = made(TinyPrices, tiny_llama), made(TinyGoods, tiny_bert)
    assert isinstance(writes, TextModel) and not isinstance(marks, TextModel)
    assert writes.written == writes.answer_room == 8
    assert marks.written is None
    for kind in (writes, marks):
        assert kind.tokenizer is not None and kind.model is None


def test_few_shot_and_perplexity_are_the_tasks(tiny_llama: Path, tiny_bert: Path) -> None:
    class Declaring(TinyPrices):
        few_shot = 3
        perplexity = True

    kind, encoder = made(Declaring, tiny_llama), made(TinyGoods, tiny_bert)
    assert (kind.few_shot, kind.perplexity) == (3, True)
    assert (encoder.few_shot, encoder.perplexity) == (0, False)


def test_rows_share_sequences_by_packing_or_where_the_task_joins_them(tiny_llama: Path) -> None:
    class Joined(TinyColours):
        joined = True

    assert not made(TinyColours, tiny_llama).shares_sequences
    assert made(TinyColours, tiny_llama, packing=True).shares_sequences
    assert made(Joined, tiny_llama).shares_sequences


@pytest.mark.parametrize("given", ["class", "instance"])
def test_a_dry_run_is_that_of_the_task_and_the_recipe(given: str) -> None:
    class Joined(TinyColours):
        joined = True

    plain, packed = (
        Recipe("r", "r", "m", training=training) for training in ({}, {"packing": True})
    )

    def dry(task: type[Any], recipe: Recipe, **known: Any) -> tuple[bool, bool]:
        request = DryRunRequest(task if given == "class" else task(), recipe, **known)
        found: Any = model_class(task).dry_run(request)
        return found.walks, found.joined

    assert dry(TinyColours, plain) == (False, False)
    assert dry(TinyColours, packed) == dry(Joined, plain) == (False, True)
    assert dry(TinyPrices, plain) == (True, False)
    assert dry(TinyPrices, plain, one_token_numbers=True) == (False, False)


def test_a_tokenizer_decides_whether_numbers_are_walked(tiny_llama: Path, tiny_qwen: Path) -> None:
    walks = {}
    for name, model in (("whole", tiny_llama), ("digits", tiny_qwen)):
        kind = made(TinyPrices, model)
        task: Any = kind.task
        task.load_state({"largest": 900})
        found: Any = kind.dry_run(DryRunRequest(task, kind.recipe, kind.tokenizer))
        walks[name] = found.walks
    assert walks == {"whole": False, "digits": True}


def test_estimates_are_stored_by_what_a_kind_does_and_not_by_names_of_classes() -> None:
    recipe = Recipe("r", "r", "somebody/model", lora=LORA)

    class Renamed(TinyPrices):
        pass

    keys = [stored.key(t, recipe, gpu=True) for t in (TinyPrices, Renamed, TinyColours, TinyGoods)]
    assert keys[0] == keys[1] and len(set(keys)) == 3
    assert stored.task_writes(TinyColours)
    assert not stored.task_writes(TinyPrices) and not stored.task_writes(TinyGoods)
