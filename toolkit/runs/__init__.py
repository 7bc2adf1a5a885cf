"""The run directory: written atomically, and read by all later steps and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.runs import predictions as predictions
    from toolkit.runs import shared_rows as shared_rows
    from toolkit.runs.evaluated import TrainedModel as TrainedModel
    from toolkit.runs.evaluated import present_models as present_models
    from toolkit.runs.evaluated import trained_models as trained_models
    from toolkit.runs.files import read_json as read_json
    from toolkit.runs.files import read_jsonl as read_jsonl
    from toolkit.runs.files import write_json as write_json
    from toolkit.runs.files import write_jsonl as write_jsonl
    from toolkit.runs.files import write_text as write_text
    from toolkit.runs.run import STAGES as STAGES
    from toolkit.runs.run import Run as Run
    from toolkit.runs.run import Unreadable as Unreadable
    from toolkit.runs.run import runs_folder as runs_folder
    from toolkit.runs.trust import consent as consent

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["predictions", "shared_rows"],
    submod_attrs={
        "evaluated": ["TrainedModel", "present_models", "trained_models"],
        "files": ["read_json", "read_jsonl", "write_json", "write_jsonl", "write_text"],
        "run": ["Run", "STAGES", "Unreadable", "runs_folder"],
        "trust": ["consent"],
    },
)
