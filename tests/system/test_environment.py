"""What the environment says before the heavy libraries are imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli_runner import environment as environment_of_tests
from toolkit.system import environment


def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"TRANSFORMERS_VERBOSITY": "info"}
    monkeypatch.setattr(environment.os, "environ", variables)
    environment.prepare(offline=False)
    assert variables["TRANSFORMERS_VERBOSITY"] == "info"
    assert variables["HF_HUB_DISABLE_TELEMETRY"] == variables["DO_NOT_TRACK"] == "1"
    assert "HF_HUB_OFFLINE" not in variables
    environment.prepare(offline=True)
    assert variables["HF_HUB_OFFLINE"] == "1"


def test_servers_keep_few_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"LRU_CACHE_CAPACITY": "512"}
    monkeypatch.setattr(environment.os, "environ", variables)
    environment.prepare(offline=True)
    assert "ONEDNN_PRIMITIVE_CACHE_CAPACITY" not in variables
    environment.prepare(offline=True, serves=True)
    assert variables["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "32"
    assert variables["LRU_CACHE_CAPACITY"] == "512"


@pytest.mark.parametrize(
    "modules", ["toolkit_serving.serve, toolkit_serving.served", "toolkit_playground.serve"]
)
def test_servers_say_so_before_torch_is_imported(modules: str) -> None:
    """It reads these variables once."""
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment_of_tests()).returncode == 0


CODE = """
import os, sys
for name in list(os.environ):
    if name.startswith(("HF_", "TRANSFORMERS_")):
        os.environ.pop(name)
from toolkit.system import environment
if "before" in sys.argv:
    import datasets, huggingface_hub, transformers
with environment.given_back():
    environment.prepare(offline=True)
    import datasets, huggingface_hub.constants, transformers
    datasets.disable_progress_bars()
    assert huggingface_hub.constants.HF_HUB_OFFLINE and datasets.config.HF_HUB_OFFLINE
    assert transformers.logging.get_verbosity() == 40
    assert not transformers.logging.is_progress_bar_enabled()
assert "HF_HUB_OFFLINE" not in os.environ
assert not huggingface_hub.constants.HF_HUB_OFFLINE and not datasets.config.HF_HUB_OFFLINE
assert huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS is None
assert not huggingface_hub.utils.are_progress_bars_disabled()
assert not datasets.are_progress_bars_disabled()
assert transformers.logging.get_verbosity() == 30
assert transformers.logging.is_progress_bar_enabled()
"""


@pytest.mark.parametrize("when", ["before", "within"])
def test_what_libraries_have_read_of_it_is_given_back(when: str) -> None:
    """A run without the Hub must not cut off what a program does with it afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, when], env=environment_of_tests(), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_what_they_have_read_is_still_named_so() -> None:
    import datasets  # noqa: F401

    for module, name in environment.READ_AT_IMPORT:
        assert hasattr(sys.modules[module], name), (module, name)


COMMAND = """
import sys
from toolkit.cli import main
sys.argv = ["toolkit", "tasks", "--json"]
try:
    main()
except SystemExit:
    import peft
"""
CALL = """
from toolkit.pipeline.called import call
with call(quiet=False):
    import peft
"""


@pytest.mark.parametrize("code", [COMMAND, CALL], ids=["command", "call"])
def test_a_command_and_a_call_are_quiet_whatever_is_imported_first(code: str) -> None:
    """Nothing is sent, and nothing printed, where a plugin's command imports before it prepares."""
    clean = {k: v for k, v in environment_of_tests().items() if k not in environment.QUIET}
    told = "    import huggingface_hub.constants as c; print(c.HF_HUB_DISABLE_TELEMETRY)"
    done = subprocess.run(
        [sys.executable, "-c", code + told], env=clean, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith("True\n")
