"""The report's verdict, systems and differences as plain values from ``metrics.json``.

The values hold no HTML: the same ones go into the page, the Markdown and the model card.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit import formatting
from toolkit.decoding import COVERED
from toolkit.evaluation.standing import clear
from toolkit.evaluation.verdict_sentence import UNFINISHED
from toolkit.metrics.statistics import Comparison
from toolkit.metrics.target import Document
from toolkit.runs.predictions import trained_name

HEADS = {True: "Worth it", False: "Not worth it", None: "Cannot tell"}


def content(doc: Document, info: Mapping[str, Any]) -> dict[str, Any]:
    """The values of this module by the names that the templates use.

    Args:
        doc: ``metrics.json``.
        info: ``run.json``.
    """
    return {
        "head": head(doc),
        "lede": lede(doc),
        "metric": described(doc),
        "trained": trained(doc),
        "noun": noun(doc),
        "whole": bool(trained(doc)) and doc["systems"][trained(doc)]["role"] == "full",
        "base": base(doc),
        "key_figures": key_figures(doc, info),
        "ladder": ladder(doc),
        "columns": headline(doc),
        "details": details(doc),
        "comparisons": comparisons(doc, doc["primary_metric"]),
        "further_comparisons": comparisons(doc),
        "decoders": decoders(doc),
        "covered": covered(doc),
        "plain": {c["system"]: c["b"] for c in doc["decoder_comparisons"]},
        "small_parts": small_parts(doc),
        "confusion": confusion(doc),
        "slice_rows": slice_rows(doc),
        "target": covered_target(doc),
        "test_rows": formatting.grouped_rows(doc["n"], doc.get("groups"), "test row"),
        "named_baseline": named_baseline(doc),
        "interval_notes": interval_notes(doc),
    }


def described(doc: Document, name: str | None = None) -> Mapping[str, Any]:
    """A metric's label, unit and format, as in ``metrics.json``; by default the primary one's."""
    wanted = name or doc["primary_metric"]
    return next(m for m in doc["metrics"] if m["name"] == wanted)


def trained(doc: Document) -> str | None:
    """The name of the trained system; ``None`` where nothing was trained."""
    return trained_name({name: system["role"] for name, system in doc["systems"].items()})


def use(doc: Document, run: str) -> str:
    """What to do with a run whose model is worth it; empty for others.

    Args:
        doc: its ``metrics.json``.
        run: its ID.
    """
    if not doc["verdict"]["worth_it"]:
        return ""
    return f"Use it: toolkit serve {run}, or export and push it (docs/tutorials/in-use.md)"


def noun(doc: Document) -> str:
    """The word for the trained system in a sentence, such as ``adapter``."""
    return formatting.TRAINED[doc["systems"][trained(doc)]["role"]] if trained(doc) else "model"


def base(doc: Document) -> str | None:
    """The name of the untouched base model's system; ``None`` where there is none."""
    return next((n for n, s in doc["systems"].items() if s["role"] == "base"), None)


def head(doc: Document) -> str:
    """The report's headline: the verdict in two words."""
    if not trained(doc):
        return "Nothing was trained"
    return UNFINISHED if doc["verdict"].get("unfinished") else HEADS[doc["verdict"]["worth_it"]]


def lede(doc: Document) -> str:
    """The verdict's sentence without its first words, which the headline shows."""
    first, _, rest = doc["verdict"]["sentence"].partition(": ")
    if not rest:
        return str(first)
    left = first.removeprefix(head(doc)).strip(" ,")
    text = f"{left}, {rest}" if left else rest
    return text[:1].upper() + text[1:]


def headline(doc: Document) -> list[Mapping[str, Any]]:
    """The metrics that are columns of the ladder."""
    return [m for m in doc["metrics"] if not m.get("detail")]


def details(doc: Document) -> dict[str, Any] | None:
    """The other metrics, a line each, for the trained system, a baseline and the base."""
    found = [m for m in doc["metrics"] if m.get("detail")]
    if not found:
        return None
    names = list(dict.fromkeys(rivals(doc)))
    return {
        "systems": names,
        "lines": [
            {
                "label": m["label"] + (f", {m['unit']}" if m["unit"] else ""),
                "cells": [
                    {
                        "text": formatting.number(entry["value"], m["format"]),
                        "span": _span(entry, m["format"]),
                    }
                    for entry in (doc["systems"][name]["metrics"][m["name"]] for name in names)
                ],
            }
            for m in found
        ],
    }


