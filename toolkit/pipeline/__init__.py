"""One module for each command that works on a run directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.pipeline import compare as compare
    from toolkit.pipeline import shared_encoder as shared_encoder
    from toolkit.pipeline import steps as steps
    from toolkit.pipeline import tuning as tuning
    from toolkit.pipeline import whole as whole
    from toolkit.pipeline import whole_model as whole_model
    from toolkit.pipeline.predict import of_outputs as of_outputs
    from toolkit.pipeline.predict import open_run as open_run
    from toolkit.pipeline.predict import read as read
    from toolkit.pipeline.restore import base_of as base_of
    from toolkit.pipeline.restore import heldout_rows as heldout_rows
    from toolkit.pipeline.restore import load_task as load_task
    from toolkit.pipeline.restore import make_kind as make_kind
    from toolkit.pipeline.restore import refresh as refresh
    from toolkit.pipeline.training_rows import splits_of as splits_of
    from toolkit.pipeline.training_rows import training_rows as training_rows

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["compare", "shared_encoder", "steps", "tuning", "whole", "whole_model"],
    submod_attrs={
        "predict": ["of_outputs", "open_run", "read"],
        "restore": ["base_of", "heldout_rows", "load_task", "make_kind", "refresh"],
        "training_rows": ["splits_of", "training_rows"],
    },
)
