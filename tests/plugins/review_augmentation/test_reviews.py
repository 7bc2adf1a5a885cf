from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli_runner import write_csv
from toolkit import DataError, Source, UsageError
from toolkit.plugins import lookup
from toolkit.preparation.prepare import prepare
from toolkit_review_augmentation import examples, reviews
from toolkit_review_augmentation.reviews import Sizes
from workbooks import xlsx

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


def labels(folder: Path, values: Sequence[str], rows: int = 6) -> str:
    lines = [f'"review number {n} is {v}","{v}"' for n, v in enumerate([*values] * rows)]
    return written(folder, "labels.csv", "text,label", *lines)


def read_as(path: str, *, stars: bool, **options: str) -> list[Any]:
    """What each label is read as, in the order in which they come first."""
    rows = loaded(Source(data=path, **options), stars=stars)
    return [*dict.fromkeys(r["stars"] if stars else r["sentiment"] for r in rows)]


NEG, NEU, POS = "negative", "neutral", "positive"


@pytest.mark.parametrize(
    ("values", "sentiments"),
    [
        ("0 2 4", [NEG, NEU, POS]), ("0 1 2", [NEG, NEU, POS]), ("-1 0 1", [NEG, NEU, POS]),
        ("0 4", [NEG, POS]), ("-1 1", [NEG, POS]), ("1.0 0.0", [POS, NEG]),
        ("neg neu Pos", [NEG, NEU, POS]), ("very_negative extremely_positive", [NEG, POS]),
        ("0 1 2 3 4", [NEG, NEU, POS]), ("-2 -1 0 1 2", [NEG, NEU, POS]),
        ("1/5 3/5 8/10 100% ★☆☆☆☆", [NEG, NEU, POS]), ("20% 60% 80%", [NEG, NEU, POS]),
    ],
)  # fmt: skip
def test_scales_of_sentiment(tmp_path: Path, values: str, sentiments: list[str]) -> None:
    assert read_as(labels(tmp_path, values.split()), stars=False) == sentiments


@pytest.mark.parametrize(
    ("values", "stars"),
    [
        (["0", "1", "2", "3", "4"], [1, 2, 3, 4, 5]), (["-2", "0", "2"], [1, 3, 5]),
        ([f"{n}.0 out of 5 stars" for n in range(1, 6)], [1, 2, 3, 4, 5]),
        (["★☆☆☆☆", "★★★☆☆", "★★★★★"], [1, 3, 5]), (["4/5", "1/5"], [4, 1]),
        (["8/10", "9/10", "1/10", "3/10"], [4, 5, 1, 2]), (["80 %", "10 %", "100 %"], [4, 1, 5]),
        (["0/5", "5/5"], [1, 5]), (["4 stars", "1 star"], [4, 1]), (["4.5", "2.4"], [5, 2]),
    ],
)  # fmt: skip
def test_scales_of_stars(tmp_path: Path, values: list[str], stars: list[int]) -> None:
    assert read_as(labels(tmp_path, values), stars=True) == stars


def test_the_scale_is_said_with_counts(tmp_path: Path) -> None:
    source = Source(data=labels(tmp_path, ["0", "2", "4", "4"]))
    loaded(source, stars=False)
    assert (
        "the labels are read as 0 → negative 6, 2 → neutral 6, 4 → positive 12 (change it with "
        "--labels)"
    ) in source.notes


@pytest.mark.parametrize(
    ("values", "stars", "lines"),
    [
        ("1 2", False, ["1=negative,2=positive", "1=negative,2=negative"]),
        ("1 2", True, ["1=1,2=5", "1=1,2=2"]),
        ("1 2 3", False, ["1=negative,2=neutral,3=positive", "1=negative,2=negative,3=neutral"]),
        ("1 2 3 4", True, ["1=1,2=2,3=4,4=5", "1=1,2=2,3=3,4=4"]),
        ("0 2", False, ["0=negative,2=positive", "0=negative,2=neutral"]),
        ("0 1 2 3 4 5", True, ["0=", "0=1"]), ("0 5 10", False, ["0=", "0=1"]),
        ("0 2 4", True, ["0=1,2=3,4=5"]), ("0 1", True, ["0=1,1=5"]),
        ("-1 0 1", True, ["-1=1,0=3,1=5"]), ("negative positive", True, ["negative=1,positive=5"]),
        ("12 87", True, []), ("yes no", False, []), ("[2,5] [2] [7,5]", False, []),
    ],
)  # fmt: skip
def test_where_two_readings_are_possible_the_lines_to_type_are_shown(
    tmp_path: Path, values: str, stars: bool, lines: list[str]
) -> None:
    path = labels(tmp_path, values.split())
    with pytest.raises(DataError) as refused:
        loaded(Source(data=path), stars=stars)
    for line in lines:
        assert f"--labels '{line}'" in str(refused.value)
        assert read_as(path, stars=stars, labels=line), "the line that is shown works"


def test_labels_say_what_is_meant(tmp_path: Path) -> None:
    path = labels(tmp_path, ["0", "3", "7", "87"])
    options = {"labels": "0=negative,3=neutral,7=positive,87="}
    assert read_as(path, stars=False, **options) == [NEG, NEU, POS]
    assert read_as(path, stars=True, labels="0..100") == [1, 4]
    source = Source(data=path, **options)
    loaded(source, stars=False)
    assert {k: len(v) for k, v in source.left_out.items()} == {
        "a label that --labels leaves out": 6
    }
    for wrong, said in (("0=purple", "'purple' is no meaning"), ("9=positive", "no row has")):
        with pytest.raises(UsageError, match=said):
            loaded(Source(data=path, labels=wrong), stars=False)


