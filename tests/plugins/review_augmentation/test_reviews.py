from pathlib import Path

import pytest

from toolkit import DataError, Source
from toolkit.preparation.prepare import prepare
from toolkit_review_augmentation import reviews
from toolkit_review_augmentation.reviews import Sizes

SIZES = Sizes(40, 20, 20)


def written(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def loaded(source: Source, **keywords: bool) -> list[dict]:
    return reviews.load(source, SIZES, **keywords).to_list()


def test_a_file_like_the_alexa_reviews(tmp_path: Path) -> None:
    path = written(
        tmp_path, "alexa.tsv", "\ufeffrating\tdate\tvariation\tverified_reviews\tfeedback",
        "5\t31-Jul-18\tBlack \tLove it!\t1", "5\t30-Jul-18\tWhite\tlove  it!\t1",
        "1\t31-Jul-18\tBlack\t\t0", "x\t31-Jul-18\tBlack\tWell\t0", "5\t1-Jul-18\tOak\tGood\t1",
    )  # fmt: skip
    source = Source(data=path)
    rows = loaded(source)
    assert [(r["text"], r["stars"], r["sentiment"], r["category"]) for r in rows] == [
        ("Love it!", 5, "positive", "Black"), ("Good", 5, "positive", "Oak"),
    ]  # fmt: skip
    assert source.left_out == {
        "the same text and rating as an earlier row": [2], "no text": [3],
        "no rating that can be read": [4],
    }  # fmt: skip
    assert "100% of the reviews have 5 stars" in source.notes


def test_marks_to_ten_become_stars_and_several_reviews_one_text(tmp_path: Path) -> None:
    path = written(
        tmp_path, "drugs.csv", "id,rating,condition,benefitsReview,sideEffectsReview",
        "1,10,flu,helped,none", "2,3,flu,did not help,nausea", "3,5,flu,some,some",
    )  # fmt: skip
    source = Source(data=path)
    rows = loaded(source)
    assert [r["stars"] for r in rows] == [5, 2, 3]
    assert rows[1]["text"] == "did not help\nsideEffectsReview: nausea"
    assert any("halved and rounded up" in note for note in source.notes)
    assert any("benefitsReview, sideEffectsReview" in note for note in source.notes)


def test_a_file_without_column_names_and_labels_0_and_1(tmp_path: Path) -> None:
    path = written(tmp_path, "sst.tsv", "a fine film\t1", "a dull film\t0", "fine , again\t1")
    source = Source(data=path)
    rows = loaded(source, stars=False)
    assert [(r["text"], r["sentiment"], r["stars"]) for r in rows] == [
        ("a fine film", "positive", 0), ("a dull film", "negative", 0),
        ("fine , again", "positive", 0),
    ]  # fmt: skip
    assert any("no column names" in note for note in source.notes)
    with pytest.raises(DataError, match="needs stars from 1 to 5"):
        loaded(Source(data=path))


@pytest.mark.parametrize("header", [["text,label"], []], ids=["header", "none"])
def test_the_encoding_is_used_while_a_header_is_looked_for(
    tmp_path: Path, header: list[str]
) -> None:
    lines = [*header, *(f"café number {n},{n % 5 + 1}" for n in range(10))]
    path = tmp_path / "latin.csv"
    path.write_bytes("\n".join(lines).encode("cp1252"))
    rows = loaded(Source(data=str(path), encoding="cp1252"))
    assert len(rows) == 10 and rows[0]["text"] == "café number 0"
    with pytest.raises(DataError, match="--encoding cp1252"):
        loaded(Source(data=str(path)))


def test_numbers_of_reviews_are_no_text(tmp_path: Path) -> None:
    lines = [f"{n * 3},nice tent number {n},{n % 5 + 1}" for n in range(30)]
    path = written(tmp_path, "a.csv", "number of reviews,comment,rating", *lines)
    assert loaded(Source(data=path))[1]["text"] == "nice tent number 1"


def test_sentiments_in_words(tmp_path: Path) -> None:
    path = written(tmp_path, "w.csv", "text,label", "good,Positive", "bad,negative", "so,neutral")
    assert [r["sentiment"] for r in loaded(Source(data=path), stars=False)] == [
        "positive", "negative", "neutral",
    ]  # fmt: skip


def test_ratings_of_no_known_scale_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "p.csv", "text,score", "good,87", "bad,12")
    with pytest.raises(DataError, match="from 12 to 87"):
        loaded(Source(data=path))
    path = written(tmp_path, "q.csv", "text,label", "good,yes", "bad,no")
    with pytest.raises(DataError, match="neither stars nor sentiments"):
        loaded(Source(data=path), stars=False)


def test_built_in_reviews_bring_stress_rows_beside_their_splits() -> None:
    from toolkit_review_augmentation.classifying import ReviewSentiment

    task = ReviewSentiment()
    task.options |= {"train_reviews": 60, "test_reviews": 120}
    found = prepare(task, Source())
    assert found.synthetic
    assert set(found.splits) == {"train", "validation", "calibration", "test", "challenge"}
    suites = found.splits["challenge"]["suite"][:]
    assert suites.count("sarcasm") == 20
    assert suites.count("text: clean") == suites.count("text: typos") == reviews.PERTURBED
    assert not any(found.splits["test"]["suite"])
