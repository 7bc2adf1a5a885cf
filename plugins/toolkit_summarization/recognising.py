"""Whether a file looks like long texts with summaries, or like records with reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolkit.data import Profile, Wanted, columns, guessing

ARTICLES = ("article", "document", "dialogue", "dialog", "story", "transcript", "content", "body",
            "text", "source")  # fmt: skip
SUMMARIES = ("summary", "summaries", "highlights", "abstract", "tldr", "headline", "headlines",
             "section text", "target")  # fmt: skip
PLAIN = ("target", "headline", "headlines")
"""Names of targets that do not say that they are summaries."""
RECORDS = ("claim", "mr", "meaning representation", "fields", "facts", "record", "notes")
REPORTS = ("report", "ref", "reference", "text target", "description")
LONG, SHORTER, MUCH_SHORTER = 25, 0.7, 0.4
"""Words of a text from which on it is worth summarizing; the most that a summary has of them, and
one that is not called a summary."""


def of_summaries(found: Mapping[str, Profile]) -> float:
    """How surely the file holds texts and their summaries: called so, long, and shorter."""
    pair = _pair(found, ARTICLES, SUMMARIES)
    if pair is None:
        return 0.0
    text, target = pair
    if text.words < LONG or target.words > SHORTER * text.words or target.words < 2:
        return 0.0
    if columns.plain(target.name) not in PLAIN:
        return 0.9
    return 0.7 if text.words >= 2 * LONG and target.words <= MUCH_SHORTER * text.words else 0.5


def of_reports(found: Mapping[str, Profile]) -> float:
    """How surely the file holds records and the reports on them."""
    pair = _pair(found, RECORDS, REPORTS)
    return 0.0 if pair is None or pair[1].words < 4 else 0.9


def _pair(
    found: Mapping[str, Profile], texts: Sequence[str], targets: Sequence[str]
) -> tuple[Profile, Profile] | None:
    """The columns that are called like a text and its target, and hold prose."""
    target = _named(found, Wanted("target", targets, guessing.prose), ())
    if target is None:
        return None
    text = _named(found, Wanted("text", texts, guessing.some_text), (target.name,))
    return None if text is None else (text, target)


def _named(found: Mapping[str, Profile], wanted: Wanted, excluded: Sequence[str]) -> Profile | None:
    named = [scored for scored in guessing.ranked(found, wanted, excluded) if scored.name]
    return found[named[0].column] if named and named[0].fit >= guessing.POOR else None
