"""Broken plugins, each a distribution installed for real: named with its reason, others work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from distributions import install, wheel, works
from toolkit import __version__

ROOT = Path(__file__).parents[2]

BROKEN: dict[str, tuple[str | None, str]] = {
    "import-error": (
        "from toolkit import NoSuchName\n",
        "ImportError: cannot import name 'NoSuchName'",
    ),
    "syntax-error": ("def register_tasks(:\n", "SyntaxError"),
    "missing-dependency": (
        "import package_that_is_not_there\n",
        "No module named 'package_that_is_not_there'; install what missing-dependency needs",
    ),
    "other-toolkit": (
        "from toolkit.metrix import TOKEN_F1\n",
        f"No module named 'toolkit.metrix'; adapter-toolkit {__version__} has no such module",
    ),
    "missing-files": (None, "its files are missing, install missing-files again"),
    "raising-hook": (
        works("taken-back").replace("register(Echo)", "register(Echo); raise RuntimeError('no')"),
        "RuntimeError: no",
    ),
    "wrong-version": (
        works("from-the-future").replace('summary =', 'api_version = 99\n    summary ='),
        "written for API version 99, this toolkit has 1 to 2; upgrade adapter-toolkit",
    ),
    "old-version": (
        works("from-the-past").replace('summary =', 'api_version = 0\n    summary ='),
        "API version 0, this toolkit has 1 to 2; get a newer version of the plugin",
    ),
    "ends-the-program": ("import sys; sys.exit('bye')\n", "it ends the program on import"),
    "no-task": (
        works("x").replace("register(Echo)", "register('Echo')"),
        "'Echo' is not a subclass of a toolkit task kind",
    ),
    "zz-clash": (
        works("echo-one"),
        "'echo-one' is registered by aa-works 2.0 and by zz-clash 1.0; uninstall one of them",
    ),
    "aa-thief": (
        works("price-regression"),
        "'price-regression' is registered by adapter-toolkit",
    ),
    "misspelt-hook": (
        works("lost").replace("def register_tasks", "def register_task"),
        "register_task is no hook – did you mean 'register_tasks'?",
    ),
    "unknown-hook": (
        works("unknown") + "\n\n@hookimpl\ndef tasks_of_mine(register):\n    pass\n",
        "tasks_of_mine is no hook; there are register_tasks, register_kinds, register_commands",
    ),
}  # fmt: skip

LOUD = {
    "slow-import": (
        "import time\nend = time.process_time() + 0.8\nwhile time.process_time() < end: pass\n"
        + works("slow"),
        "s to import, for which every command waits",
    ),
    "bad-command": (
        works("bad-command").replace(
            "@hookimpl",
            "def mine():\n    print('mine works')\n\n\n@hookimpl\ndef register_commands(app):\n"
            "    app.command('run')(print)\n    app.command('mine')(mine)\n\n\n@hookimpl",
        ),
        "has a command 'run', which exists already and stays; rename yours",
    ),
    "printing": ("print('HELLO ' * 50)\n" + works("printing"), "prints on import ('HELLO HELLO"),
    "torch-on-top": ("import torch\n" + works("torch-on-top"), "imports torch at the top, which"),
    "torch-too": (
        "from torch import nn\n" + works("torch-too"),
        "imports torch at the top, which makes every command slow",
    ),
}
FAKE_TORCH = "class Module:\n    pass\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, wheels = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("wheels")
    made = [wheel(wheels, name, source) for name, (source, _) in {**BROKEN, **LOUD}.items()]
    install(folder, [wheel(wheels, "aa-works", works("echo-one"), version="2.0"), *made])
    # A torch that loads at once: what counts is its name, and the test must not take seconds.
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text("from torch import nn\n")
    (folder / "torch" / "nn.py").write_text(FAKE_TORCH)
    return folder


def toolkit(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), *(str(ROOT / part) for part in ("", "plugins"))])
    return subprocess.run(
        [sys.executable, "-m", "toolkit.cli", *arguments],
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def shown(site: Path) -> dict[str, Any]:
    answer = toolkit(site, "plugins", "--json")
    assert answer.returncode == 0, answer.stderr
    return {plugin["distribution"]: plugin for plugin in json.loads(answer.stdout)}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_shown_with_its_reason(shown: dict[str, Any], name: str) -> None:
    plugin = shown[name]
    assert BROKEN[name][1] in plugin["problem"]
    assert plugin["version"] == "1.0"
    assert "Traceback" not in plugin["problem"]


@pytest.mark.parametrize("name", LOUD)
def test_a_plugin_with_bad_habits_works_and_is_named(shown: dict[str, Any], name: str) -> None:
    plugin = shown[name]
    assert plugin["problem"] is None and len(plugin["tasks"]) == 1
    assert any(LOUD[name][1] in warning for warning in plugin["warnings"]), plugin["warnings"]


def test_a_good_plugin_has_no_warning(shown: dict[str, Any]) -> None:
    assert shown["aa-works"]["warnings"] == [] and shown["aa-works"]["problem"] is None


def test_all_other_tasks_are_listed_and_nothing_else_is_printed(site: Path) -> None:
    answer = toolkit(site, "tasks", "--json")
    assert answer.returncode == 0 and "HELLO" not in answer.stdout + answer.stderr
    found = {task["name"]: task["distribution"] for task in json.loads(answer.stdout)}
    assert found["price-regression"] == "adapter-toolkit"
    names = set(found)
    assert {"echo-one", "slow", "printing", "torch-on-top", "bad-command"} <= names
    assert not names & {"taken-back", "from-the-future", "from-the-past", "x"}


def test_people_see_distribution_version_and_reason(site: Path) -> None:
    answer = toolkit(site, "plugins")
    assert answer.returncode == 0
    text = " ".join(answer.stdout.split())
    assert "missing-dependency 1.0" in text and "package_that_is_not_there" in text
    assert "torch-on-top (torch-on-top 1.0) imports torch at the top" in text


def test_a_task_whose_plugin_is_broken_is_refused_with_the_reason(site: Path) -> None:
    answer = toolkit(site, "run", "missing-dependency")
    assert answer.returncode == 2
    assert "the plugin missing-dependency of missing-dependency 1.0 is broken" in answer.stderr
    assert "No module named 'package_that_is_not_there'" in answer.stderr


def test_a_plugin_cannot_take_the_place_of_a_command(site: Path) -> None:
    answer = toolkit(site, "run", "--help")
    assert answer.returncode == 0 and "Prepare data, train" in answer.stdout
    answer = toolkit(site, "mine")
    assert answer.returncode == 0 and answer.stdout == "mine works\n", answer.stderr


@pytest.mark.slow
def test_the_real_torch_at_the_top_is_named_with_its_time(tmp_path: Path) -> None:
    install(tmp_path / "site", [wheel(tmp_path, "heavy", "import torch\n" + works("heavy"))])
    answer = toolkit(tmp_path / "site", "plugins", "--json")
    (plugin,) = [p for p in json.loads(answer.stdout) if p["distribution"] == "heavy"]
    assert plugin["problem"] is None and plugin["tasks"] == ["heavy"]
    said = " ".join(plugin["warnings"])
    assert "imports torch at the top" in said and "s to import" in said, said
    assert plugin["seconds"] >= 0.5
