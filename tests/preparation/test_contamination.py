"""Planted copies of training rows are found, and rows that are merely alike are not."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from rewording import STRENGTHS, decomposed, restyled, reworded, wide
from toolkit.data.normalization import word_key
from toolkit.preparation import near_copies
from toolkit.preparation.contamination import Contamination, contamination

_NAMES = "Anna Bela Carl Dora Emil Fred Gesa Hugo Ines Jonas Klara Lars Mona Nils Olga Paul".split()
_THINGS = """lamp table chair kettle drill ladder bicycle radio carpet mirror bench shelf clock oven
tent saddle violin camera printer heater""".split()
_ENDS = """broke after a week|works as it should|smells of rubber|came without screws
is too loud at night|looks better than on the picture|was given back by my brother
needs a new battery|has a crack at the bottom|fits into the small kitchen
shines like on the first day|fell from the wall""".replace("\n", "|").split("|")
_MORE = """the seller answered at once|nobody came to the door|my cat sleeps on it
the box was open|a refund took three months|we use it every Sunday|the manual is in Danish
our neighbours want one|it arrived on a rainy Monday|postage was dearer than the thing
two of them would be enough|the colour is nearer to green""".replace("\n", "|").split("|")


def reviews(count: int, seed: int = 0) -> list[str]:
    """Different sentences about things."""
    random, found = Random(seed), {}
    while len(found) < count:
        name, thing = random.choice(_NAMES), random.choice(_THINGS)
        text = (
            f"The {thing} that I bought from {name} in {random.randint(1990, 2025)} "
            f"{random.choice(_ENDS)}, and {random.choice(_MORE)}."
        )
        found[word_key(text)] = text
    return list(found.values())


def free_texts(count: int, seed: int = 0) -> list[str]:
    """Texts of made-up words, which have next to nothing in common."""
    random = Random(seed)
    return [
        " ".join("".join(random.choices("abcdefghiklmnoprstu", k=6)) for _ in range(12))
        for _ in range(count)
    ]


def hashed(texts: Sequence[str]) -> np.ndarray:
    """Vectors for a sentence encoder's: sums of random vectors of the words, one each."""
    rows = []
    for text in texts:
        words = [np.random.default_rng(zlib.crc32(w.encode())) for w in word_key(text).split()]
        total = sum((random.normal(size=256) for random in words), np.zeros(256))
        rows.append(total / max(1e-9, float(np.linalg.norm(total))))
    return np.array(rows, dtype=np.float32)


TRAIN = free_texts(400)
INNOCENT = free_texts(200, seed=1)


# -- copies ----------------------------------------------------------------------------------------
def test_exact_copies() -> None:
    found = contamination(TRAIN, [*INNOCENT, TRAIN[7], TRAIN[399]])
    assert [(c.test_row, c.train_row, c.kind) for c in found.copies] == [
        (200, 7, "exact"), (201, 399, "exact"),
    ]  # fmt: skip
    assert found.exact == found.copies and found.share == 2 / 202
    assert found.exact[0].similarity == 1.0 and found.exact[0].measure == "text"


@pytest.mark.parametrize("change", [restyled, decomposed, wide])
def test_copies_in_another_writing(change: object) -> None:
    train = [f"Café {text}, größer als 1,250 m²." for text in TRAIN]
    assert callable(change)
    copies = [change(text) for text in train[:20]]
    assert not set(copies) & set(train)
    found = contamination(train, [*INNOCENT, *copies], near=False)
    assert [(c.test_row, c.train_row) for c in found.normalized] == [
        (200 + i, i) for i in range(20)
    ]
    assert not found.exact and not found.near and not found.measures


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("It costs 1,250 euros!", "it costs 1250 euros", True),
        ("It costs 1,25 euros", "It costs 125 euros", False),
        ("3.5 mm", "35 mm", False),
        (":-)", ":-)", True),
        (":-)", ":-(", False),
        ("co\u00adoperate", "cooperate", True),
        ("ﬁne", "fine", True),
        ("STRASSE", "straße", True),
    ],
)
def test_what_is_another_writing(one: str, other: str, same: bool) -> None:
    found = contamination([one], [other], near=False)
    assert bool(found.copies) == same


def test_empty_texts_are_no_copies() -> None:
    found = contamination(["", " ", "x"], ["", "  ", "\n"])
    assert not found.copies and found.share == 0.0
    assert contamination([], []).sentences() == [
        "none of the 0 test rows was found among the 0 training rows"
    ]
    assert not contamination([], INNOCENT).copies and not contamination(TRAIN, []).copies


def test_numbers_of_rows_are_those_of_the_files() -> None:
    found = contamination(
        ["a b c d", "e f g h"], ["e f g h"], train_numbers=["r1", "r2"], test_numbers=[77]
    )
    assert (found.exact[0].test_row, found.exact[0].train_row) == (77, "r2")


