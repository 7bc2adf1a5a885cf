"""Main memory: what a process holds is what it needs, and not more.

Two habits cost a process on a CPU up to as much again as a large model takes: glibc cannot use a
freed aligned block again for one of the same size, and a file that one small tensor still looks
into stays mapped as a whole.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

LARGE = 200 * 2**20
"""Bytes of weights from which on memory matters more than the time that new pages take."""
THRESHOLD = 256 * 2**10
"""Blocks of so many bytes get pages of their own, which go back when they are freed."""
M_MMAP_THRESHOLD = -3
"""``malloc.h``."""


def settle(model: Any) -> None:
    """With a large model on a CPU, have what is freed go back to the system at once.

    A training step of a Llama of 225 million parameters then holds half as much beside the
    weights, and takes a quarter longer. Does nothing on a GPU, with small models, or without glibc.
    """
    held = sum(p.numel() * p.element_size() for p in model.parameters() if p.device.type == "cpu")
    if held < LARGE or not sys.platform.startswith("linux"):
        return
    set_threshold = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_threshold is not None:
        set_threshold(M_MMAP_THRESHOLD, THRESHOLD)


def let_go(model: Any) -> None:
    """Copy what quantization has left of the weights' file, so that the file can be closed."""
    for parameter in model.parameters():
        if parameter.device.type == "cpu" and getattr(parameter, "quant_state", None) is None:
            parameter.data = parameter.data.clone()
