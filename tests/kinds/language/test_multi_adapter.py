"""Writing by sides: mixed batches give what separate passes give; following and stopping work."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from toolkit.errors import ModelError
from toolkit.kinds.base import BASE
from toolkit.kinds.watching import Watch
from toolkit.pipeline.predict import open_run
from toolkit.runs.files import read_jsonl
from toolkit.runs.run import Run

GREEDY = {"max_new_tokens": 24, "min_new_tokens": 12}


@pytest.fixture(scope="module")
def loaded(played: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[list[int]]]:
    """A kind with two adapters, ``default`` and ``other``, and prompts of held-out rows."""
    run = Run.open(played)
    _, kind = open_run(run)
    other = tmp_path_factory.mktemp("other") / "adapter"
    shutil.copytree(run.adapter, other)
    weights = other / "adapter_model.safetensors"
    torch.manual_seed(1)
    drawn = {k: torch.randn_like(v) / 2 for k, v in load_file(weights).items()}
    save_file(drawn, weights)
    kind.add_adapter(other, "other")
    rows = read_jsonl(run.data / "heldout.jsonl")[:3]
    return kind, [kind.prompt(row) for row in rows]


def test_a_mixed_batch_writes_what_each_side_writes_alone(loaded: Any) -> None:
    kind, prompts = loaded
    sides = [BASE, "default", "other"]
    together = kind.write_texts(
        [p for p in prompts for _ in sides], sides * len(prompts), generation=GREEDY
    )
    texts = [out.text for out in together]
    alone = [
        kind.write_texts([p], [side], generation=GREEDY)[0].text for p in prompts for side in sides
    ]
    assert texts == alone
    assert len(set(texts[:3])) == 3  # three sides, three answers to one prompt


def test_base_in_a_mixed_batch_is_the_untouched_base(loaded: Any, played: Path) -> None:
    kind, prompts = loaded
    _, untouched = open_run(Run.open(played), adapter=False)
    mixed = kind.write_texts([prompts[0], prompts[0]], [BASE, "default"], generation=GREEDY)
    assert mixed[0].text == untouched.write_texts([prompts[0]], [BASE], generation=GREEDY)[0].text


def test_the_watch_receives_every_token_of_every_row(loaded: Any) -> None:
    kind, prompts = loaded
    heard: list[list[int]] = [[], []]
    watch = Watch(on_token=lambda index, token: heard[index].append(token))
    out = kind.write_texts(prompts[:2], [BASE, "default"], generation=GREEDY, watch=watch)
    assert [len(tokens) for tokens in heard] == [o.tokens for o in out]
    eos = kind.tokenizer.eos_token_id
    for tokens, o in zip(heard, out, strict=True):
        kept = tokens[:-1] if tokens[-1] == eos else tokens
        assert kind.tokenizer.decode(kept, skip_special_tokens=True) == o.text


def test_a_stopped_generation_stops(loaded: Any) -> None:
    kind, prompts = loaded
    heard: list[int] = []
    watch = Watch(lambda index, token: heard.append(token), lambda: len(heard) >= 10)
    out = kind.write_texts(
        prompts[:2], [BASE, "default"], watch=watch,
        generation={"max_new_tokens": 200, "min_new_tokens": 200},
    )  # fmt: skip
    assert len(heard) == 10 and [o.tokens for o in out] == [5, 5]
    assert not any(o.hit_limit for o in out)


def test_a_refused_adapter_leaves_the_others_as_they_were(
    loaded: Any, played: Path, tmp_path: Path
) -> None:
    kind, prompts = loaded
    before = kind.write_texts(prompts[:1] * 2, [BASE, "default"], generation=GREEDY)
    spoilt = tmp_path / "adapter"
    shutil.copytree(played / "adapter", spoilt)
    weights = spoilt / "adapter_model.safetensors"
    save_file({k: v[:, :8].contiguous() for k, v in load_file(weights).items()}, weights)
    with pytest.raises(ModelError, match="does not fit"):
        kind.add_adapter(spoilt, "spoilt")
    assert "spoilt" not in kind.model.peft_config
    after = kind.write_texts(prompts[:1] * 2, [BASE, "default"], generation=GREEDY)
    assert [o.text for o in before] == [o.text for o in after]


def test_dora_is_answered_one_by_one(loaded: Any) -> None:
    kind, prompts = loaded
    config = kind.model.peft_config["other"]
    wanted = kind.write_texts(prompts[:1] * 2, [BASE, "other"], generation=GREEDY)
    config.use_dora = True  # PEFT refuses to mix it; the weights stay plain LoRA here
    heard: list[int] = []
    try:
        watch = Watch(on_token=lambda index, token: heard.append(index))
        got = kind.write_texts(prompts[:1] * 2, [BASE, "other"], generation=GREEDY, watch=watch)
    finally:
        config.use_dora = False
    assert [o.text for o in got] == [o.text for o in wanted]
    assert set(heard) == {0, 1} and kind.model.active_adapter == "default"
