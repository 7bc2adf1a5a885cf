"""Experiment tracking: Trackio by default, locally; W&B and TensorBoard where asked for."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCAL = "trackio"


def fields(
    training: Mapping[str, Any], *, runs: Path, project: str, run_name: str
) -> dict[str, Any]:
    """The training arguments that name the tracker, where the recipe does not.

    Trackio's data stay beside the runs; nothing is sent anywhere unless ``report_to`` names a
    tracker that sends.
    """
    chosen = training.get("report_to")
    if chosen is None:
        chosen = LOCAL if importlib.util.find_spec(LOCAL) else "none"
    if chosen == "none":
        return {"report_to": "none"}
    if LOCAL in ([chosen] if isinstance(chosen, str) else chosen):
        os.environ.setdefault("TRACKIO_DIR", str((runs / ".trackio").resolve()))
    return {"report_to": chosen, "project": project, "run_name": run_name}
