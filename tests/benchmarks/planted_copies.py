"""How many planted copies of training rows are found in a test set, and how many innocent rows.

    python tests/benchmarks/planted_copies.py [--rows 2000] [--meaning] [--file NAME=FILE:COLUMN] …

Of each data set three quarters are the training rows and the rest is innocent: no text of it stands
in the training rows, as all texts differ in their words. To the innocent rows copies of training
rows are added, of one kind and strength at a time (``tests/rewording.py``), and looked for.
Without files these are the rows of the built-in tasks. ``--meaning`` compares sentence embeddings
too, which takes minutes. ``--pairs NAME=FILE:KEY:COLUMN`` plants what another person wrote about
the same thing: rows with the same key. Prints a table in Markdown. Not part of the tests.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from rewording import STRENGTHS, decomposed, restyled, reworded, wide
from toolkit.data import load
from toolkit.data.normalization import word_key
from toolkit.data.source import Source
from toolkit.plugins import lookup
from toolkit.preparation.contamination import ALARMS, Contamination, contamination
from toolkit.preparation.examined import text_of

TASKS = (
    "price-regression", "review-sentiment", "question-answering", "summarization", "claim-report",
)  # fmt: skip
PLANTED = 100
CHANGES: dict[str, Callable[[str], str]] = {
    "exact": lambda text: text,
    "case, blanks, signs": restyled,
    "NFD": decomposed,
    "full width": wide,
    **{strength: lambda text, s=strength: reworded(text, s) for strength in STRENGTHS},
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=2_000, help="the most rows of each set")
    options.add_argument("--meaning", action="store_true", help="compare embeddings too")
    options.add_argument("--alarms", type=float, default=ALARMS, help="as of contamination()")
    options.add_argument("--file", action="append", default=[], metavar="NAME=FILE:COLUMN")
    options.add_argument("--pairs", action="append", default=[], metavar="NAME=FILE:KEY:COLUMN")
    given = options.parse_args()
    encode = _remembering_encoder() if given.meaning else None
    kinds = [*CHANGES, "another author"]
    print("| data | rows | " + " | ".join(kinds) + " | innocent | thresholds |")
    print("|---|---:|" + "---:|" * (len(kinds) + 1) + "---|")
    sets = [(name, lambda n=name: _of_task(n), None) for name in TASKS]
    if given.file or given.pairs:
        sets = [(name, lambda f=rest: _of_file(f), None) for name, rest in _named(given.file)]
        sets += [(n, None, lambda f=rest: _of_pairs(f)) for n, rest in _named(given.pairs)]
    for name, texts, pairs in sets:
        print(_line(name, given, encode, texts, pairs), flush=True)


def _named(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, rest) for name, _, rest in (value.partition("=") for value in values)]


def _line(name: str, given: Any, encode: Any, texts: Any, pairs: Any) -> str:
    """A line of the table: the share that is found of each kind, and of innocent rows."""
    others: dict[str, str] = pairs() if pairs else {}
    every = _different(others if pairs else texts())[: given.rows]
    cut = len(every) * 3 // 4
    train, innocent = every[:cut], every[cut:]
    step = max(1, cut // PLANTED)
    chosen = train[::step][:PLANTED]
    options = {"encode": encode, "alarms": given.alarms}
    cells, alarms, found = [], [], None
    for change in CHANGES.values():
        planted = [(text, change(text)) for text in chosen]
        # What rewording leaves as it is shows nothing; nor do accents that a text does not have.
        planted = [(a, b) for a, b in planted if a != b or change is CHANGES["exact"]]
        if change in list(CHANGES.values())[4:]:
            planted = [(a, b) for a, b in planted if word_key(a) != word_key(b)]
        if not planted or pairs:
            cells.append("–")
            continue
        found = contamination(train, [*innocent, *(b for _, b in planted)], **options)
        cells.append(_share(found, len(innocent), len(planted)))
        alarms.append(_alarms(found, len(innocent)))
    if pairs:
        second = [others[text] for text in chosen]
        found = contamination(train, [*innocent, *second], **options)
        cells.append(_share(found, len(innocent), len(second)))
        alarms.append(_alarms(found, len(innocent)))
    else:
        cells.append("–")
    assert found is not None
    limits = ", ".join(f"{m.threshold:.2f}" for m in found.measures)
    return (
        f"| {name} | {len(train):,} + {len(innocent):,} | {' | '.join(cells)} | "
        f"{np.mean(alarms):.1%} | {limits} |"
    )


def _share(found: Contamination, innocent: int, planted: int) -> str:
    return f"{sum(copy.test_row >= innocent for copy in found.copies) / planted:.0%}"


def _alarms(found: Contamination, innocent: int) -> float:
    return sum(copy.test_row < innocent for copy in found.copies) / innocent


def _different(texts: Iterable[str]) -> list[str]:
    """Texts of three words or more that all differ in their words, in a random order."""
    found = {key: text for text in texts if len((key := word_key(text)).split()) >= 3}
    every = list(found.values())
    Random(1).shuffle(every)
    return every


def _of_task(name: str) -> list[str]:
    task = lookup.find(name)()
    rows = task.load_rows(Source())
    parts = rows.values() if hasattr(rows, "keys") else [rows]
    return [text_of(task, row) for part in parts for row in part]


def _of_file(value: str) -> list[str]:
    path, _, column = value.rpartition(":")
    rows = load.read(path, Source(text=tuple(column.split(",")), header=_header(column)))
    names = [_name(rows.column_names, each) for each in column.split(",")]
    return ["\n".join(_text(row[name]) for name in names) for row in rows]


def _of_pairs(value: str) -> dict[str, str]:
    """The first text of each key → the second."""
    path, key, column = value.rsplit(":", 2)
    found: dict[str, list[str]] = {}
    for row in load.read(path, Source()):
        of_row = row[column] if isinstance(row[column], list) else [row[column]]
        found.setdefault(_text(row[key]), []).extend(map(str, of_row))
    pairs = {each[0]: each[1] for each in found.values() if len(each) > 1}
    return {a: b for a, b in pairs.items() if word_key(a) != word_key(b)}


def _header(column: str) -> bool | None:
    return False if column.isdigit() else None


def _name(names: Sequence[str], wanted: str) -> str:
    return wanted if wanted in names else names[int(wanted)]


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _remembering_encoder() -> Callable[[Sequence[str]], np.ndarray]:
    """A sentence encoder that embeds each text once: the training rows come again and again."""
    from toolkit.models.sentence_encoder import sentence_vectors

    encode, known = sentence_vectors("--meaning", max_tokens=96), dict[str, np.ndarray]()

    def remembered(texts: Sequence[str]) -> np.ndarray:
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            known.update(zip(new, encode(new), strict=True))
        return np.stack([known[text] for text in texts])

    return remembered


if __name__ == "__main__":
    main()
