"""How long texts are read: head or tail, and how much of them a slow machine takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from kinds.sequence_classification import test_sequence_classification as texts
from toolkit.errors import RecipeError
from toolkit.kinds.sequence_classification import reading
from toolkit.kinds.sequence_classification.reading import Reading
from toolkit.kinds.watching import TrainingWatch

LONG = 40


def long_rows(n: int, *, end: bool, seed: int = 0) -> Dataset:
    """Rows whose verdict stands at the end, or at the beginning, of far too many words."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(n):
        filler = " ".join(random.choice(["red", "blue", "green"], size=LONG))
        word = ("oak", "silk")[i % 2]
        made.append(f"{filler} {word} {word} {word}" if end else f"{word} {word} {word} {filler}")
    return Dataset.from_dict(
        {"row_id": list(range(1, n + 1)), "text": made, "stars": [1] * n, "price": [1.0] * n,
         "label": ["wood" if i % 2 == 0 else "other" for i in range(n)]}
    )  # fmt: skip


def kind(model: Path, **training: Any) -> Any:
    return texts.made(model, training={"max_length": 24, **training})


def test_both_ends_of_a_text_and_its_special_tokens_are_kept(tiny_bert: Path) -> None:
    made = kind(tiny_bert, truncation="head-tail")
    row = dict(long_rows(1, end=True)[0])
    whole = made.token_ids([row["text"]], cut=False)[0]
    (piece,) = made.features(row)
    assert piece["input_ids"] == [*whole[:6], *whole[-18:]] and len(whole) > 24
    assert (piece["input_ids"][0], piece["input_ids"][-1]) == (whole[0], whole[-1])
    short = made.token_ids(["red oak"])[0]
    assert short == made.token_ids(["red oak"], cut=False)[0]
    assert made.tokenized(Dataset.from_list([row]))["input_ids"][0] == piece["input_ids"]


@pytest.mark.parametrize("end", [True, False])
def test_the_part_that_is_read_is_chosen_on_validation(
    tiny_bert: Path, tmp_path: Path, end: bool
) -> None:
    made = kind(tiny_bert, truncation="auto", max_length=16)
    made.fit_base(long_rows(80, end=end), tmp_path, long_rows(40, end=end, seed=1))
    wanted = "head-tail" if end else "head"
    assert made.reading.truncation == wanted
    assert made.choices() == [made.reading.note] and wanted in made.reading.note
    again = kind(tiny_bert, truncation="auto", max_length=16)
    again.load_base(tmp_path)
    assert again.reading == made.reading
    row = dict(long_rows(1, end=end)[0])
    assert again.features(row) == made.features(row)


def test_the_choice_is_stored_with_the_adapter_and_used_for_predictions(
    tiny_bert: Path, tmp_path: Path
) -> None:
    made = kind(tiny_bert, truncation="auto", max_length=16)
    splits = DatasetDict(
        {"train": long_rows(64, end=True), "validation": long_rows(24, end=True, seed=1)}
    )
    made.train(splits, checkpoints=tmp_path / "c", adapter=tmp_path / "a", watch=TrainingWatch())
    stored = json.loads((tmp_path / "a" / "toolkit.json").read_text(encoding="utf-8"))
    assert stored["reading"]["truncation"] == "head-tail"
    again = kind(tiny_bert, truncation="auto", max_length=16)
    again.load_adapter(tmp_path / "a")
    sample = [dict(row) for row in long_rows(6, end=True, seed=2)]
    first, second = (
        np.stack([out.logits for out in one.predict(sample, adapter=True)]) for one in (made, again)
    )
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)


def test_short_texts_and_an_unknown_way_need_no_choice(tiny_bert: Path, tmp_path: Path) -> None:
    made = kind(tiny_bert, truncation="auto", max_length=64)
    made.fit_base(texts.rows(40), tmp_path, texts.rows(20, seed=1))
    assert made.reading == Reading("head", 64) and made.choices() == []
    with pytest.raises(RecipeError, match="head, head-tail, auto"):
        kind(tiny_bert, truncation="tail").fit_base(texts.rows(40), tmp_path / "b")


def test_an_adapter_of_an_earlier_version_is_read_from_its_beginning(
    tiny_bert: Path, tmp_path: Path
) -> None:
    texts.train(kind(tiny_bert), tmp_path)
    place = tmp_path / "adapter" / "toolkit.json"
    stored = json.loads(place.read_text(encoding="utf-8"))
    del stored["reading"]
    place.write_text(json.dumps(stored), encoding="utf-8")
    made = kind(tiny_bert, truncation="head-tail")
    made.load_adapter(tmp_path / "adapter")
    assert made.reading == Reading()


def test_a_slow_machine_reads_less_of_each_text() -> None:
    lengths = [600] * 100
    fields = {"passes": 3.0, "rate": lambda length: 1e-3}
    # 512 tokens: 100 × 512 × 3 × 3 / 1,000 = 461 s; half of it is enough, then half of 230 s, …
    assert reading.affordable(lengths, 512, seconds=400, **fields)[0] == 512
    assert reading.affordable(lengths, 512, seconds=231, **fields)[0] == 512
    chosen, share = reading.affordable(lengths, 512, seconds=120, **fields)
    assert chosen == 256 and share == pytest.approx(120 / 460.8)
    assert reading.affordable(lengths, 512, seconds=10, **fields)[0] == 128
    assert reading.affordable(lengths, 200, seconds=10, **fields)[0] == 200  # not below 128
    assert reading.affordable([40] * 100, 512, seconds=60, **fields)[0] == 512  # short texts


def test_minutes_shorten_texts_where_the_recipe_asks(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "timed", lambda forward: forward(8) and (lambda length: 1.0))
    rows = Dataset.from_dict(
        {"row_id": [1, 2] * 8, "text": ["oak red " * 150, "blue " * 300] * 8,
         "label": ["wood", "other"] * 8}
    )  # fmt: skip
    for asked, limit in ((True, 128), (False, 512)):
        made = texts.made(
            tiny_bert, training={"max_length": 512, "shorten_to_time": asked},
            early_stopping={"minutes": 1},
        )  # fmt: skip
        made.fit_base(rows, tmp_path / str(asked), rows)
        assert made.max_length == limit
        assert bool(made.choices()) == asked
        assert max(len(piece["input_ids"]) for piece in made.features(dict(rows[1]))) <= limit