def interval_notes(doc: Document) -> list[str]:
    """Why some figures of the ladder have no interval, or what it does not hold for."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in in_order(doc):
        for metric in doc["metrics"]:
            note = doc["systems"][name]["metrics"][metric["name"]].get("note")
            if note:
                found.setdefault((metric["label"], note), []).append(name)
    return [
        f"{label} of {'all systems' if len(names) == len(doc['systems']) else ', '.join(names)}: "
        f"{formatting.sentence(note)}"
        for (label, note), names in found.items()
    ]


# -- verdict and ladder --------------------------------------------------------------------------
def key_figures(doc: Document, info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures behind the verdict and the time of training, each with a description."""
    metric, name = described(doc), doc["primary_metric"]
    spec, unit = metric["format"], metric["unit"]
    shown = []
    rival, label = named_baseline(doc), formatting.in_sentence(metric["label"])
    for system, what in (
        (trained(doc), f"{label} of the {noun(doc)}"),
        (rival, f"of the baseline {rival}"),
        (base(doc), "of the base model"),
    ):
        if system is None:
            continue
        found = doc["systems"][system]["metrics"][name]
        between = formatting.span(found["low"], found["high"], spec).replace(" ", "\u00a0")
        shown.append((formatting.figure(found["value"], spec, unit), f"{what} ({between})"))
    # The seconds of a stage that was resumed are those of all its parts.
    seconds = info.get("stages", {}).get("train", {}).get("seconds")
    if seconds is not None and trained(doc) and not info.get("evaluated"):
        trainable = info.get("training", {}).get("parameters_trained")
        what = "of training" + (
            f" of {formatting.number(trainable)} parameters" if trainable else ""
        )
        shown.append((formatting.duration(seconds), what))
    return shown


def ladder(doc: Document) -> list[dict[str, Any]]:
    """A row for each system, best first on the primary metric; a column's best figure is marked.

    Controls do not compete, so theirs are not marked.
    """
    shown = headline(doc)
    best = {m["name"]: _best(doc, m) for m in shown}
    rows = []
    for name in in_order(doc):
        system = doc["systems"][name]
        cells = [
            {
                "text": formatting.number(system["metrics"][m["name"]]["value"], m["format"]),
                "span": _span(system["metrics"][m["name"]], m["format"]),
                "best": system["metrics"][m["name"]]["value"] == best[m["name"]],
            }
            for m in shown
        ]
        chosen = name == doc["verdict"]["best_baseline"]
        rows.append({**system, "name": name, "chosen": chosen, "cells": cells})
    return rows


def in_order(doc: Document) -> list[str]:
    """The names of the systems, best first on the primary metric; those without a figure last."""
    metric = described(doc)
    sign = -1 if metric["greater_is_better"] else 1

    def place(name: str) -> tuple[bool, float]:
        value = doc["systems"][name]["metrics"][metric["name"]]["value"]
        return value is None, sign * (value or 0.0)

    return sorted(doc["systems"], key=place)


def _best(doc: Document, metric: Mapping[str, Any]) -> float | None:
    values = [
        s["metrics"][metric["name"]]["value"]
        for s in doc["systems"].values()
        if s["role"] != "control"
    ]
    known = [value for value in values if value is not None]
    return (max if metric["greater_is_better"] else min)(known) if known else None


def _span(entry: Mapping[str, Any], spec: str) -> str:
    return formatting.span(entry["low"], entry["high"], spec)


def comparisons(doc: Document, metric: str | None = None) -> list[dict[str, Any]]:
    """Rows of the table of differences, of one metric or by default of all but the primary one."""
    rows = []
    for entry in doc["comparisons"]:
        if (metric is None) == (entry["metric"] == doc["primary_metric"]):
            continue
        rows.append(_compared(doc, entry))
    return rows


def decoders(doc: Document) -> dict[str, list[dict[str, Any]]]:
    """System → its decoders, each compared with the plain one; the trained system comes first.

    Systems with a single decoder are left out.
    """
    several = [name for name, rows in doc["decoders"].items() if len(rows) > 1]
    names = sorted(several, key=lambda name: name != trained(doc))
    return {
        name: [{**row, "compared": _against_plain(doc, name, row)} for row in doc["decoders"][name]]
        for name in names
    }


def covered(doc: Document) -> dict[str, str]:
    """System → a sentence on what the distributions that its decoders read cover."""
    found = {}
    for system, rows in doc["decoders"].items():
        if readers := [row for row in rows if "covered" in row]:
            share = readers[0]["covered"]
            names = ", ".join(row["name"] for row in readers)
            found[system] = (
                f"{names}: the numbers that these decoders know cover {share:.1%} of what the "
                "model may write (the median of the validation rows)"
                + (f"; below {COVERED:.0%} none of them is chosen." if share < COVERED else ".")
            )
    return found


