"""``test_results.json`` beside the adapter: the test figures in the form of transformers' trainers.

``Trainer.save_metrics("test", …)`` writes a flat object of ``test_NAME`` keys; programs that read
those find the same here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit.runs.files import write_json
from toolkit.runs.predictions import trained_name
from toolkit.runs.run import Run

FILE = "test_results.json"


def figures(doc: Mapping[str, Any], system_name: str) -> dict[str, float | int]:
    """A system's test figures, such as ``test_rougeL``, ``test_loss``."""
    system = doc["systems"][system_name]
    found: dict[str, float | int] = {
        f"test_{name}": entry["value"]
        for name, entry in system["metrics"].items()
        if entry["value"] is not None
    }
    perplexity = (system.get("perplexity") or {}).get("value")
    if perplexity:
        found["test_loss"] = math.log(perplexity)
    seconds = system["predict_seconds"]
    if seconds:
        found["test_runtime"] = seconds
        found["test_samples_per_second"] = round(system["n"] / seconds, 3)
    return {**found, "test_samples": system["n"]}


def write(run: Run, doc: Mapping[str, Any]) -> None:
    """Write the file into the adapter's folder; nothing where nothing was trained."""
    name = trained_name({name: system["role"] for name, system in doc["systems"].items()})
    if name is not None and run.adapter.is_dir():
        write_json(run.adapter / FILE, figures(doc, name))
