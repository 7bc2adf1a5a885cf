"""Several readings of a row: which they are, and that their number distributions are averaged."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from datasets import DatasetDict

from kinds.causal_lm.test_causal_lm import Guess, recipe
from kinds.causal_lm.test_causal_lm import rows as made_rows
from toolkit.kinds.causal_lm import number_distribution
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.causal_lm.readings import averaged, readings
from toolkit.kinds.language.outputs import Generated, Numbers
from toolkit.kinds.watching import TrainingWatch


class Shuffled(Guess):
    """The order of the words means nothing."""

    def augment(self, row: Any, random: Random) -> Any:
        words = row["text"].split()
        random.shuffle(words)
        return {**row, "text": " ".join(words)}


def output(numbers: dict[int, float] | None, text: str = "5") -> Generated:
    if numbers is None:
        return Generated(text)
    values = np.array(sorted(numbers), dtype=float)
    found = Numbers(values, np.array([numbers[int(v)] for v in values]))
    return Generated(text, tokens=1, numbers=found, seconds=0.5)


def test_the_first_reading_is_the_row_and_none_comes_twice() -> None:
    row = {"row_id": 3, "text": "red old oak", "price": 5.0}
    found = readings(Shuffled(), row, 40)
    assert found[0] == row and len({one["text"] for one in found}) == len(found) == 6
    assert all(sorted(one["text"].split()) == ["oak", "old", "red"] for one in found)
    assert found[:3] == readings(Shuffled(), {**row, "row_id": 3}, 40)[:3]
    assert readings(Shuffled(), {**row, "text": "red"}, 8) == [{**row, "text": "red"}]
    assert readings(Guess(), row, 8) == [row]  # a task that augments nothing has one


def test_distributions_are_averaged_number_by_number() -> None:
    one = averaged([output({1: 0.5, 3: 0.5}, "3"), output({2: 0.6, 3: 0.2}, "2")])
    assert one.text == "3" and one.seconds == 1.0 and one.numbers is not None
    assert one.numbers.values.tolist() == [1, 2, 3]
    np.testing.assert_allclose(one.numbers.probabilities, [0.25, 0.3, 0.35])
    assert averaged([output(None)]).numbers is None


def shares(output: Generated) -> dict[float, float]:
    assert output.numbers is not None
    return dict(zip(output.numbers.values, output.numbers.probabilities, strict=True))


@pytest.mark.parametrize("model", ["tiny_llama", "tiny_qwen"])
def test_the_adapter_answers_with_the_mean_of_its_readings_and_the_base_with_one(
    model: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(number_distribution, "ENDING", 0.0)  # it has learned to end no number
    task = Shuffled()
    kind = CausalLM(task, recipe(request.getfixturevalue(model)))
    splits = DatasetDict({"train": made_rows(40), "validation": made_rows(12, seed=1)})
    kind.train(
        splits, checkpoints=tmp_path / "c", adapter=tmp_path / "adapter", watch=TrainingWatch()
    )
    rows = [dict(row) for row in made_rows(5)]
    base = kind.predict(rows, adapter=False)
    alone = [kind.predict(readings(task, row, 4), adapter=True) for row in rows]
    task.options["readings"] = 4
    for before, after in zip(base, kind.predict(rows, adapter=False), strict=True):
        assert shares(after) == pytest.approx(shares(before), rel=1e-4, abs=1e-7)
    for several, found in zip(alone, kind.predict(rows, adapter=True), strict=True):
        assert found.text == several[0].text
        for value, share in shares(found).items():
            expected = np.mean([shares(one).get(value, 0.0) for one in several])
            assert share == pytest.approx(expected, rel=1e-4, abs=1e-7)
