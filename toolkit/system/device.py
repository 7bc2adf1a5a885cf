"""The device that models are put on: a GPU that torch knows, or the processor.

torch calls GPUs accelerators (``torch.accelerator``): NVIDIA's and AMD's are ``cuda``, those in
Apple's chips ``mps``, Intel's ``xpu``. All that asks for a device asks here. The environment
variable ``TOOLKIT_DEVICE`` names another one than the first that torch finds: with
``TOOLKIT_DEVICE=cpu`` a GPU that is there is left alone.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from toolkit.errors import UsageError

VARIABLE = "TOOLKIT_DEVICE"
KINDS = ("cuda", "mps", "xpu", "cpu")
"""The kinds of device that models are put on; on others of torch's the processor is taken."""


def kind() -> str:
    """One of :data:`KINDS`.

    Raises:
        UsageError: ``TOOLKIT_DEVICE`` names a device that is not here.
    """
    found = _found()
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if wanted in ("", found):
        return found
    if wanted == "cpu":
        return "cpu"
    here = "no GPU that it knows" if found == "cpu" else repr(found)
    raise UsageError(
        f"{VARIABLE}={wanted!r}: torch finds {here} on this machine; leave the variable out, or "
        "set it to cpu"
    )


def _found() -> str:
    """The kind of the accelerator that torch finds, whatever the environment asks for."""
    import torch

    found = torch.accelerator.current_accelerator(check_available=True)
    return found.type if found is not None and found.type in KINDS else "cpu"


def is_gpu() -> bool:
    """Whether models are computed on a GPU here."""
    return kind() != "cpu"


def place(index: int = 0) -> str | int:
    """The device as ``from_pretrained(device_map=…)`` names it.

    Args:
        index: the number of the process on this machine, which is that of its GPU.
    """
    found = kind()
    return index if found in ("cuda", "xpu") else found


def name() -> str | None:
    """The GPU's name as its maker gives it; ``None``: there is none."""
    import torch

    found = kind()
    if found == "cpu":
        return None
    if found == "mps":
        return _apple_chip()
    return str(getattr(torch, found).get_device_name())


def _apple_chip() -> str:
    """Such as ``Apple M3 Pro GPU``; torch itself does not know the name."""
    import platform
    import subprocess

    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        chip = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout
        if chip.strip():
            return f"{chip.strip()} GPU"
    return f"Apple GPU ({platform.machine()})"


def memory() -> tuple[int, int] | None:
    """The bytes of the GPU's memory that are free, and all of them; ``None``: there is no GPU.

    Apple's GPUs share the main memory; what the system recommends them to take at most counts as
    all of it.
    """
    import torch

    found = kind()
    if found == "cpu":
        return None
    if found == "mps":
        import psutil

        total = int(torch.mps.recommended_max_memory())
        own = total - int(torch.mps.driver_allocated_memory())
        return max(0, min(own, int(psutil.virtual_memory().available))), total
    free, total = getattr(torch, found).mem_get_info()
    return int(free), int(total)


def most_allocated() -> int | None:
    """The most bytes of the GPU's memory that tensors of this process took; ``None``: no GPU."""
    import torch

    found = kind()
    if found == "cpu":
        return None
    if found == "mps":
        return int(torch.mps.driver_allocated_memory())  # it keeps no highest value
    return int(getattr(torch, found).max_memory_allocated())


def wait() -> None:
    """Wait until the GPU has done what it was given; does nothing on a processor."""
    import torch

    if is_gpu():
        torch.accelerator.synchronize()


def keep_random_state() -> contextlib.AbstractContextManager[Any]:
    """A context after which the processor's random state is as before, and a GPU's with it.

    Apple's is not kept: torch cannot fork it.
    """
    import torch

    found = kind()
    if found in ("cuda", "xpu"):
        devices = [torch.accelerator.current_device_index()]
        return torch.random.fork_rng(devices=devices, device_type=found)
    return torch.random.fork_rng(devices=[])


def bfloat16(*, emulated: bool = True) -> bool:
    """Whether the device computes in bfloat16.

    Args:
        emulated: count a GPU that only imitates it, as NVIDIA's before Ampere do.
    """
    import torch

    found = kind()
    if found == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=emulated))
    if found == "xpu":
        return bool(torch.xpu.is_bf16_supported(including_emulation=emulated))
    if found == "mps":
        return _mps_has_bfloat16()
    get_capabilities = getattr(torch.cpu, "get_capabilities", dict)  # older torch has none
    capabilities: dict[str, object] = get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _mps_has_bfloat16() -> bool:
    """Whether the system's Metal knows bfloat16, which macOS has since version 14."""
    import torch

    return bool(torch.backends.mps.is_macos_or_newer(14, 0))


def use() -> dict[str, float]:
    """Memory (MiB), utilisation (%) and power (W) of the GPU in use; empty without one.

    Utilisation and power are only known of NVIDIA's, by the extra ``gpu``.
    """
    import torch

    taken = most_allocated()
    if taken is None:
        return {}
    entry = {"gpu_memory_mb": round(taken / 2**20, 1)}
    # Without nvidia-ml-py, or with a driver that does not report them.
    with contextlib.suppress(ImportError, RuntimeError, AssertionError):
        if kind() == "cuda":
            entry["gpu_percent"] = float(torch.cuda.utilization())
            entry["gpu_watts"] = round(torch.cuda.power_draw() / 1000, 1)
    return entry


def unmeasured() -> str | None:
    """Why a GPU's utilisation and power are not measured here; ``None``: they are, or no GPU."""
    found = kind()
    if found == "cpu" or "gpu_watts" in use():
        return None
    if found != "cuda":
        return "utilisation and power are only measured on NVIDIA's GPUs"
    import importlib.util

    if importlib.util.find_spec("pynvml") is None:
        return "utilisation and power need nvidia-ml-py: pip install 'adapter-toolkit[gpu]'"
    return "the driver does not report utilisation and power"
