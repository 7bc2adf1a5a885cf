"""The badge and its Markdown: every verdict in words and colour, and texts that stay texts."""

from __future__ import annotations

import copy
import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cli_runner import CommandLine
from hostile_run import PAYLOAD
from judging_fixtures import finish, make_run
from toolkit.errors import RunError, UsageError
from toolkit.evaluation.score import score
from toolkit.reporting import badge, context, report
from toolkit.runs import record
from toolkit.runs.files import write_json
from toolkit.runs.run import Run

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {f"{SVG}{name}" for name in ("svg", "title", "clipPath", "rect", "g", "text")}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run, task = make_run(tmp_path_factory.mktemp("badges"), synthetic=False)
    finish(run)
    write_json(run.path / "metrics.json", score(run, task))
    report.write(run, task)
    return run


@pytest.fixture
def doc(scored: Run) -> dict[str, Any]:
    found = json.loads((scored.path / "metrics.json").read_text("utf-8"))
    return dict(copy.deepcopy(found))


def texts(svg: str) -> list[str]:
    """The texts of a badge, its title first; it must be XML of the few elements that it needs."""
    found = ET.fromstring(svg)
    assert {element.tag for element in found.iter()} <= ELEMENTS
    names = {name for element in found.iter() for name in element.attrib}
    assert not [
        name for name in names if name.startswith("on") or "href" in name or name == "style"
    ]
    assert "url(#round)" in svg and svg.count("url(") == 1
    return [
        element.text or ""
        for element in found.iter()
        if element.tag in (f"{SVG}title", f"{SVG}text")
    ]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    "colour", [*badge.COLOURS.values(), badge.SYNTHETIC_COLOUR, badge.LABEL_COLOUR]
)
def test_white_words_can_be_read_on_each_colour(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("synthetic", [False, True])
@pytest.mark.parametrize(
    ("worth_it", "unfinished", "head"),
    [
        (True, None, "Worth it"),
        (False, None, "Not worth it"),
        (None, None, "Cannot tell"),
        (None, "Training ended after 10 % of its schedule.", "Cannot tell yet"),
    ],
)
def test_every_verdict(
    doc: dict[str, Any], worth_it: bool | None, unfinished: str | None, head: str, synthetic: bool
) -> None:
    doc["verdict"] |= {"worth_it": worth_it, "unfinished": unfinished}
    doc["synthetic"] = synthetic
    shown = badge.of(doc)
    title, task, message = texts(badge.svg(shown))
    wanted = f"{head} on SYNTHETIC data" if synthetic else head
    assert task == "fake-prices"
    assert title.startswith(f"{wanted}: ") and message.startswith(f"{wanted}: ")
    assert ("SYNTHETIC" in badge.markdown(shown)) == synthetic
    assert shown.colour == (badge.SYNTHETIC_COLOUR if synthetic else badge.COLOURS[worth_it])
    assert shown.colour in badge.svg(shown)


def test_the_figure_is_that_of_the_report(scored: Run, doc: dict[str, Any]) -> None:
    """The difference of the sentence's first rival, in the words of the verdict."""
    line = badge.of(doc).line
    against = doc["verdict"]["against"]
    entry = next(c for c in context.comparisons(doc, "mae") if c["b"] == against)
    size = entry["difference"].lstrip("+−")
    assert line.startswith(f"Worth it: {size} lower mean absolute error (")
    assert line.endswith(f") than {against}, {context.content(doc, {})['test_rows']}, fake-prices")
    assert size in doc["verdict"]["sentence"]


def with_rivals(doc: dict[str, Any], *figures: Any, better: bool = True) -> str:
    """The badge's figure with the given differences to the base model and a baseline."""
    metric = context.described(doc)
    metric |= {"greater_is_better": better, "label": "Accuracy", "unit": "", "format": ".3f"}
    doc["verdict"]["margin"] = 0.0
    found = []
    for name, (difference, low, high, p) in zip(("base", "ridge-log"), figures, strict=True):
        found.append(
            {
                "a": "adapter", "b": name, "metric": "mae",
                "difference": difference, "low": low, "high": high, "p": p,
            }
        )  # fmt: skip
    doc["comparisons"] = found
    return badge.of(doc).figure


BEATS, OPEN = (0.07, 0.05, 0.09, 0.001), (0.01, -0.02, 0.04, 0.4)
GAIN, LOSS = (0.2, 0.1, 0.3, 0.001), (-0.2, -0.3, -0.1, 0.001)
BEATEN, UNKNOWN = (-0.05, -0.07, -0.03, 0.001), (None, None, None, None)


@pytest.mark.parametrize(
    ("base", "baseline", "better", "figure"),
    [
        (GAIN, BEATS, True, "+0.070 accuracy (0.050 to 0.090) over ridge-log"),
        (BEATS, GAIN, True, "+0.070 accuracy (0.050 to 0.090) over the base model"),
        (BEATS, OPEN, True, "+0.010 accuracy (−0.020 to 0.040) against ridge-log"),
        (BEATEN, OPEN, True, "−0.050 accuracy (−0.070 to −0.030) against the base model"),
        (LOSS, BEATEN, False, "0.050 lower accuracy (0.030 to 0.070) than ridge-log"),
        (OPEN, GAIN, False, "0.200 higher accuracy (0.100 to 0.300) than ridge-log"),
        (BEATEN, OPEN, False, "+0.010 accuracy (−0.020 to 0.040) against ridge-log"),
        (BEATS, UNKNOWN, True, "no figure of accuracy against ridge-log"),
        (
            BEATS, (0.01, None, None, 0.4), True,
            "+0.010 accuracy (p = 0.40, no interval) against ridge-log",
        ),
        (BEATS, (0.01, None, None, None), True, "+0.010 accuracy (no interval) against ridge-log"),
    ],
)  # fmt: skip
def test_the_rival_that_stands_most_against_it(
    doc: dict[str, Any], base: Any, baseline: Any, better: bool, figure: str
) -> None:
    assert with_rivals(doc, base, baseline, better=better) == figure


def test_controls_decide_nothing(doc: dict[str, Any]) -> None:
    doc["systems"]["ridge-log"]["role"] = "control"
    assert "over the base model" in with_rivals(doc, BEATS, BEATEN)


def test_nothing_was_trained(doc: dict[str, Any]) -> None:
    del doc["systems"]["adapter"]
    shown = badge.of(doc)
    assert shown.line.startswith("Nothing was trained: ") and not shown.figure
    assert shown.colour == badge.COLOURS[None]
    assert texts(badge.svg(shown))[2] == "Nothing was trained"


HOSTILE = [
    PAYLOAD, "]]><script>alert(1)</script>", "a" * 10_000, "&amp;&#0;", "\x00\x1b[31m\ud800\ufffe",
    "\u202eti htrow toN", "](javascript:alert(1))", "|`*_~\n\n# x", "情感分析 é ✓", "",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_a_name_stays_a_text(doc: dict[str, Any], name: str) -> None:
    doc["task"], doc["synthetic"] = name, True
    context.described(doc)["label"] = name  # type: ignore[index]
    doc["systems"][f"x{name}"] = doc["systems"].pop("ridge-log")
    for entry in doc["comparisons"]:
        if entry["b"] == "ridge-log":
            entry["b"] = f"x{name}"
    shown = badge.of(doc)
    svg = badge.svg(shown)
    found = texts(svg)
    assert found[2].startswith("Worth it on SYNTHETIC data: ")
    assert not set("".join(found)) & set("\u202e\x00\x1b\ud800\ufffe")
    assert len(svg) < 3_000 and int(ET.fromstring(svg).attrib["width"]) < 1_500
    html = MarkdownIt("commonmark", {"html": True}).render(badge.markdown(shown))
    assert html.count("<img") == 1 and html.count("<a ") == 2 and html.count("<p>") == 2
    assert "<script" not in html and 'href="javascript' not in html


def test_a_text_is_as_wide_as_its_box(doc: dict[str, Any]) -> None:
    doc["task"] = "情感分析 wide"
    found = ET.fromstring(badge.svg(badge.of(doc)))
    boxes = [int(rect.attrib["width"]) for rect in found.iter(f"{SVG}rect")][1:]
    lengths = [int(text.attrib["textLength"]) for text in found.iter(f"{SVG}text")]
    assert [box - length for box, length in zip(boxes, lengths, strict=True)] == [20, 20]
    assert sum(boxes) == int(found.attrib["width"])


# -- addresses -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a?b=c&d#e", "https://example.org/a?b=c&d#e"),
        ("https://example.org/a b(c)<d>", "https://example.org/a%20b%28c%29%3Cd%3E"),
        ("../runs/report.html", "../runs/report.html"),
        ("https://example.org/\udcffé", "https://example.org/?%C3%A9"),
    ],
)
def test_an_address(url: str, link: str) -> None:
    assert badge.address(url) == link


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JAVASCRIPT:x", " data:text/html,x", "file:///etc", "http://[x"]
)
def test_an_address_that_no_page_should_link_to(url: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        badge.address(url)


# -- with the report, and by the command ----------------------------------------------------------
def test_the_report_writes_it_and_the_card_shows_it(scored: Run, doc: dict[str, Any]) -> None:
    shown = badge.of(doc)
    assert (scored.path / badge.FILE).read_text("utf-8") == badge.svg(shown)
    card = (scored.path / "README.md").read_text("utf-8")
    assert badge.markdown(shown).strip() in card
    assert f"]({badge.FILE})](report.html)" in card
    assert badge.FILE in record.PAGES


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def test_the_command(scored: Run, doc: dict[str, Any], cli: CommandLine, tmp_path: Path) -> None:
    place = scored.path / badge.FILE
    place.unlink()
    done = cli("report", scored.path, "--badge", "--url", "https://example.org/r")
    assert done.code == 0 and place.read_text("utf-8") == badge.svg(badge.of(doc))
    assert done.out.strip() == badge.markdown(badge.of(doc), url="https://example.org/r").strip()
    out = tmp_path / "sub" / "verdict.svg"
    done = cli("report", scored.path, "--badge", "--out", out, "--json")
    given = json.loads(done.out)
    assert given["badge"] == str(out) and out.read_text("utf-8") == place.read_text("utf-8")
    assert "](verdict.svg)](report.html)" in given["markdown"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--badge", "--url", "javascript:x"], "no address"),
        (["--badge", "--out", "badge.png"], ".svg"),
        (["--url", "https://example.org"], "--url goes with --badge"),
        (["--out", "x.svg"], "--out goes with --badge"),
        (["--badge", "--verify"], "--badge and --verify"),
    ],
)
def test_what_does_not_fit_is_refused(
    scored: Run, cli: CommandLine, options: list[str], words: str
) -> None:
    done = cli("report", scored.path, *options)
    assert done.code == 2 and words in done.err


def test_a_run_without_figures(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path)
    with pytest.raises(RunError, match="not scored"):
        badge.write(run)


def test_a_character_has_a_width() -> None:
    assert badge._pixels("") == 0 and badge._pixels("i") < badge._pixels("x") < badge._pixels("情")
    assert math.isclose(badge._pixels("e\u0301"), badge._pixels("e"))
