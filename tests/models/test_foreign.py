"""What a folder of another tool says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ModelError
from toolkit.models import foreign
from toolkit.models.foreign import Foreign


def _folder(place: Path, name: str = "adapter_config.json", **config: Any) -> Foreign:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(json.dumps(config))
    return Foreign(str(place), place)


def test_the_base_is_the_one_that_is_named(tmp_path: Path) -> None:
    one = _folder(tmp_path / "a", base_model_name_or_path="owner/base")
    other = _folder(tmp_path / "b", base_model_name_or_path="owner/other")
    assert foreign.base_of([one], None) == "owner/base"
    assert foreign.base_of([one, other], "mine") == "mine"
    with pytest.raises(ModelError, match="several bases"):
        foreign.base_of([one, other], None)
    packaged = _folder(
        tmp_path / "c", base_model_name_or_path="sentence-transformers/all-MiniLM-L6-v2"
    )
    assert packaged.base == "embedded:minilm"


def test_classes_stand_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    names = {"10": "k", "2": "c", "0": "a", "1": "b", **{str(n): f"n{n}" for n in range(3, 10)}}
    found = _folder(tmp_path / "a", "config.json", id2label=names)
    assert found.classes[:3] == ["a", "b", "c"] and found.classes[10] == "k"
    unnamed = _folder(tmp_path / "b", "config.json", id2label={"0": "LABEL_0", "1": "LABEL_1"})
    assert unnamed.classes == ["0", "1"] and unnamed.named_by_number
    assert _folder(tmp_path / "c", "config.json").classes == []
    assert _folder(tmp_path / "d", "config.json", id2label={"x": "y"}).classes == []


def test_names_of_systems_are_distinct_and_plain(tmp_path: Path) -> None:
    places = ["x/my adapter", "y/my adapter", "base", "runs/sft/checkpoint-20", "t/r1/adapter"]
    found = [_folder(tmp_path / place) for place in places]
    (tmp_path / "t" / "r1" / "run.json").write_text("{}")
    on_hub = Foreign("owner/tuned", found[0].folder)
    assert foreign.distinct_names([*found, on_hub]) == [
        "my-adapter", "my-adapter-2", "base-2", "sft-checkpoint-20", "r1", "tuned",
    ]  # fmt: skip


class _Tokenizer:
    def __init__(self, *tokens: str) -> None:
        self.tokens = tokens

    def get_vocab(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}


def test_further_tokens_are_no_other_vocabulary() -> None:
    base = _Tokenizer("a", "b", "c")
    foreign.check_vocabulary(_Tokenizer("a", "b", "c"), base, "mine")
    foreign.check_vocabulary(_Tokenizer("a", "b"), base, "mine")
    foreign.check_vocabulary(_Tokenizer("a", "b", "c", "<pad>"), base, "mine")
    for other in (_Tokenizer("b", "a", "c"), _Tokenizer("a", "x", "c")):
        with pytest.raises(ModelError, match="another vocabulary"):
            foreign.check_vocabulary(other, base, "mine")


def test_files_that_hold_something_else_are_named(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.mkdir()
    (place / "adapter_config.json").write_text("[1]")
    with pytest.raises(ModelError, match="holds no JSON object"):
        _ = Foreign("a", place).config
    (place / "adapter_config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        _ = Foreign("a", place).config
