"""Environment variables that must be set before the heavy libraries are imported."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

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
FEW_KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32", "LRU_CACHE_CAPACITY": "32"}
"""How many kernels torch keeps on a processor, one for each shape of a batch in bfloat16; its own
limits are 1,024. Eight clients of ``toolkit serve`` with a model of 13 MB: memory grew from 662 to
764 MB in ten minutes with torch's limits, and not with these, at the same speed.
"""
_NO_HUB = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_NO_HUB_BARS = ("HF_HUB_DISABLE_PROGRESS_BARS",)
_NO_DATA_BARS = ("HF_DATASETS_DISABLE_PROGRESS_BARS",)
READ_AT_IMPORT: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("huggingface_hub.constants", "HF_HUB_OFFLINE"): _NO_HUB,
    ("huggingface_hub.constants", _NO_HUB_BARS[0]): _NO_HUB_BARS,
    ("huggingface_hub.utils.tqdm", _NO_HUB_BARS[0]): _NO_HUB_BARS,
    ("datasets.config", "HF_HUB_OFFLINE"): ("HF_DATASETS_OFFLINE", *_NO_HUB),
    ("datasets.config", "HF_DATASETS_OFFLINE"): ("HF_DATASETS_OFFLINE", *_NO_HUB),
    ("datasets.config", _NO_DATA_BARS[0]): _NO_DATA_BARS,
    ("datasets.utils.tqdm", _NO_DATA_BARS[0]): _NO_DATA_BARS,
}
"""Module and name of what libraries read of the environment once, when they are imported → the
variables; the first that is set counts. Values are true and false, of bars ``None`` too: not set.
"""
_TRUE = {"1", "ON", "YES", "TRUE"}


def quiet() -> None:
    """Switch off telemetry and unneeded output: at the beginning of every command and call.

    It imports nothing, and holds whatever a command imports, in whatever order. Variables that the
    user has set are kept.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)  # absent CPU kernels are harmless
    warnings.filterwarnings("ignore", "IProgress not found")  # tqdm, in notebooks without widgets
    # PEFT and TRL ask a model for it by the name that transformers 5.24 has replaced.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)


def prepare(*, offline: bool, serves: bool = False) -> None:
    """Be :func:`quiet`, and switch off look-ups on the Hub where nothing is needed of it.

    Must be called before transformers, TRL, datasets or gradio are imported: they read the
    environment at import. In a program that has imported them before, what they have read is set
    too, see :func:`given_back`. Variables that the user has set are kept.

    Args:
        offline: nothing is needed from the Hub, so switch off look-ups there.
        serves: the process answers others for hours, so that its memory must not creep up; before
            torch is imported.
    """
    quiet()
    if serves:
        for name, value in FEW_KERNELS.items():
            os.environ.setdefault(name, value)
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
        # Models then come from the disk, and a bar for each is noise; downloads keep theirs.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for (module, name), variables in READ_AT_IMPORT.items():
        if module in sys.modules and any(variable in os.environ for variable in variables):
            setattr(sys.modules[module], name, _said(variables))
    bars = {} if _said(_NO_HUB_BARS) is not True else {"transformers": False}
    _show({**_shown(), **bars, "level": _level()})


@contextlib.contextmanager
def given_back() -> Iterator[None]:
    """Within the context a run may :func:`prepare` the process; afterwards it is as before.

    That is the environment, filters of warnings, and what libraries have read of the environment:
    those that were imported within the context are left as they would have been without it.
    """
    environment = dict(os.environ)
    before = {
        (module, name): getattr(sys.modules[module], name, None)
        for module, name in READ_AT_IMPORT
        if module in sys.modules
    }
    shown = _shown()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        for place, variables in READ_AT_IMPORT.items():
            if place[0] in sys.modules:
                value = before[place] if place in before else _said(variables)
                setattr(sys.modules[place[0]], place[1], value)
        usual = {"transformers": not _said(_NO_HUB_BARS), "datasets": not _said(_NO_DATA_BARS)}
        _show({**usual, "level": _level(), **shown})


def hide_bars() -> None:
    """Show no bars of downloads either, within :func:`given_back`."""
    os.environ.update(dict.fromkeys((*_NO_HUB_BARS, *_NO_DATA_BARS), "1"))


def _said(variables: tuple[str, ...]) -> bool | None:
    """What the environment says; ``None`` for bars that it says nothing of."""
    values = [value for name in variables if (value := os.environ.get(name))]
    if values:
        return values[0].upper() in _TRUE
    return None if variables in (_NO_HUB_BARS, _NO_DATA_BARS) else False


def _level() -> int:
    """The level of transformers' messages by the environment."""
    named = os.environ.get("TRANSFORMERS_VERBOSITY", "warning").upper()
    return logging.getLevelNamesMapping().get(named, logging.WARNING)


def _shown() -> dict[str, Any]:
    """Which libraries that are imported show bars, and the level of transformers' messages."""
    found: dict[str, Any] = {}
    if upstream := sys.modules.get("transformers.utils.logging"):
        found |= {
            "transformers": upstream.is_progress_bar_enabled(), "level": upstream.get_verbosity(),
        }  # fmt: skip
    if data := sys.modules.get("datasets.utils.tqdm"):
        found["datasets"] = not data.are_progress_bars_disabled()
    return found


def _show(wanted: Mapping[str, Any]) -> None:
    """The inverse of :func:`_shown`, for those that are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they warn where the environment goes before
        if upstream := sys.modules.get("transformers.utils.logging"):
            upstream.set_verbosity(wanted["level"])
            bars = wanted["transformers"]
            (upstream.enable_progress_bar if bars else upstream.disable_progress_bar)()
        if (data := sys.modules.get("datasets.utils.tqdm")) and "datasets" in wanted:
            bars = wanted["datasets"]
            (data.enable_progress_bars if bars else data.disable_progress_bars)()