def test_what_people_write_again_and_again_is_said() -> None:
    train = ["Love it!"] * 10 + ["love it"] * 5 + TRAIN[:85]
    found = contamination(train, ["Love it!", "LOVE IT", *INNOCENT])
    assert found.ordinary["exact"] == pytest.approx(0.15)
    assert found.ordinary["normalized"] == pytest.approx(0.0)
    assert "as 15.0% of the training rows do a second time" in found.sentences()[0]
    train = ["Love it!", "love it", *TRAIN[:98]]
    assert contamination(train, ["x"]).ordinary["normalized"] == pytest.approx(0.02)


# -- near copies -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("strength", "least"), list(zip(STRENGTHS, (1.0, 1.0, 0.8, 0.1), strict=True))
)
def test_reworded_rows_are_found(strength: str, least: float) -> None:
    train = reviews(600)
    innocent = [text for text in reviews(900) if text not in set(train)]
    free = [f"{text} {more}" for text, more in zip(train, free_texts(600), strict=True)]
    others = [f"{text} {more}" for text, more in zip(innocent, free_texts(300, 1), strict=True)]
    copies = {at: reworded(text, strength) for at, text in enumerate(free[:200])}
    copies = {at: text for at, text in copies.items() if word_key(text) != word_key(free[at])}
    assert len(copies) >= 40
    found = contamination(free, [*others, *copies.values()])
    assert not found.exact and not found.normalized
    planted = [c for c in found.near if c.test_row >= len(others)]
    assert len(planted) >= least * len(copies)
    assert all(c.train_row == list(copies)[c.test_row - len(others)] for c in planted)
    assert len(found.near) - len(planted) <= 0.02 * len(others)


def test_rows_of_one_template_are_no_copies() -> None:
    """Alike as they are, and said to be: rewording cannot be told from that."""
    every = reviews(1200)
    found = contamination(every[:900], every[900:])
    assert len(found.near) <= 0.02 * 300 + 3 * (0.02 * 0.98 * 300) ** 0.5
    words = found.measures[0]
    assert words.threshold > words.floor and words.similar > 0.5 and words.similar_in_train > 0.5
    assert not words.excess


def test_many_leaks_among_rows_that_are_alike_show_as_an_excess() -> None:
    """Half of the test rows are reworded, which cannot be told of any one of them."""
    names = [f"{a} {b}" for a in _NAMES for b in _THINGS]
    train = [f"{name} {text}" for name, text in zip(names * 3, free_texts(600), strict=False)]
    train += [f"{text} again" for text in train[:120]]
    copies = [f"{text} again and then some more of it" for text in train[200:300]]
    found = contamination(train, [*INNOCENT[:100], *copies])
    assert any(measure.excess for measure in found.measures)
    assert any("cannot be told one by one" in sentence for sentence in found.sentences())


def test_a_word_that_training_does_not_have_counts() -> None:
    """Else "red" alone would be left of both, and they would look the same."""
    train = [*TRAIN, "red qqqq wwww"]
    found = contamination(train, ["red zzzz yyyy"])
    assert not found.copies


def test_meaning_is_compared_where_an_encoder_is_given() -> None:
    random, seen = Random(0), []
    shuffled = [" ".join(random.sample(text.split(), 12)) for text in TRAIN[:10]]
    swapped = [" ".join([*text.split()[:9], "qq", "ww", "ee"]) for text in shuffled]
    found = contamination(
        TRAIN, [*INNOCENT, *swapped], encode=hashed, progress=lambda *at: seen.append(at)
    )
    assert [m.name for m in found.measures] == ["words", "word pairs", "meaning"]
    assert found.measures[2].compared == 210 - len(
        [c for c in found.near if c.measure in ("words", "word pairs")]
    )
    assert len(found.near) == 10 and not found.notes
    assert seen[-1][0] == seen[-1][1] == len(TRAIN) + found.measures[2].compared
    assert [a for a, _ in seen] == sorted({a for a, _ in seen})


def test_the_meaning_of_a_row_in_other_words() -> None:
    """An encoder that knows a synonym finds what no word tells."""
    other = [" ".join(word[::-1] for word in text.split()) for text in TRAIN[:10]]

    def knowing(texts: Sequence[str]) -> np.ndarray:
        known = dict(zip(other, TRAIN, strict=False))
        return hashed([known.get(text, text) for text in texts])

    found = contamination(TRAIN, [*INNOCENT, *other], encode=knowing)
    assert [(c.train_row, c.measure) for c in found.near] == [(i, "meaning") for i in range(10)]
    assert found.near[0].similarity == pytest.approx(1.0, abs=1e-4)
    assert not contamination(TRAIN, [*INNOCENT, *other]).copies


