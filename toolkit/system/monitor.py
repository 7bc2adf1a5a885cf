"""Memory and utilisation of this process, sampled during a long computation."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from toolkit.system import device

INTERVAL = 0.5


class Monitor:
    """Samples resident memory and processor use in a thread; use as a context manager.

    Attributes:
        peak_mb: highest resident memory seen, in MiB (that of a GPU is in
            :func:`toolkit.system.device.use`).
        start_mb: resident memory at the beginning.
    """

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._process.cpu_percent()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.start_mb = self.peak_mb = self.memory_mb = self._resident()
        self.cpu_percent = 0.0

    def __enter__(self) -> Monitor:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._note()

    def now(self) -> dict[str, Any]:
        """The newest sample, as keys of a history entry."""
        entry: dict[str, Any] = {
            "memory_mb": round(self.memory_mb, 1),
            "cpu_percent": round(self.cpu_percent, 1),
        }
        return entry | device.use()

    def _sample(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._note()

    def _note(self) -> None:
        self.memory_mb = self._resident()
        self.peak_mb = max(self.peak_mb, self.memory_mb)
        self.cpu_percent = self._process.cpu_percent()

    def _resident(self) -> float:
        return float(self._process.memory_info().rss) / 2**20


def hardware() -> dict[str, Any]:
    """The machine that this run was measured on, for the report."""
    import os
    import platform

    import psutil
    import torch

    info: dict[str, Any] = {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
    }
    if (memory := device.memory()) is not None:
        info["gpu"] = device.name()
        info["gpu_memory_gb"] = round(memory[1] / 2**30, 1)
        if reason := device.unmeasured():
            info["gpu_unmeasured"] = reason
    return info


def versions() -> dict[str, str]:
    """Versions of the libraries, for the report and to warn of changes when a run is resumed."""
    import platform
    from importlib import metadata

    names = ("adapter-toolkit", "torch", "transformers", "trl", "peft", "accelerate", "datasets",
             "tokenizers", "numpy", "scikit-learn")  # fmt: skip
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
