"""What the process environment must say before the heavy libraries are imported."""

from __future__ import annotations

import logging
import os

QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",  # also TRL's
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "BITSANDBYTES_NOWELCOME": "1",
}


def prepare(*, offline: bool) -> None:
    """No telemetry, no chatter; and no look-ups on the Hub where nothing is needed from it.

    Must be called before transformers, TRL, datasets or gradio are imported: they read the
    environment at import. What the user has set wins.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
        # What is loaded then is on the disk; a bar for each model is noise. Downloads keep theirs.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)  # absent CPU kernels are harmless
