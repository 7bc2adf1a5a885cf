"""A task for an encoder–decoder with a panel of its own, as a task file: source, text, marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from toolkit import Generated, Metric, Panel, Row, Seq2SeqLMTask, Source

COLOURS = ("red", "blue", "green", "white", "black")
GOODS = ("cup", "lamp", "chair", "desk", "bed", "rug")


def words(text: str) -> Iterator[tuple[int, int]]:
    return ((found.start(), found.end()) for found in re.finditer(r"\w+", text))


class Notes(Seq2SeqLMTask):
    """Writes in short what is offered."""

    name = "notes"
    summary = "A note on an offer"
    columns: ClassVar = {"text": "the offer", "note": "what it is"}
    answer = "note"
    metrics = (Metric("exact", lambda p, r: float(p == r)),)
    primary_metric = "exact"
    panel = Panel({"text": "Offer"}, view="text", examples=({"text": "red cup, 3 pieces"},))

    def load_rows(self, source: Source) -> Any:
        import datasets

        rows = [
            {"text": f"{colour} {good}, {n} pieces", "note": f"{n} {good}s"}
            for colour in COLOURS
            for good in GOODS
            for n in range(2, 9)
        ]
        return datasets.Dataset.from_list([{"row_id": i, **row} for i, row in enumerate(rows, 1)])

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "text_target": row.get("note") or ""}

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def fallback(self) -> str:
        return "nothing"

    def reference(self, row: Row) -> str:
        return str(row["note"])

    def panel_data(self, output: Generated, row: Row) -> dict[str, Any]:
        source, text = str(row["text"]), output.text
        return {
            "text": text,
            "source": source,
            "marks": [
                {
                    "start": a,
                    "end": b,
                    "kind": "supported" if text[a:b] in source else "unsupported",
                }
                for a, b in words(text)
            ],
            "source_marks": [
                {"start": a, "end": b, "kind": "missing"}
                for a, b in words(source)
                if source[a:b] not in text
            ],
        }
