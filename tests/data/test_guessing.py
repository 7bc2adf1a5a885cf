"""Columns found by name and content, on small made-up tables in the shapes that people have."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from data_fixtures import write_csv
from toolkit.data import guessing, profiles
from toolkit.data.guessing import Wanted, named, ranked, ready_line, sure
from toolkit.data.load import find_text, read
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit_price_regression.load import load_inputs
from toolkit_price_regression.task import PriceRegression
from toolkit_summarization.claim_task import ClaimReport
from toolkit_summarization.task import Summarization

WORDS = "the old small tent lamp kettle was bright slow and quite sturdy on a rainy day".split()
ROWS = 120
DRAW = random.Random(0)


def said(words: int, at: int) -> str:
    return f"{' '.join(DRAW.choices(WORDS, k=words))} {at}"


def put(path: Path, columns: Mapping[str, Sequence[Any]]) -> str:
    return str(write_csv(path, list(columns), zip(*columns.values(), strict=True)))


def numbers(low: int, high: int, step: int = 1) -> list[int]:
    return [DRAW.randrange(low, high, step) for _ in range(ROWS)]


def of(*values: str) -> list[str]:
    return [values[at % len(values)] for at in range(ROWS)]


PRICES = [1_000 + 37 * at for at in range(ROWS)]
LINKS = [f"https://shop.example/i/{at}" for at in range(ROWS)]
HEXES = [f"{at * 7919 + 10**9:012x}" for at in range(ROWS)]
CARS = {
    "make": of("Fiat", "Opel"), "model": of("Uno", "Duo", "Tri"), "year": numbers(2005, 2022),
    "mileage": numbers(0, 200_000, 500), "fuel": of("petrol", "diesel"), "power": of("75", "90"),
}  # fmt: skip

TABLES: list[tuple[dict[str, Sequence[Any]], list[str], str]] = [
    ({**CARS, "price": PRICES}, list(CARS), "price"),
    ({"Price": PRICES, **CARS}, list(CARS), "Price"),
    (
        {"laptop_ID": range(1, ROWS + 1), "Company": of("A", "B"), "TypeName": of("Ultra", "Book"),
         "Ram": of("8GB", "16GB"), "Weight": of("1.3kg", "2kg"), "Price_euros": PRICES},
        ["Company", "TypeName", "Ram", "Weight"], "Price_euros",
    ),
    (
        {"": range(ROWS), "area_type": of("Built-up", "Plot"), "location": of("North", "South"),
         "size": of("2 BHK", "3 BHK", "4 BHK"), "total_sqft": numbers(500, 4_000),
         "bath": numbers(1, 5), "currency": of("INR"), "url": LINKS, "price": PRICES},
        ["area_type", "location", "size", "total_sqft", "bath"], "price",
    ),
    (
        {"uniq_id": HEXES, "title": [said(4, n) for n in range(ROWS)], "brand": of("Aa", "Bb", "C"),
         "storage": of("32 GB", "64 GB"), "image": [f"{n}.jpg" for n in range(ROWS)],
         "listed": [f"2021-03-{n % 28 + 1:02}" for n in range(ROWS)], "selling_price": PRICES,
         "mrp price": PRICES},
        ["title", "brand", "storage"], "selling_price",
    ),
    (
        {"text": [said(30, n) for n in range(ROWS)], "reviews count": numbers(1, 99),
         "price_range": of("low", "high"), "price": PRICES},
        ["reviews count", "text"], "price",
    ),
    ({"Marke": of("A", "B"), "Modell": of("x", "y", "z"), "Preis": PRICES}, ["Marke", "Modell"],
     "Preis"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "text", "target"), TABLES)
def test_tables_of_prices_work_at_the_first_try(
    tmp_path: Path, table: dict[str, Sequence[Any]], text: list[str], target: str
) -> None:
    source = Source(data=put(tmp_path / "a.csv", table))
    rows = PriceRegression().load_rows(source)
    assert source.chosen["text"] == text and source.chosen["target"] == target
    assert len(rows) == ROWS
    left = [name for name in table if name and name not in (*text, target)]
    assert all(repr(name) in "\n".join(source.notes) for name in left), "what is left out is said"


def test_a_table_of_fields_is_written_with_their_names(tmp_path: Path) -> None:
    source = Source(data=put(tmp_path / "a.csv", {**CARS, "price": PRICES}))
    row = PriceRegression().load_rows(source)[0]
    assert row["text"].splitlines()[:2] == ["Fiat", "model: Uno"]


def test_a_table_of_many_fields_begins_with_a_word_and_ends_before_it_is_too_long(
    tmp_path: Path,
) -> None:
    fields = {f"measure number {at}": numbers(1, 99) for at in range(40)}
    source = Source(data=put(tmp_path / "a.csv", {**fields, "make": CARS["make"], "price": PRICES}))
    row = PriceRegression().load_rows(source)[0]
    first, *others = row["text"].splitlines()
    assert first == "Fiat" and others[0].startswith("measure number 0: ")
    assert 500 < len(row["text"]) < 700
    assert "'measure number 35'" in source.notes[-1], "what does not fit is said"


def test_few_prices_are_prices_all_the_same(tmp_path: Path) -> None:
    table = {"plan": [said(3, n) for n in range(ROWS)], "price": of("9.99", "19.99", "29")}
    assert len(PriceRegression().load_rows(Source(data=put(tmp_path / "a.csv", table)))) == ROWS


@pytest.mark.parametrize(
    "table",
    [
        {**CARS, "worth": PRICES},
        {**CARS, "price_range": of("0", "1", "2", "3")},
        {"policy": HEXES, "incident": of("Parked Car"), "claim": numbers(1, 99), "sum": PRICES},
    ],
    ids=["no name", "classes of prices", "claims"],
)
def test_what_is_not_sure_is_refused_with_a_line_that_works(
    tmp_path: Path, table: dict[str, Sequence[Any]]
) -> None:
    path = put(tmp_path / "a.csv", table)
    with pytest.raises(DataError, match="cannot tell which column holds the target") as refused:
        PriceRegression().load_rows(Source(data=path))
    assert accepted(str(refused.value), path, PriceRegression)


def accepted(message: str, path: str, task: type) -> bool:
    """Whether the options that a message suggests are taken."""
    options = re.search(r"--text ('[^']*'|\S+) --target ('[^']*'|[^\s;,)]+)", message)
    assert options is not None, message
    typed = shlex.split(options[0])
    given = dict(zip(typed[::2], typed[1::2], strict=True))
    source = Source(data=path, text=tuple(given["--text"].split(",")), target=given["--target"])
    return len(task().load_rows(source)) > 0


# -- texts and their targets ------------------------------------------------------------------
ARTICLES = [said(60, n) for n in range(ROWS)]
SUMMARIES = [" ".join(text.split()[:9]) + f" {n}" for n, text in enumerate(ARTICLES)]


def summarized(folder: Path, table: Mapping[str, Sequence[Any]]) -> Source:
    source = Source(data=put(folder / "a.csv", table))
    Summarization().load_rows(source)
    return source


def taken(source: Source) -> tuple[str, str]:
    return source.chosen["text"]["columns"][0], source.chosen["target"]


def test_a_name_alone_does_not_make_a_text(tmp_path: Path) -> None:
    table = {
        "source": of("CBS Sports", "Daily A", "Post"),
        "title": [said(5, n) for n in range(ROWS)],
        "content": ARTICLES,
        "summary": SUMMARIES,
    }
    source = summarized(tmp_path, table)
    assert taken(source) == ("content", "summary")
    said_of_it = "\n".join(source.notes)
    assert "the text is column 'content' (second choice 'source'; choose" in said_of_it
    assert "not used: columns 'source', 'title'" in said_of_it


def test_content_decides_where_names_say_nothing(tmp_path: Path) -> None:
    table = {"nr": range(ROWS), "Langtext": ARTICLES, "summary": SUMMARIES}
    assert taken(summarized(tmp_path, table)) == ("Langtext", "summary")


@pytest.mark.parametrize("task", [ClaimReport, Summarization])
def test_numbers_and_classes_are_no_texts(tmp_path: Path, task: type) -> None:
    table = {"policy_number": HEXES, "incident_type": of("Parked Car", "Theft"),
             "injury_claim": numbers(1, 9_000), "summary": of("YES", "NO", "?")}  # fmt: skip
    path = put(tmp_path / "a.csv", {**table, "police_report_available": of("YES", "NO", "?")})
    with pytest.raises(DataError, match="no column holds what a target could be") as refused:
        task().load_rows(Source(data=path))
    assert "'summary' (3 values such as" in str(refused.value)
    assert accepted(str(refused.value), path, task)


def test_one_column_is_never_text_and_target(tmp_path: Path) -> None:
    for name in ("text summary", "dialogue report"):
        path = put(tmp_path / "a.csv", {name: ARTICLES})
        for task in (Summarization(), ClaimReport()):
            with pytest.raises(DataError, match=f"the file has one column, '{name}'"):
                task.load_rows(Source(data=path))
    path = put(tmp_path / "b.csv", {"summary text": ARTICLES, "nr": range(ROWS)})
    with pytest.raises(DataError, match="cannot tell which column holds the target"):
        Summarization().load_rows(Source(data=path))


def test_a_header_that_holds_other_separators_is_refused(tmp_path: Path) -> None:
    lines = [f'"{n},{text},{text[:20]}";;' for n, text in enumerate(ARTICLES)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["id,dialogue,summary;;", *lines]) + "\n")
    with pytest.raises(DataError, match="its name holds commas"):
        Summarization().load_rows(Source(data=str(path)))
    table = {"article, in full": ARTICLES, "summary": SUMMARIES}
    assert taken(summarized(tmp_path, table)) == ("article, in full", "summary")


def test_a_copy_is_not_trained_on(tmp_path: Path) -> None:
    copies = put(
        tmp_path / "a.csv", {"article": ARTICLES, "summary": [t.upper() for t in ARTICLES]}
    )
    for source in (Source(data=copies), Source(data=copies, text=("article",), target="summary")):
        with pytest.raises(DataError, match=r"is a copy of the text .* in 100% of"):
            Summarization().load_rows(source)
    with pytest.raises(DataError, match="cannot be part of --text as well"):
        Summarization().load_rows(Source(data=copies, text=("article",), target="article"))
    some = [ARTICLES[n] if n % 10 == 0 else SUMMARIES[n] for n in range(ROWS)]
    notes = summarized(tmp_path, {"article": ARTICLES, "summary": some}).notes
    assert any("a copy of the text in 10% of 120 rows" in note for note in notes)


def test_equal_columns_are_said(tmp_path: Path) -> None:
    table = {"article": ARTICLES, "summary": SUMMARIES, "body": ARTICLES}
    source = summarized(tmp_path, table)
    assert taken(source) == ("article", "summary")
    assert "column 'article' holds the same as 'body'" in source.notes
    twice = {**CARS, "kW": CARS["power"], "price": PRICES}
    source = Source(data=put(tmp_path / "b.csv", twice))
    PriceRegression().load_rows(source)
    assert "left out, as others hold the same: 'kW'" in source.notes


def test_targets_longer_than_their_texts_are_said(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", {"article": SUMMARIES, "summary": ARTICLES})
    source = Source(data=path)
    Summarization().load_rows(source)
    assert any("longer than the text ('article') in 100%" in note for note in source.notes)
    notes = summarized(tmp_path, {"article": ARTICLES, "summary": SUMMARIES}).notes
    assert not any("longer" in note for note in notes)


# -- scores -----------------------------------------------------------------------------------
def test_names_count_by_how_much_of_them_is_known() -> None:
    guesses = ("price", "cost")
    order = ["Price", "cost", "price usd", "price per night of stay", "total cost", "surprise"]
    scores = [named(name, guesses) for name in order]
    assert scores == sorted(scores, reverse=True) and scores[-1] == 0 < scores[-2]


def test_a_text_is_found_by_find_text_too(tmp_path: Path) -> None:
    """What tasks of others call."""
    path = put(tmp_path / "a.csv", {"text id": numbers(1, 9_999), "body": ARTICLES})
    source = Source(data=path)
    assert find_text(source, read(path, source), ("text", "body")).columns == ("body",)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["", None], "empty"), (["x"] * 3, "only 'x'"), (LINKS, "addresses"), (HEXES, "codes"),
        (["2021-03-04", "4.5.2020"], "dates"), (["1", "2.5", "1,000"], "numbers"),
        (["a", "b"] * 20, "2 values such as 'a', 'b'"), (ARTICLES, "texts of about 61 words"),
    ],
)  # fmt: skip
def test_profiles_say_what_a_column_holds(values: list[Any], sentence: str) -> None:
    shown = ["" if value is None else value for value in values]
    assert profiles.profile("x", shown).sentence() == sentence


def test_nothing_is_sure_where_two_columns_fit_alike(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", {"a": ARTICLES, "b": ARTICLES[::-1]})
    found = profiles.profiles(read(path, Source()), ["a", "b"])
    assert not sure(ranked(found, Wanted("text", ("text",), guessing.prose)))
    assert sure(ranked(found, Wanted("text", ("text",), guessing.prose), {"a"}))


def test_a_ready_line_can_be_typed() -> None:
    assert (
        ready_line(["brand", "price, net"], "it's")
        == "--text '{brand} {price, net}' --target 'it'\"'\"'s'"
    )


# -- what is not named, or named otherwise ------------------------------------------------------
@pytest.mark.parametrize(
    "values",
    [
        ["20141013T000000", "20150409T000000"], ["31 October, 2018", "1 November, 2018"],
        ["03 Aug 2017,Thursday", "29 Jul 2017,Saturday"], ["2/24/2015 11:35", "1/3/2015 9:05"],
        ["March 3rd, 2021", "May 12, 2020"], ["Mon, 3 May 2021 10:00", "2021-05-03T10:00:00Z"],
    ],
)  # fmt: skip
def test_dates_are_known_however_they_are_written(values: list[str]) -> None:
    found = profiles.profile("when", values * 10)
    assert found.dates == 1 and not found.written


def test_what_is_no_date() -> None:
    for value in ("20141013", "Seat Duo 2018", "Nokia 3310 2000", "in May 2020 we moved", "may be"):
        assert profiles.profile("x", [value]).dates == 0, value


def test_a_name_with_a_number_is_the_name(tmp_path: Path) -> None:
    table = {"dialogue1": ARTICLES, "summary1": SUMMARIES, "summary2": SUMMARIES[::-1]}
    source = summarized(tmp_path, table)
    assert taken(source) == ("dialogue1", "summary1")
    assert any("second choice 'summary2'" in note for note in source.notes)


def test_classes_beside_one_text_are_no_text(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", {"category": of("sport", "tech", "art"), "text": ARTICLES})
    with pytest.raises(DataError, match="'category' are for a task of classes") as refused:
        Summarization().load_rows(Source(data=path))
    assert f"toolkit init {path} writes one" in str(refused.value)


def test_a_line_is_suggested_for_each_way_round(tmp_path: Path) -> None:
    table = {"headlines": [said(8, n) for n in range(ROWS)], "text": ARTICLES,
             "ctext": [said(300, n) for n in range(ROWS)]}  # fmt: skip
    path = put(tmp_path / "a.csv", table)
    with pytest.raises(DataError) as refused:
        Summarization().load_rows(Source(data=path))
    assert "such as: --text text --target headlines, or: --text ctext --target text;" in str(
        refused.value
    )


@pytest.mark.parametrize("columns", [[of("ham", "spam"), ARTICLES], [ARTICLES, of("ham", "spam")]])
def test_a_file_without_column_names_is_refused_with_numbers(
    tmp_path: Path, columns: list[list[str]]
) -> None:
    """The first row would be lost as a header."""
    path = tmp_path / "a.csv"
    rows = [",".join(row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match="seems to have no column names") as refused:
        Summarization().load_rows(Source(data=str(path)))
    at = str(1 + columns.index(ARTICLES))
    assert f"--text {at} --target {3 - int(at)}" in str(refused.value)


def test_numbers_and_long_questions_can_be_names_of_columns() -> None:
    names = {
        "0": ARTICLES,
        "1": [str(n) for n in range(ROWS)],
        "How satisfied were you with the service of our staff, from 1 to 5?": of("4", "5"),
    }
    found = {name: profiles.profile(name, values) for name, values in names.items()}
    assert not guessing.without_names(found)
    assert guessing.without_names({"102": profiles.profile("102", ["103", "107", "112"])})


# -- texts of tables ----------------------------------------------------------------------------
def loaded_text(folder: Path, table: Mapping[str, Sequence[Any]]) -> tuple[str, Source]:
    source = Source(data=put(folder / "a.csv", table))
    return PriceRegression().load_rows(source)[0]["text"], source


def test_a_long_name_of_a_thing_comes_first(tmp_path: Path) -> None:
    names = [f"TOYOTA Corolla 2.0 D4D HATCHB TERRA 2/3-Doors no. {n}" for n in range(ROWS)]
    table = {"Model": names, "Weight": numbers(900, 1200), "Color": of("blue", "red")}
    text, _ = loaded_text(tmp_path, {**table, "Price": PRICES})
    assert text.startswith(names[0] + "\nColor: blue\nWeight: ")


def test_a_description_is_found_by_its_length_beside_a_title(tmp_path: Path) -> None:
    table = {"Title": [said(6, n) for n in range(ROWS)], "Feature": ARTICLES,
             "Title (original)": [said(7, n) for n in range(ROWS)], "price": PRICES}  # fmt: skip
    text, source = loaded_text(tmp_path, table)
    assert text.splitlines()[0] == table["Title"][0] and text.splitlines()[-1] == ARTICLES[0]
    assert "rows with the same 'Feature' stay in one split" in "\n".join(source.notes)


def test_a_table_of_numbers_is_written_with_all_its_names(tmp_path: Path) -> None:
    table = {"date": [f"2014{n % 12 + 1:02}13T000000" for n in range(ROWS)],
             "bedrooms": numbers(1, 6), "sqft_living": numbers(400, 4_000)}  # fmt: skip
    text, source = loaded_text(tmp_path, {**table, "price": PRICES})
    first, second = table["bedrooms"][0], table["sqft_living"][0]
    assert text == f"bedrooms: {first}\nsqft living: {second}"
    given = put(tmp_path / "b.csv", table)
    again = load_inputs(Source(data=given), source.chosen)
    assert again[0]["text"] == text
    former = {name: value for name, value in source.chosen.items() if name != "labelled"}
    assert load_inputs(Source(data=given), former)[0]["text"].startswith(f"{first}\n")
