"""llama.cpp in the place of a model: what becomes of its logits, and its own reading."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cli_runner import goods, quick, write_csv
from gguf_pattern import write_pattern
from in_process import command
from toolkit.kinds import inspection
from toolkit.pipeline import load_task, whole_model
from toolkit.runs.run import Run
from toolkit_export import answers, llama_runtime


class Stand:
    """Computes as llama.cpp does, text by text, with a transformers model."""

    def __init__(self, model: Any) -> None:
        self.model, self.longest = model, 0

    def logits(self, tokens: list[int], keep: int) -> np.ndarray:
        import torch

        assert 0 < keep <= len(tokens)
        self.longest = max(self.longest, len(tokens))
        with torch.no_grad():
            found: np.ndarray = self.model(torch.tensor([tokens])).logits[0, -keep:].numpy()
        return found


def both(folder: Path, run: Run) -> tuple[Any, Any]:
    """A kind with the folder's model, and one whose model is asked text by text."""
    plain = whole_model.open_whole(run, load_task(run), folder)
    model = llama_runtime.model_of(Stand(plain.model), folder)
    return plain, whole_model.open_whole(run, load_task(run), folder, model)


@pytest.mark.parametrize("name", ["kinds", "chats"])
def test_a_model_that_is_asked_text_by_text_answers_as_any(
    name: str, exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    run = exported_runs[name]
    export(run, "merged", margin=0.5, numbers="float32", anyway=True)
    plain, asked = both(tmp_path / "out", run)
    rows, _, _ = answers.chosen_rows(run, every=True)
    rows = rows[:6]
    assert asked.predict(rows, adapter=True)[0].text == plain.predict(rows, adapter=True)[0].text
    one, other = (answers.of(run, load_task(run), kind, rows) for kind in (plain, asked))
    assert one.predictions == other.predictions and one.stops == other.stops
    for a, b in zip(one.logits, other.logits, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path) -> Run:
    """A run of prices on a tokenizer with a token for each digit."""
    folder = tmp_path_factory.mktemp("prices")
    data = write_csv(folder / "goods.csv", goods(rows=60))
    command(folder, "run", "price-regression", "--data", str(data), "--runs", "runs",
            *quick(tiny_qwen))  # fmt: skip
    (place,) = (folder / "runs" / "price-regression").iterdir()
    return Run.open(place)


def test_number_distributions_are_read_from_it(prices: Run, export: Any, tmp_path: Path) -> None:
    export(prices, "merged", margin=0.5, numbers="float32", anyway=True)
    plain, asked = both(tmp_path / "out", prices)
    rows = answers.chosen_rows(prices, every=True)[0][:3]
    for a, b in zip(
        plain.predict(rows, adapter=True), asked.predict(rows, adapter=True), strict=True
    ):
        assert a.text == b.text
        # A tree in one pass looks at more numbers than a walk does, and at the same ones first.
        shared, of_a, of_b = np.intersect1d(a.numbers.values, b.numbers.values, return_indices=True)
        mine, other = a.numbers.probabilities[of_a], b.numbers.probabilities[of_b]
        assert len(shared) > 100 and mine.sum() > 0.9 * a.numbers.probabilities.sum()
        np.testing.assert_allclose(mine, other, atol=1e-4)


def test_padding_counts_for_nothing_and_a_mask_of_its_own_is_refused(tiny_llama: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = llama_runtime.model_of(
        Stand(AutoModelForCausalLM.from_pretrained(tiny_llama)), tiny_llama
    )
    ids = torch.tensor([[0, 0, 5, 6], [7, 8, 9, 10]])
    mask = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    padded = model(input_ids=ids, attention_mask=mask).logits
    alone = model(input_ids=ids[:1, 2:]).logits
    assert torch.equal(padded[0, 2:], alone[0]) and not padded[0, :2].any()
    right = model(input_ids=ids.flip(1), attention_mask=mask.flip(1)).logits
    assert torch.equal(right[0, :2], model(input_ids=torch.tensor([[6, 5]])).logits[0])
    with pytest.raises(NotImplementedError):
        model(input_ids=ids, attention_mask=torch.ones(2, 1, 4, 4, dtype=torch.bool))


def test_what_a_runtime_reads_otherwise_is_counted(
    exported_runs: dict[str, Run], export: Any, tmp_path: Path
) -> None:
    run = exported_runs["chats"]
    export(run, "merged", margin=0.5, anyway=True)
    kind: Any = whole_model.open_whole(run, load_task(run), tmp_path / "out")
    rows = answers.chosen_rows(run, every=False)[0][:5]
    read = [inspection.read_tokens(kind, row) for row in rows]
    seen: list[str] = []

    def tokens(text: str) -> list[int]:
        seen.append(text)
        found = kind.tokenizer(text, add_special_tokens=False)["input_ids"]
        return list(found[:-1] if len(seen) == 2 else found)

    reads = SimpleNamespace(tokens=tokens, ends=lambda: [1])
    opened = answers.Opened(kind, "a runtime", reads)
    assert answers.own_reading(opened, read) == {"different": 1, "ends": [1]}
    assert answers.own_reading(dataclasses.replace(opened, reads=None), read) is None


@pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="needs: pip install llama-cpp-python"
)
def test_a_session_gives_the_logits_of_any_beginning(tmp_path: Path) -> None:
    write_pattern(tmp_path / "model.gguf")
    with contextlib.closing(llama_runtime.Session(tmp_path / "model.gguf")) as session:
        tokens = list(range(3, 40))
        whole = session.logits(tokens, len(tokens))
        for length in (5, 30, 12, 37):
            found = session.logits(tokens[:length], 2)
            np.testing.assert_allclose(found, whole[length - 2 : length], atol=1e-4)
        other = [9, *tokens[1:20]]
        assert abs(session.logits(other, 1) - whole[19:20]).max() > 1e-3
        long = (tokens * 20)[: llama_runtime.ROOM + 60]
        assert session.logits(long, 1).shape == (1, whole.shape[1])
        assert 2 in session.ends() and session.tokens("<|im_end|>") == [2]