def test_several_labels_a_row_are_refused(tmp_path: Path) -> None:
    rows = [f"{n},text number {n},{n % 2},{n % 3 // 2},{n % 5 // 4}" for n in range(30)]
    path = written(tmp_path, "toxic.csv", "id,comment_text,toxic,threat,insult", *rows)
    with pytest.raises(DataError, match=r"3 columns hold 0 and 1.*--target toxic"):
        loaded(Source(data=path), stars=False)
    assert loaded(Source(data=path, target="toxic"), stars=False)
    with pytest.raises(DataError, match="holds several labels"):
        loaded(Source(data=labels(tmp_path, ["[2, 5]", "[2]", "[7, 5]"])), stars=False)


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


# -- columns found by what they hold ------------------------------------------------------------
TEXTS = [f"the {'old new red'.split()[n % 3]} lamp number {n} was rather nice" for n in range(60)]


def table_of(folder: Path, **columns: Sequence[Any]) -> str:
    rows = zip(*columns.values(), strict=True)
    return written(folder, "t.csv", ",".join(columns), *(",".join(map(str, row)) for row in rows))


@pytest.mark.parametrize(
    ("name", "values", "first"),
    [
        ("Liked", (1, 0), "positive"), ("polarity", (-1, 0, 1), "negative"),
        ("urteil", ("4/5", "1/5", "3/5"), "positive"), ("q7", ("★★★★★", "★"), "positive"),
        ("airline_sentiment", ("neutral", "negative", "positive"), "neutral"),
    ],
)  # fmt: skip
def test_a_rating_is_known_by_its_values(
    tmp_path: Path, name: str, values: Sequence[Any], first: str
) -> None:
    column = [values[n % len(values)] for n in range(60)]
    path = table_of(tmp_path, nr=range(60), text=TEXTS, **{name: column}, town=["Ulm", "Bonn"] * 30)
    source = Source(data=path)
    assert loaded(source, stars=False)[0]["sentiment"] == first
    assert source.chosen["target"] == name
    assert "not used: columns 'nr', 'town' (--text adds columns)" in source.notes


def test_a_rating_is_not_known_by_its_name_alone(tmp_path: Path) -> None:
    """A score of another program stands under the name, and the rating under another one."""
    scores = [f"{(n % 17) / 17 - 0.5:.4f}" for n in range(60)]
    path = table_of(tmp_path, text=TEXTS, sentiment=scores, label=[0, 1] * 30)
    source = Source(data=path)
    assert loaded(source, stars=False)[1]["sentiment"] == "positive"
    assert source.chosen["target"] == "label"


def test_dates_of_reviews_are_no_part_of_the_text(tmp_path: Path) -> None:
    path = table_of(
        tmp_path, **{"date of the review": ["31 October 2018"] * 60, "text of the review": TEXTS},
        stars=[1, 5] * 30,
    )  # fmt: skip
    assert loaded(Source(data=path))[0]["text"] == TEXTS[0]


def test_where_several_columns_may_be_meant_a_line_is_given(tmp_path: Path) -> None:
    other = [f"we are sorry for the broken bag {n} and send another" for n in range(60)]
    path = table_of(tmp_path, ticket=TEXTS, resolution=other, rating=[1, 5] * 30)
    with pytest.raises(DataError, match="such as: --text resolution --target rating"):
        loaded(Source(data=path))
    assert len(loaded(Source(data=path, text=("ticket",), target="rating"))) == 60
    path = table_of(tmp_path, text=TEXTS, funny=[1, 3] * 30, useful=[2, 4, 1] * 20)
    with pytest.raises(DataError, match=r"\('funny' or 'useful'\?\).* --text text --target funny"):
        loaded(Source(data=path))


def test_the_sheet_is_used_while_a_header_is_looked_for(tmp_path: Path) -> None:
    rows = [["text", "label"], *([text, 1 + n % 5] for n, text in enumerate(TEXTS))]
    path = xlsx(tmp_path / "two.xlsx", {"one": rows, "other": rows[:30]})
    assert len(loaded(Source(data=str(path), sheet="other"))) == 29


def test_examples_keep_the_group_of_their_review(tmp_path: Path) -> None:
    path = table_of(tmp_path, text=TEXTS, rating=[1, 5] * 30, owner=["a", "b", "c"] * 20)
    made = examples.of_reviews(reviews.load(Source(data=path, group="owner"), SIZES))
    assert len({row["row_group"] for row in made}) == 3


@pytest.mark.parametrize("name", ["review-sentiment", "review-rating", "review-augmentation"])
def test_a_column_decides_on_the_groups_of_each_task(name: str, tmp_path: Path) -> None:
    rows = [
        {"review": f"it was fine in room {i}", "rating": i % 5 + 1, "guest": f"guest {i % 30}"}
        for i in range(120)
    ]
    write_csv(tmp_path / "reviews.csv", rows)
    task = lookup.find(name)()
    prepared = prepare(task, Source(data=str(tmp_path / "reviews.csv"), group="guest"))
    assert prepared.grouped_by == "guest"
    groups = {split: set(held.tolist()) for split, held in prepared.groups.items()}
    assert len(set().union(*groups.values())) == 30 == sum(map(len, groups.values()))
