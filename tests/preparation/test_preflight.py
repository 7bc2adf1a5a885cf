"""Lengths, leakage, repeated rows: notes and warnings before a model is loaded."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_fixtures import Echo, numbered, write_csv
from toolkit.errors import PreflightError
from toolkit.preparation.leakage import Leak, leakage
from toolkit.preparation.preflight import Preflight, check, left_out_sentences, sample
from toolkit.preparation.prepare import Prepared, Source, prepare


def prepared_of(path: Path) -> Prepared:
    return prepare(Echo(), Source(data=str(path)))


def looked_at(tmp_path: Path, rows: Sequence[tuple[str, float]]) -> Preflight:
    return check(Echo(), prepared_of(write_csv(tmp_path / "a.csv", ("text", "score"), rows)))


@pytest.fixture
def plain(tmp_path: Path) -> Prepared:
    return prepared_of(numbered(tmp_path / "plain.csv", 100))


# -- lengths -------------------------------------------------------------------------------------


def tokens(*prompts: int, completion: int = 2) -> dict[str, np.ndarray]:
    return {
        "prompt": np.asarray(prompts),
        "completion": np.full(len(prompts), completion),
    }


class Measured:
    """A model as preflight sees it, with known lengths of rows."""

    loses = "its end"

    def __init__(
        self,
        tokens: Mapping[str, np.ndarray],
        max_length: int | None = None,
        truncated: str | None = None,
        own_limits: Mapping[str, int] | None = None,
        windowed: bool = False,
    ) -> None:
        self.tokens, self.max_length, self.truncated = tokens, max_length, truncated
        self.own_limits, self.windowed = own_limits or {}, windowed

    def lengths(self, rows: Any) -> Mapping[str, np.ndarray]:
        return self.tokens

    def notes(self, rows: Any) -> list[str]:
        return []

    def cautions(self, rows: Any) -> list[str]:
        return [f"{len(rows)} rows were measured"]


def measured(prepared: Prepared, *arguments: Any, allow: bool = False, **fields: Any) -> Preflight:
    """What preflight finds in rows with a model like that."""
    model: Any = Measured(*arguments, **fields)
    return check(Echo(), prepared, model, allow_truncation=allow)


def test_lengths_are_histograms(plain: Prepared) -> None:
    found = measured(plain, tokens(5, 10, 20, 40), 50)
    document = json.loads(json.dumps(found.document()))
    lengths = document["lengths"]
    assert (lengths["limit"], lengths["over"], sum(lengths["counts"])) == (50, 0, 4)
    assert len(lengths["edges"]) == len(lengths["counts"]) + 1
    assert lengths["parts"]["prompt"]["median"] == 15 and lengths["parts"]["total"]["max"] == 42
    assert lengths["parts"]["completion"]["counts"] == [4]


def test_a_target_that_would_be_cut_is_refused(plain: Prepared) -> None:
    lengths = tokens(5, 10, 20, 40)
    with pytest.raises(PreflightError) as caught:
        measured(plain, lengths, 20)
    assert str(caught.value).startswith("the target of 2 of 4 rows (50.0%) would be cut: the long")
    assert "training.max_length=42" in str(caught.value)
    allowed = measured(plain, lengths, 20, allow=True)
    assert any("would be cut" in warning for warning in allowed.warnings())


def test_a_text_without_a_target_in_it_is_cut_only_where_allowed(plain: Prepared) -> None:
    lengths = {"text": np.array([5, 10, 20, 40])}
    parts = measured(plain, lengths).document()["lengths"]["parts"]
    assert list(parts) == ["text"]  # a single part has no total
    with pytest.raises(PreflightError, match="the text of 1 of 4 rows"):
        measured(plain, lengths, 20)
    found = measured(plain, lengths, 20, truncated="text")
    assert any("the text of 1 of 4 rows" in w and "loses its end" in w for w in found.warnings())


def test_a_prompt_that_is_shortened_is_only_a_warning(plain: Prepared) -> None:
    found = measured(plain, tokens(5, 10, 20, 40), 20, truncated="prompt")
    assert any("loses its end; targets are kept whole" in w for w in found.warnings())
    with pytest.raises(PreflightError):
        measured(plain, tokens(5, 9, completion=20), 20, truncated="prompt")


def test_a_part_with_a_limit_of_its_own_does_not_count_for_the_others(plain: Prepared) -> None:
    lengths = tokens(5, 10, 20, 40, completion=9)
    found = measured(plain, lengths, 40, own_limits={"completion": 9})
    assert list(found.lengths["parts"]) == ["prompt", "completion"] and found.lengths["over"] == 0
    with pytest.raises(PreflightError, match="the completion of 4 of 4 rows"):
        measured(plain, lengths, 40, own_limits={"completion": 8})


def test_what_is_read_in_windows_is_never_cut(plain: Prepared) -> None:
    found = measured(plain, tokens(5, 10, 20, 40), 20, windowed=True)
    assert "2 of 4 rows (50.0%) are longer than 20 tokens and are read in" in found.notes[-1]
    assert found.warnings()[0] == "100 rows were measured"
    assert not any("would be cut" in warning for warning in found.warnings())
    assert found.token_lengths["prompt"].tolist() == [5, 10, 20, 40]


def test_the_longest_rows_are_always_measured(tmp_path: Path) -> None:
    rows = [(f"text {n}" + " long" * (n == 123), n) for n in range(400)]
    prepared = prepared_of(write_csv(tmp_path / "a.csv", ("text", "score"), rows))
    assert len(sample(prepared.splits)) == 400
    few = sample(prepared.splits, rows=20)
    assert 100 <= len(few) <= 120 and "text 123 long" in few["text"][:]


# -- leaks ---------------------------------------------------------------------------------------


def test_a_price_in_the_text_is_a_leak(tmp_path: Path) -> None:
    rows = [(f"thing {n}, Price: Rs. {1000 + 7 * n:,}" * (n % 3 > 0) or f"t {n}", 1000 + 7 * n)
            for n in range(300)]  # fmt: skip
    found = looked_at(tmp_path, rows)
    (warning,) = found.warnings()
    assert warning.startswith("the target stands in the text of 200 of 300 rows (66.7%; by chance")
    assert warning.endswith("copy it instead of learning; choose other columns with --text")
    assert found.document()["leaks"][0]["examples"][0]["split"] == "train"


def test_masking_is_recommended_to_tasks_that_support_it(tmp_path: Path) -> None:
    class Masking(Echo):
        options = {"mask_target": False}

    rows = [(f"thing {n}, Price: Rs. {1000 + 7 * n:,}", 1000 + 7 * n) for n in range(300)]
    prepared = prepared_of(write_csv(tmp_path / "a.csv", ("text", "score"), rows))
    (warning,) = check(Masking(), prepared).warnings()
    assert "take it out with --mask-target, or choose other columns with --text" in warning


def test_numbers_by_chance_are_no_leak(tmp_path: Path) -> None:
    rows = [(f"no {n}: {n % 5 + 1} of 5 stars, 1 2 3 4 or 5", n % 5 + 1) for n in range(300)]
    found = looked_at(tmp_path, rows)
    assert found.leak is not None and found.leak["share"] == 1.0 and found.leak["chance"] == 1.0
    assert found.warnings() == [] and found.document()["leaks"] == []


@pytest.mark.parametrize(
    ("rows", "found", "chance", "serious"),
    [
        (300, 15, 0.0, True),  # one in twenty can be copied
        (300, 9, 0.0, False),  # too few to tell
        (10_000, 90, 0.0, False),  # under 1 %
        (10_000, 110, 0.0, True),
        (10_000, 1_090, 0.1, False),
        (10_000, 1_110, 0.1, True),
        (300, 45, 0.1, False),  # within three standard errors of chance
        (300, 47, 0.1, True),
        (0, 0, 0.0, False),
    ],
)
def test_a_leak_is_serious_from_one_percent_above_chance(
    rows: int, found: int, chance: float, serious: bool
) -> None:
    assert Leak(rows, found, chance, ()).serious is serious


@given(
    st.floats(0.01, 1e9).map(lambda x: round(x, 2)),
    st.sampled_from(["{:.2f}", "{:,.2f}"]),
    st.booleans(),
)
def test_numbers_are_found_however_written(price: float, form: str, comma: bool) -> None:
    written = form.format(price)
    if comma:
        written = written.translate(str.maketrans(".,", ",."))
    assert leakage([f"only $ {written}!"], [price]).found == 1
    assert leakage([f"only $ {written}1!"], [price]).found == 0


def test_words_are_found_as_words() -> None:
    found = leakage(["A Pinot  noir, ripe", "piano", "", "x"], ["pinot NOIR", "pi", "a", ""])
    assert (found.rows, found.found, found.examples) == (4, 1, (0,))
    assert leakage([], []).share == 0.0


def test_targets_that_are_no_values_are_not_searched(tmp_path: Path) -> None:
    class Spans(Echo):
        def reference(self, row: Any) -> Any:
            return [row["text"]]

    prepared = prepared_of(numbered(tmp_path / "a.csv", 60))
    assert check(Spans(), prepared).document()["leak"] is None


# -- repeated rows ---------------------------------------------------------------------------------


def test_repeated_and_clashing_rows(tmp_path: Path) -> None:
    rows = [(f"text {n}", n + 0.5) for n in range(100)]
    rows += [("twice", 10), ("Twice ", 10), ("clash", 10), ("clash", 20), ("clash", 60)]
    found = looked_at(tmp_path, rows)
    assert found.duplicates == {
        "rows": 5, "share": 5 / 105, "texts": 2, "clashing_rows": 3, "spread": 50 / 3,
    }  # fmt: skip
    assert (
        "3 rows have the text of another row and another target; they lie 16.67 from"
        in (found.warnings()[0])
    )
    assert any("5 rows share their text" in sentence for sentence in found.sentences())


def test_what_is_left_out_is_listed_with_row_numbers() -> None:
    assert left_out_sentences({"no text": [7], "blank row": list(range(1, 2001))}) == [
        "2,000 rows are left out: blank row (rows 1, 2, 3, 4, 5, …)",
        "1 row is left out: no text (row 7)",
    ]


def test_lengths_have_mean_percentiles_and_the_share_that_is_too_long() -> None:
    import numpy as np

    from toolkit.preparation.lengths import length_sentences, lengths_of

    parts = {"prompt": np.arange(1, 102), "completion": np.full(101, 10)}
    (sentence,) = length_sentences(lengths_of(parts, 100))
    assert "prompt mean 51.0, median 51, 5 to 95 % 6 to 96, at most 101" in sentence
    assert "completion mean 10.0" in sentence and "10.9% are longer than 100" in sentence
    assert length_sentences({}) == []


# -- groups ----------------------------------------------------------------------------------------


class Documents(Echo):
    """Rows of documents, which the text before the colon names."""

    def group(self, row: Any) -> str:
        return str(row["text"]).partition(":")[0]


def of_documents(folder: Path, sizes: Sequence[int]) -> Preflight:
    """What preflight finds in documents of these numbers of rows."""
    rows = [
        (f"document {document}: page {page}", page)
        for document, size in enumerate(sizes)
        for page in range(size)
    ]
    path = write_csv(folder / "a.csv", ("text", "score"), rows)
    return check(Documents(), prepare(Documents(), Source(data=str(path))))


def test_few_groups_in_the_test_split_are_a_warning(tmp_path: Path) -> None:
    found = of_documents(tmp_path, [5] * 60)
    assert found.groups == {"train": 48, "validation": 3, "calibration": 3, "test": 6}
    assert any(n.endswith("train 48, validation 3, calibration 3, test 6") for n in found.notes)
    (warning,) = [w for w in found.warnings() if "groups only" in w]
    assert warning.startswith("the 30 test rows are of 6 groups only, and rows of one group are")
    assert "fewer than 20 independent observations" in warning
    assert not any("groups only" in w for w in of_documents(tmp_path, [5] * 300).warnings())


def test_few_test_rows_are_a_warning_and_enough_are_none(tmp_path: Path) -> None:
    def few(rows: int) -> list[str]:
        found = check(Echo(), prepared_of(numbered(tmp_path / f"{rows}.csv", rows)))
        assert not any("groups" in note for note in found.notes), "every row is a group of its own"
        return [warning for warning in found.warnings() if "independent" in warning]

    (warning,) = few(100)
    assert warning.startswith("the test split has 10 rows only: with fewer than 20 independent")
    assert few(200) == []


def test_splits_that_miss_their_size_by_much_are_a_warning(tmp_path: Path) -> None:
    (sizes,) = [w for w in of_documents(tmp_path, [80] * 10).warnings() if "other sizes" in w]
    assert "(validation 80 instead of 40, calibration 80 instead of 40 rows)" in sizes
    assert "there are 10 of them, and the largest has 80 of 800 rows" in sizes
    found = of_documents(tmp_path, [2, 3, 5] * 100)
    assert not any("other sizes" in warning for warning in found.warnings())


def test_texts_that_are_trained_on_under_another_group_are_a_warning(tmp_path: Path) -> None:
    class Numbered(Echo):
        def group(self, row: Any) -> str:
            return str(row["score"])

    rows = [(f"text {n % 50}", n) for n in range(200)]
    path = write_csv(tmp_path / "a.csv", ("text", "score"), rows)
    found = check(Numbered(), prepare(Numbered(), Source(data=str(path))))
    assert any("held-out rows have a text that is trained on too" in w for w in found.warnings())
    found = check(Echo(), prepare(Echo(), Source(data=str(path))))
    assert not any("trained on too" in w for w in found.warnings()), "its groups are the texts"


@pytest.mark.parametrize("own", [False, True], ids=["drawn", "own files"])
def test_copies_in_the_other_unicode_form_stay_on_one_side(tmp_path: Path, own: bool) -> None:
    texts = [f"Ein Café in Zürich, Nummer {n}" for n in range(100)]
    copies = [unicodedata.normalize("NFD", text.upper()) for text in texts]
    if own:
        train = write_csv(tmp_path / "t.csv", ("text", "score"), [(t, 1) for t in texts])
        test = write_csv(tmp_path / "e.csv", ("text", "score"), [(t, 1) for t in copies[:30]])
        source = Source(train=str(train), test=str(test))
    else:
        rows = [(text, 1) for text in (*texts, *copies)]
        source = Source(data=str(write_csv(tmp_path / "a.csv", ("text", "score"), rows)))
    prepared = prepare(Echo(), source)
    sides = {
        name: {unicodedata.normalize("NFC", t).casefold() for t in prepared.splits[name]["text"]}
        for name in prepared.sizes
    }
    assert not any(sides["train"] & sides[name] for name in sides if name != "train")
    assert check(Echo(), prepared).duplicates["rows"] == (0 if own else 200)
    if own:
        assert len(prepared.left_out["train: text is in test too"]) == 30
