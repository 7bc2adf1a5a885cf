"""The verdict to show elsewhere: a badge and a few lines of Markdown, from ``metrics.json`` alone.

Both say what the report's headline says, with the difference to the system that the verdict's
sentence names first. Where the rows are generated, both say so beside the verdict.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from toolkit import formatting
from toolkit.errors import RunError, UsageError
from toolkit.evaluation import verdict_sentence
from toolkit.evaluation.standing import Rival, judged
from toolkit.evaluation.verdict import BASELINES
from toolkit.metrics.metric import Metric
from toolkit.metrics.target import Document
from toolkit.reporting import context
from toolkit.reporting.render import Markdown, render
from toolkit.runs import lock, record
from toolkit.runs.files import read_json, write_text
from toolkit.runs.run import Run
from toolkit.system import secrets

FILE: Final = "badge.svg"
REPORT: Final = "report.html"
"""Where a link goes without another address: the page beside the badge."""

LABEL_COLOUR: Final = "#24292f"
COLOURS: Final = {True: "#1a7f37", False: "#b42318", None: "#57606a"}
"""The verdict → the colour behind white words; each has a contrast of 4.5 or more (WCAG AA)."""
SYNTHETIC_COLOUR: Final = "#7a4d00"
"""Generated rows have a colour of their own, so that nobody takes green for a real gain."""

LONGEST_TASK, LONGEST_MESSAGE, LONGEST_LINE = 40, 110, 400
_WIDTH, _GAP = 6.6, 10
"""Pixels of a middling character at 11 pixels, and beside a text. ``textLength`` does the rest."""
_NARROW, _BROAD = frozenset("ijlftrI.,:;'|!()[] "), frozenset("mwMW%@—")


@dataclass(frozen=True)
class Badge:
    """What a badge says.

    Args:
        task: the task's name.
        worth_it: the verdict.
        head: the verdict in words, with "on SYNTHETIC data" where the rows are generated.
        figure: the difference that stands most against the trained model; empty without any.
        rows: the number of test rows, in words.
        synthetic: whether the rows are generated.
    """

    task: str
    worth_it: bool | None
    head: str
    figure: str
    rows: str
    synthetic: bool

    @property
    def line(self) -> str:
        """``Worth it: +0.070 accuracy (0.050 to 0.090) over tfidf, 1,821 test rows, sst2``."""
        shown = ", ".join(filter(None, (self.figure, self.rows, self.task)))
        return formatting.clipped(f"{self.head}: {shown}", LONGEST_LINE)

    @property
    def colour(self) -> str:
        """The colour behind the verdict's words."""
        return SYNTHETIC_COLOUR if self.synthetic else COLOURS[self.worth_it]


def of(doc: Document) -> Badge:
    """What the badge of a run says.

    Args:
        doc: ``metrics.json``.
    """
    where = " on SYNTHETIC data" if doc["synthetic"] else ""
    return Badge(
        task=_plain(str(doc["task"])),
        worth_it=doc["verdict"]["worth_it"] if context.trained(doc) else None,
        head=context.head(doc) + where,
        figure=_plain(_figure(doc)),
        rows=formatting.grouped_rows(doc["n"], doc.get("groups"), "test row"),
        synthetic=bool(doc["synthetic"]),
    )


def svg(badge: Badge) -> str:
    """The badge as an SVG file that needs nothing else: no font, no script, no network."""
    task = formatting.clipped(badge.task, LONGEST_TASK)
    message = badge.head + (f": {badge.figure}" if badge.figure else "")
    message = formatting.clipped(message, LONGEST_MESSAGE)
    left, right = _pixels(task), _pixels(message)
    return secrets.redacted(
        render(
            "badge.svg.j2",
            {
                "title": badge.line,
                "task": task, "message": message, "colour": badge.colour,
                "label_colour": LABEL_COLOUR, "left": left, "right": right, "gap": _GAP,
                "full": left + right + 4 * _GAP,
            },
        )
    )  # fmt: skip


def markdown(badge: Badge, *, image: str = FILE, url: str | None = None) -> str:
    """The badge and its line as Markdown, with links to the report.

    Args:
        badge: what it says.
        image: where the SVG file stands.
        url: where the report stands; by default beside the Markdown.

    Raises:
        UsageError: an address is none that a page should link to.
    """
    return secrets.redacted(render("badge.md.j2", {"badge": content(badge, image, url)}))