def test_the_limit_of_what_is_embedded_is_said() -> None:
    calls: list[int] = []

    def counting(texts: Sequence[str]) -> np.ndarray:
        calls.append(len(texts))
        return hashed(texts)

    found = contamination(TRAIN, INNOCENT, encode=counting, most_embedded=50)
    assert sum(calls) == 50 + len(INNOCENT)
    assert found.notes == (
        "50 of 400 training rows were embedded, drawn at random: copies of the others are found "
        "by their words alone",
    )
    assert found.notes[0] in found.sentences()


def test_of_large_sets_some_rows_are_compared_by_words() -> None:
    copies = [f"{text} indeed" for text in TRAIN[:50]]
    found = contamination(TRAIN, [*INNOCENT, *copies, TRAIN[60]], most_train=200, most_test=100)
    assert len(found.exact) == 1 and found.measures[0].compared == 100
    assert 0 < len(found.near) < 50
    assert found.notes[0].startswith(
        "100 of 250 test rows were compared with 200 of 400 training rows by words, drawn at random"
    )
    assert found.notes[0] in found.sentences()


def test_what_chance_explains_is_no_warning() -> None:
    assert not contamination(TRAIN, INNOCENT).beyond_chance
    every = reviews(1200)
    assert not contamination(every[:900], every[900:]).beyond_chance
    assert contamination(TRAIN, [*INNOCENT, TRAIN[0].upper()]).beyond_chance
    reworded_rows = [f"{text} indeed" for text in TRAIN[:20]]
    assert contamination(TRAIN, [*INNOCENT, *reworded_rows]).beyond_chance


def test_too_many_alarms_are_refused() -> None:
    for alarms in (0.0, 0.6, float("nan")):
        with pytest.raises(ValueError, match="alarms"):
            contamination(TRAIN, INNOCENT, alarms=alarms)


# -- thresholds ------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [40, 150, 600])
def test_innocent_rows_are_above_a_threshold_as_often_as_is_said(rows: int) -> None:
    """Over many draws, where the rows are so much alike that no floor helps."""
    random, shares, expected = np.random.default_rng(0), [], []
    for _ in range(300):
        own, fresh = random.normal(size=rows), random.normal(size=50)
        threshold, share = near_copies._threshold(own, 0.02)
        shares.append((fresh > threshold).mean())
        expected.append(share)
    assert np.mean(shares) == pytest.approx(np.mean(expected), abs=0.004)
    assert expected[0] <= max(0.02, 1 / (rows + 1))


def test_without_rows_there_is_no_threshold() -> None:
    assert near_copies._threshold(np.zeros(0), 0.02) == (1.0, 0.0)
    found = contamination(["one two three four"], ["one two three five"])
    assert not found.near


def test_blocks_give_what_one_product_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = reviews(300), reviews(400)[300:]
    whole = contamination(train, test)
    monkeypatch.setattr(near_copies, "_CELLS", 1_000)
    monkeypatch.setattr(near_copies, "_TEXTS_A_BATCH", 7)
    assert contamination(train, test) == whole


# -- words -----------------------------------------------------------------------------------------
def test_the_sentences_name_rows_kinds_and_texts() -> None:
    test = [*INNOCENT, TRAIN[1], restyled(TRAIN[2]), f"{TRAIN[3]} indeed"]
    found = contamination(TRAIN, test)
    exact, normalized, near, *how = found.sentences()
    assert exact.startswith("1 of 203 test rows (0.5%) stands in the training set as they are (")
    assert "test row 200 is training row 1, " in exact and TRAIN[1][:40] in exact
    assert "but for case, blanks, punctuation or Unicode forms" in normalized
    assert "test row 202 is training row 3 (0.9" in near and "at most 2.0% by chance" in near
    assert [text.split(" have ")[0] for text in how] == [
        "near copies by words", "near copies by word pairs",
    ]  # fmt: skip


def test_the_document_is_json(tmp_path: object) -> None:
    found = contamination(TRAIN, [*INNOCENT, TRAIN[1]])
    document = json.loads(json.dumps(found.document()))
    assert document["share"] == found.share and document["exact"][0]["train_row"] == 1
    assert TRAIN[1] not in json.dumps(document) and document["beyond_chance"] is True
    assert not any(TRAIN[1][:9] in sentence for sentence in found.findings(quoted=False))
    assert isinstance(found, Contamination)


# -- the rewording itself --------------------------------------------------------------------------
def test_rewording_is_the_same_each_time_and_grows_with_its_strength() -> None:
    text = "It is a good movie, and the story is very funny; we paid $1,250 for 3 seats."
    versions = [reworded(text, strength) for strength in STRENGTHS]
    assert versions == [reworded(text, strength) for strength in STRENGTHS]
    words = set(word_key(text).split())
    kept = [len(words & set(word_key(v).split())) / len(words) for v in versions]
    assert kept == sorted(kept, reverse=True) and kept[0] > 0.6 > kept[-1]
