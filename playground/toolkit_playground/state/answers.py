"""Predictions and references as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit import formatting


def answer_text(value: Any, unit: str = "", spec: str = "") -> str:
    """A prediction or a reference as plain text: a number with its unit, anything else as text."""
    if isinstance(value, Mapping):
        for main in ("answer", "text"):  # beside what else a reference or a span holds
            if main in value:
                return answer_text(value[main], unit, spec) or "no answer"
        if "texts" in value:  # several wordings, the first of which training has seen
            return answer_text(next(iter(value["texts"]), ""), unit, spec) or "no answer"
        return ", ".join(f"{name}: {answer_text(inside)}" for name, inside in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(answer_text(inside, unit, spec) for inside in value) or "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        rounded = round(float(value), 4)
        return formatting.with_unit(formatting.number(rounded, spec), unit)
    return str(value)