def content(badge: Badge, image: str = FILE, url: str | None = None) -> Mapping[str, Any]:
    """What the template of the Markdown shows, as ``badge``; arguments as of :func:`markdown`."""
    return {
        "head": badge.head,
        "rest": badge.line.removeprefix(f"{badge.head}: "),
        "line": badge.line,
        "image": address(image),
        "url": address(url or REPORT),
    }


def write(run: Run, out: Path | None = None, url: str | None = None) -> tuple[Path, str]:
    """Write the badge of a scored run.

    Args:
        run: the run; only its ``metrics.json`` is read.
        out: the SVG file; by default ``badge.svg`` in the run directory.
        url: where the report stands, for the Markdown.

    Returns:
        the path of the SVG file, and the Markdown that shows it.

    Raises:
        RunError: the run is not scored yet.
        UsageError: an address is none that a page should link to, or the file is no ``.svg``.
    """
    if out is not None and out.suffix.lower() != ".svg":
        raise UsageError(f"--out {str(out)!r}: a badge is an SVG file, so its name ends in .svg")
    if not run.done("score"):
        raise RunError(f"run {run.id} is not scored yet; go on with: toolkit resume {run.path}")
    image = FILE if out is None else out.name if out.is_absolute() else out.as_posix()
    badge = of(read_json(run.path / "metrics.json"))
    text = markdown(badge, image=image, url=url)
    if out is not None:
        write_text(out, svg(badge))
        return out, text
    with lock.held(run.path):
        run.info = run.reread()
        write_text(run.path / FILE, svg(badge))
        record.rewrote(run, [FILE])
    return run.path / FILE, text


def address(url: str) -> Markdown:
    """An address inside a link of Markdown: http, https, or a path beside the page.

    Raises:
        UsageError: it is of another kind, such as ``javascript:``.
    """
    shown = formatting.clipped(url, 80)
    try:
        scheme = urlsplit(url.strip()).scheme
    except ValueError as error:
        raise UsageError(f"{shown!r} is no address: {error}") from error
    if scheme not in ("", "http", "https"):
        raise UsageError(
            f"{shown!r} is no address of a page: it must begin with http:// or https://"
        )
    return Markdown(quote(url.strip(), safe="/:?#[]@!$&'*+,;=%~-._", errors="replace"))


# -- the figure ------------------------------------------------------------------------------------
def _figure(doc: Document) -> str:
    """The difference to the rival that stands most against the trained model, in a few words."""
    if not context.trained(doc):
        return ""
    described = context.described(doc)
    metric = Metric(
        described["name"], lambda prediction, reference: None, label=described["label"],
        unit=described["unit"], format=described["format"],
        greater_is_better=described["greater_is_better"],
    )  # fmt: skip
    rivals = [rival for e in doc["comparisons"] if (rival := _rival(doc, e)) is not None]
    shown = verdict_sentence.named(judged(metric, rivals, doc["verdict"]["margin"]))
    return verdict_sentence.brief(metric, shown[0]) if shown else ""


def _rival(doc: Document, entry: Mapping[str, Any]) -> Rival | None:
    """The rival of a comparison in ``metrics.json``; ``None`` for what decides nothing."""
    name, metric = entry["b"], doc["primary_metric"]
    system = doc["systems"].get(name)
    if system is None or entry["metric"] != metric or entry["a"] != context.trained(doc):
        return None
    value = system["metrics"][metric]["value"]
    if system["role"] not in (*BASELINES, "base") or value is None:
        return None
    rows = min(system["n"], doc["systems"][entry["a"]]["n"])
    return Rival(name, value, context.comparison(entry), rows, baseline=system["role"] in BASELINES)


# -- texts -----------------------------------------------------------------------------------------
def _plain(text: str) -> str:
    """A text on one line, without what XML forbids and what turns the direction of writing."""
    kept = (
        c
        for c in re.sub(r"[^\S\xa0]+", " ", text)
        if c in "\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cn", "Cs")
    )
    return "".join(kept).strip()


def _pixels(text: str) -> int:
    """About how wide a text is in a sans-serif at 11 pixels; it is then set to that width."""
    return math.ceil(sum(map(_character, text)))


def _character(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 11.0
    return _WIDTH * (0.6 if character in _NARROW else 1.4 if character in _BROAD else 1.0)
