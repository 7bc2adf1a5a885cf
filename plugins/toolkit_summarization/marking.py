"""The panel data of both tasks: what the playground highlights in an output and in its source.

For structured fields: stated values and invented facts in the text, and in the source the values
that the text leaves out or gives to another field. For running text: numbers and names of the
summary that the source has or lacks, and where the source has them. What a summary leaves out is
not highlighted, since a summary has to leave things out.
"""

from __future__ import annotations

from typing import Any

from toolkit_summarization import faithfulness


def panel(source: str, text: str) -> dict[str, Any]:
    """The data of the panel view ``text``: the text, its source, and the highlights of both.

    Positions are in characters.
    """
    found = faithfulness.check(source, text)
    marks, source_marks = _of_fields(source, found) if found is not None else _of_text(source, text)
    return {"text": text, "marks": marks, "source": source, "source_marks": source_marks}


def _mark(place: tuple[int, int], kind: str, note: str) -> dict[str, Any]:
    return {"start": place[0], "end": place[1], "kind": kind, "note": note}


def _of_fields(source: str, found: faithfulness.Checked) -> tuple[list[Any], list[Any]]:
    marks = [_mark(place, "supported", "stands in the source") for place in sorted({*found.found})]
    marks += [_mark(place, "unsupported", "not in the source") for place in found.invented]
    notes = dict.fromkeys(found.missing, "is not stated")
    notes |= dict.fromkeys(found.wrong, "is stated of another field")
    left = []
    at = 0
    for label, value in faithfulness.parse(source):
        at = source.index(value, source.index(label, at) + len(label))
        if value and label in notes:
            left.append(_mark((at, at + len(value)), "missing", f"{label} {notes[label]}"))
    return marks, left


def _of_text(source: str, text: str) -> tuple[list[Any], list[Any]]:
    known, invented = faithfulness.facts(source, text)
    marks = [_mark(place, "supported", "stands in the source") for place in known]
    marks += [_mark(place, "unsupported", "not in the source") for place in invented]
    there = {
        place for start, end in known for place in faithfulness.places(text[start:end], source)
    }
    return marks, [_mark(place, "supported", "is in the summary") for place in sorted(there)]
