"""The gate's result for other programs: Markdown for a pull request, JUnit XML for a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import MissingExtra, WriteError
from toolkit.runs import write_text

if TYPE_CHECKING:
    from toolkit_gate.judging import Result

MARKS = {"no worse": "✅", "worse": "❌", "open": "❌", "incomparable": "⚠️"}
SUITE = "toolkit gate"


def write_markdown(place: Path, result: Result) -> None:
    """Write a summary: the answer, and a table of all metrics.

    Raises:
        WriteError: it cannot be written.
    """
    write_text(place, markdown(result))


def markdown(result: Result) -> str:
    """The summary as Markdown."""
    lines = [
        f"### {MARKS[result.outcome]} {_escaped(result.task)}: {result.outcome}",
        "",
        f"{_escaped(result.sentence)}.",
        "",
    ]
    if result.figures:
        lines += ["| metric | new | old | difference (95 %) |", "|---|---:|---:|---:|"]
        lines += [
            f"| {_escaped(one.label)}{' (decides)' if one.name == result.metric else ''} "
            f"| {_escaped(one.new)} | {_escaped(one.old)} | {_escaped(one.difference or '–')} |"
            for one in result.figures
        ]
        lines.append("")
    lines.append(f"New: run `{result.new}`. Old: run `{result.old}`.")
    if any(result.unshared):
        lines.append(
            f"Test rows that only one of them has, and which are not compared: "
            f"{result.unshared[0]:,} of the new run, {result.unshared[1]:,} of the old one."
        )
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """A text that is no Markdown: names of tasks and metrics are somebody's data."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def write_junit(place: Path, result: Result) -> None:
    """Write a test suite of one case, which fails where the new model may be worse.

    Raises:
        MissingExtra: ``junitparser`` is not installed.
        WriteError: it cannot be written.
    """
    try:
        from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite
    except ImportError as error:
        raise MissingExtra("--junit", "gate") from error
    case = TestCase(f"{result.metric} is no worse", classname=result.task)
    if result.code == 1:
        case.result = [Failure(result.sentence, result.outcome)]
    elif result.code:
        case.result = [Error(result.sentence, result.outcome)]
    case.system_out = result.sentence
    suite = TestSuite(SUITE)
    suite.add_testcase(case)
    for name, value in (("new", result.new), ("old", result.old), ("rows", result.rows),
                        ("margin", result.margin)):  # fmt: skip
        suite.add_property(name, str(value))
    document = JUnitXml()
    document.add_testsuite(suite)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        document.write(str(place), pretty=True)
    except OSError as error:
        raise WriteError(f"cannot write {place}: {error.strerror or error}") from error
