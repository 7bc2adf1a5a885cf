"""``toolkit forgetting``: base against adapter, in pairs, on text that was not trained on."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from in_process import command
from toolkit.errors import UsageError
from toolkit.kinds.language.text_losses import MOST_WORDS, halves
from toolkit.pipeline import forgetting as measuring
from toolkit.pipeline.forgetting import compared, forgetting, read_texts, sentence
from toolkit.runs.run import Run

TEXTS = "The river is long and deep.\nA red lamp stands in the hall.\n\nBread is made of flour.\n"


@pytest.fixture
def copied(tmp_path: Path, played: Path) -> Run:
    return Run.find(str(shutil.copytree(played, tmp_path / played.name)), tmp_path)


def losses(seed: int, shift: float, rows: int = 80) -> list[tuple[float, int]]:
    random = np.random.default_rng(seed)
    tokens = random.integers(5, 20, rows)
    easier = np.random.default_rng(1).normal(3.0, 0.5, rows)
    return [
        (float(n * (level + shift + noise)), int(n))
        for n, level, noise in zip(tokens, easier, random.normal(0, 0.05, rows), strict=True)
    ]


# -- figures ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("shift", "words"), [(0.3, "forgot"), (-0.3, "nothing was forgotten"), (0.0, "no clear change")]
)
def test_the_sentence_says_which_way_the_loss_went_and_pairs_make_it_sharp(shift, words):
    base = [(loss, n) for loss, n in losses(2, 0.0)]
    ours = [(loss + shift * n + 0.01 * (-1) ** at, n) for at, (loss, n) in enumerate(base)]
    one = compared("general text", "texts", base, ours)
    assert one["difference"] == pytest.approx(shift, abs=0.01)
    assert one["high"] - one["low"] < 0.05  # texts differ by far more among themselves
    assert words in sentence([one])


def test_the_loss_is_that_of_a_token_and_not_the_mean_of_texts():
    one = compared("x", "texts", [(10.0, 10), (1.0, 100)], [(20.0, 10), (2.0, 100)])
    assert one["base"] == pytest.approx(11 / 110) and one["adapter"] == pytest.approx(22 / 110)
    assert one["tokens"] == 110


# -- texts -----------------------------------------------------------------------------------------
def test_the_toolkit_brings_general_text():
    texts = read_texts(None)
    assert len(texts) > 80 and len(set(texts)) == len(texts)
    assert all(8 <= len(text.split()) <= 25 for text in texts)


def test_texts_of_a_file_are_its_lines_each_once_and_long_enough(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text(f"{TEXTS}Too short.\n{TEXTS}", encoding="utf-8")
    assert read_texts(file) == [line for line in TEXTS.splitlines() if line]


@pytest.mark.parametrize("content", [b"", b"One text of five words.\n", b"\xff\xfe\x00", None])
def test_a_file_without_text_is_refused_with_its_name(tmp_path, content):
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.txt"):
        read_texts(file)


def test_halves_join_to_the_text_and_long_texts_are_cut():
    assert "".join(halves("one two three")) == "one two three"
    assert len("".join(halves("word " * 999)).split()) == MOST_WORDS


# -- runs ------------------------------------------------------------------------------------------
def test_a_causal_model_is_measured_on_text_and_on_rows_of_a_run(copied, played, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text(TEXTS, encoding="utf-8")
    found = forgetting(copied, file, [Run.find(str(played), tmp_path)], rows=20)
    general, own = found["on"]
    assert general["rows"] == 3 and general["name"] == "mine.txt"
    assert own["rows"] == 20 and own["adapter"] < own["base"]  # its own task has been learned
    assert all(math.isfinite(one[key]) for one in found["on"] for key in ("base", "adapter"))
    assert general["base"] != general["adapter"]
    assert json.loads((copied.path / "forgetting.json").read_text()) == found


def test_an_encoder_decoder_is_measured_and_the_report_shows_the_line(tmp_path, played_notes):
    run = shutil.copytree(played_notes, tmp_path / played_notes.name)
    printed = command(tmp_path, "forgetting", str(run), "--rows", "10").stdout.strip()
    assert printed.startswith("What training cost elsewhere: on general text (10 texts)")
    assert printed in (run / "report.md").read_text(encoding="utf-8")
    assert "What training cost elsewhere" in (run / "report.html").read_text(encoding="utf-8")


def test_runs_on_other_models_are_refused(copied, played_notes, tmp_path):
    with pytest.raises(UsageError, match="same model"):
        forgetting(copied, None, [Run.find(str(played_notes), tmp_path)])


def test_encoders_are_refused_since_they_write_no_text(copied, monkeypatch):
    monkeypatch.setattr(measuring, "make_kind", lambda run, task: object())
    with pytest.raises(UsageError, match="does not apply"):
        forgetting(copied)
