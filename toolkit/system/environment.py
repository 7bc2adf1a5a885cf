"""Environment variables that must be set before the heavy libraries are imported."""

from __future__ import annotations

import logging
import os
import warnings

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
FAST = {
    # On Linux, PyTorch then asks for pages of 2 MiB for large tensors in main memory: the kernel
    # has fewer to hand out and to empty (a step of SmolLM2-135M takes 2.6 s instead of 3.4 s).
    # https://github.com/pytorch/pytorch/pull/93888
    "THP_MEM_ALLOC_ENABLE": "1",
}


def prepare(*, offline: bool) -> None:
    """Switch off telemetry, unneeded output and look-ups on the Hub, and large pages on.

    Must be called before transformers, TRL, datasets or gradio are imported: they read the
    environment at import. Variables that the user has set are kept.

    Args:
        offline: nothing is needed from the Hub, so switch off look-ups there.
    """
    for name, value in (QUIET | FAST).items():
        os.environ.setdefault(name, value)
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
        # Models then come from the disk, and a bar for each is noise; downloads keep theirs.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)  # absent CPU kernels are harmless
    # PEFT and TRL ask a model for it by the name that transformers 5.24 has replaced.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
