"""One place decides which device computes; GPUs are played, because tests run without one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from toolkit.errors import UsageError
from toolkit.system import device, monitor, precision

ROOT = Path(__file__).parents[2]


def found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch find such an accelerator."""
    monkeypatch.delenv(device.VARIABLE, raising=False)
    there = None if kind == "cpu" else SimpleNamespace(type=kind)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: there)


@pytest.mark.parametrize("kind", device.KINDS)
def test_torch_says_which_device_there_is(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found(kind, monkeypatch)
    assert device.kind() == kind
    assert device.is_gpu() == (kind != "cpu")
    assert device.place(1) == {"cuda": 1, "xpu": 1}.get(kind, kind)


def test_a_device_that_the_toolkit_does_not_know_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found("hpu", monkeypatch)
    assert device.kind() == "cpu"


def test_the_environment_asks_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    found("cuda", monkeypatch)
    monkeypatch.setenv(device.VARIABLE, "CPU")
    assert device.kind() == "cpu" and not device.is_gpu()
    assert device.memory() is None and device.name() is None and device.use() == {}


def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found("cpu", monkeypatch)
    monkeypatch.setenv(device.VARIABLE, "mps")
    with pytest.raises(UsageError, match="TOOLKIT_DEVICE='mps': torch finds no GPU"):
        device.kind()
    found("xpu", monkeypatch)
    monkeypatch.setenv(device.VARIABLE, "cuda")
    with pytest.raises(UsageError, match="torch finds 'xpu'"):
        device.kind()


def test_a_gpu_of_nvidia_is_read_by_torch_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    found("cuda", monkeypatch)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3 * 2**30, 8 * 2**30))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "GTX 1080")
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 2**30)
    monkeypatch.setattr(torch.cuda, "utilization", _absent)
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation
    )
    assert device.memory() == (3 * 2**30, 8 * 2**30)
    assert device.use() == {"gpu_memory_mb": 1024.0}
    assert device.bfloat16() and not device.bfloat16(emulated=False)
    info = monitor.hardware()
    assert info["gpu"] == "GTX 1080" and info["gpu_memory_gb"] == 8.0
    assert "nvidia-ml-py" in info["gpu_unmeasured"] or "driver" in info["gpu_unmeasured"]


def _absent() -> Any:
    raise ModuleNotFoundError("pynvml")


def test_with_nvidias_library_use_and_power_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    found("cuda", monkeypatch)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 2**30)
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 87)
    monkeypatch.setattr(torch.cuda, "power_draw", lambda: 310_400)
    wanted = {"gpu_memory_mb": 1024.0, "gpu_percent": 87.0, "gpu_watts": 310.4}
    assert device.use() == wanted
    assert device.unmeasured() is None


def test_apples_memory_is_what_the_system_recommends(monkeypatch: pytest.MonkeyPatch) -> None:
    found("mps", monkeypatch)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12 * 2**30)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 11 * 2**30)
    memory = device.memory()
    assert memory is not None
    assert memory[1] == 12 * 2**30 and 0 < memory[0] <= 2**30
    assert "Apple" in str(device.name())
    assert "NVIDIA" in str(device.unmeasured())


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_random_states_are_as_before(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found(kind, monkeypatch)
    before = torch.get_rng_state()
    with device.keep_random_state():
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_processor_computes_in_bfloat16_where_it_has_instructions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found("cpu", monkeypatch)
    for has in (True, False):
        monkeypatch.setattr(
            torch.cpu, "get_capabilities", lambda has=has: {"avx512_bf16": has}, raising=False
        )
        assert precision.bfloat16_pays() is has


def test_nothing_else_asks_torch_for_a_gpu() -> None:
    """Where ``torch.cuda`` is asked elsewhere, Apple's and Intel's GPUs are forgotten."""
    allowed = {"toolkit/system/device.py", "toolkit/system/distributed.py"}
    places = [
        p for part in ("toolkit", "plugins", "playground") for p in (ROOT / part).rglob("*.py")
    ]
    asking = {
        str(place.relative_to(ROOT))
        for place in places
        if "cuda.is_available" in (text := place.read_text(encoding="utf-8"))
        or "torch.cuda." in text
    }
    assert asking <= allowed
