"""A process with a large model holds what it needs, and gives back the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli_runner import environment

HELD = """
import ctypes, sys
import torch
from toolkit.models import malloc as pages

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

if sys.argv[1] == "settled":
    pages.LARGE = 1
    pages.settle(torch.nn.Linear(8, 8))
torch.ones(2**18)  # freed at once: from now on glibc takes blocks of that size from its heap
before = resident()
blocks = [torch.ones(2**18) for _ in range(200)]  # of a MiB each
del blocks[::2]
print(resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_what_a_large_model_frees_goes_back_to_the_system() -> None:
    held = {}
    for how in ("settled", "as it is"):
        done = subprocess.run(
            [sys.executable, "-c", HELD, how],
            env=environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        held[how] = float(done.stdout)
    assert held["settled"] == pytest.approx(100, abs=10)
    assert held["as it is"] > 150


def test_small_models_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    import torch

    from toolkit.models import malloc

    def never(*_: object) -> None:
        raise AssertionError("the allocator was set")

    monkeypatch.setattr(ctypes, "CDLL", never)
    malloc.settle(torch.nn.Linear(8, 8))


def test_the_file_of_a_quantized_model_is_let_go() -> None:
    import torch

    from toolkit.models import malloc

    whole = torch.arange(64.0)
    model = torch.nn.Linear(8, 8, bias=False)
    model.weight.data = whole.view(8, 8)
    malloc.let_go(model)
    assert model.weight.data_ptr() != whole.data_ptr()
    assert torch.equal(model.weight.data, whole.view(8, 8))