def _against_plain(doc: Document, system: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
    for entry in doc["decoder_comparisons"]:
        if entry["system"] == system and entry["a"] == row["name"]:
            return _compared(doc, entry)
    return None


def _compared(doc: Document, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison with its figures as text, and its result in a word."""
    metric = described(doc, entry["metric"])
    return {
        **entry,
        "label": metric["label"],
        "difference": formatting.signed(entry["difference"], metric["format"], metric["unit"]),
        "span": formatting.signed_span(entry["low"], entry["high"], metric["format"]),
        "p": formatting.NOTHING if entry["p"] is None else formatting.p_value(entry["p"]),
        "result": result(doc, entry, greater_is_better=metric["greater_is_better"]),
    }


def result(doc: Document, entry: Mapping[str, Any], *, greater_is_better: bool) -> str:
    """In a word, what a comparison shows, by the same rule as in the verdict."""
    if entry["difference"] is None:
        return formatting.NOTHING
    systems = [entry["system"]] if "system" in entry else [entry["a"], entry["b"]]
    rows = min(doc["systems"][name]["n"] for name in systems)
    sign = clear(comparison(entry), rows)
    if not sign:
        return "no clear difference"
    return "better" if (sign > 0) == greater_is_better else "worse"


def comparison(entry: Mapping[str, Any]) -> Comparison:
    """A comparison as ``metrics.json`` stores it, as what was compared."""
    difference, low, high, p = (
        math.nan if entry[key] is None else entry[key] for key in ("difference", "low", "high", "p")
    )
    return Comparison(difference, low, high, p, entry.get("groups"), entry.get("note", ""))


def named_baseline(doc: Document) -> str | None:
    """The baseline that the verdict names; in earlier documents the best one on validation."""
    name = doc["verdict"].get("against") or doc["verdict"]["best_baseline"]
    return None if name is None else str(name)


def rivals(doc: Document) -> list[str]:
    """The systems in charts of slices: the trained one, the baseline of the verdict, the base."""
    names = (trained(doc), named_baseline(doc), base(doc))
    return [name for name in names if name]


def slice_rows(doc: Document) -> list[tuple[str, str, str, list[str]]]:
    """Slice, part, rows, and the figures of the trained system and the verdict's baseline."""
    metric = described(doc)
    names = [name for name in (trained(doc), named_baseline(doc)) if name]
    return [
        (
            slice_name,
            part,
            _rows(found),
            [_in_part(found, n, metric) for n in names],
        )
        for slice_name, parts in doc["slices"].items()
        for part, found in parts.items()
        if found["systems"]
    ]


def _rows(found: Mapping[str, Any]) -> str:
    """The rows of a part with their groups, such as ``30 (12 groups)``."""
    groups = next((s["groups"] for s in found["systems"].values() if "groups" in s), None)
    shown = formatting.number(found["n"])
    return shown if groups is None else f"{shown} ({formatting.count(groups, 'group')})"


def _in_part(found: Mapping[str, Any], system: str, metric: Mapping[str, Any]) -> str:
    entry = found["systems"].get(system)
    if entry is None:
        return formatting.NOTHING
    return (
        f"{formatting.number(entry['value'], metric['format'])} ({_span(entry, metric['format'])})"
    )


def small_parts(doc: Document) -> list[str]:
    """Parts of slices that have too few rows for a figure, in words."""
    return [
        f"{name}: {part} ({formatting.count(found['n'], 'row')})"
        for name, parts in doc["slices"].items()
        for part, found in parts.items()
        if not found["systems"]
    ]


def covered_target(doc: Document) -> float | None:
    """The share of rows whose true value prediction intervals should hold; ``None`` without any."""
    found = [s["interval"]["target"] for s in doc["systems"].values() if s["interval"]]
    return found[0] if found else None


MOST_CLASSES = 20
"""The largest number of classes for which a page shows a confusion matrix."""


def confusion(doc: Document) -> dict[str, Any] | None:
    """The confusion matrices of the trained system and a baseline, a line per true class."""
    found = doc.get("confusion")
    if not found or len(found["labels"]) > MOST_CLASSES:
        return None
    names = dict.fromkeys(filter(None, (trained(doc), named_baseline(doc))))
    return {
        "labels": found["labels"],
        "systems": {
            name: [
                (label, [{"n": n, "share": n / max(1, sum(line)), "right": i == j}
                         for j, n in enumerate(line)])
                for i, (label, line) in enumerate(
                    zip(found["labels"], found["systems"][name], strict=True)
                )
            ]
            for name in names
        },
    }  # fmt: skip
