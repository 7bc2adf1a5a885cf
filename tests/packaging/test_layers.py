"""The contracts on imports in ``pyproject.toml`` hold, and a new arrow against them is noticed."""

from __future__ import annotations

import graphlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("toolkit", "plugins", "playground", "pyproject.toml")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a checkout, by its own files and not by an installed copy."""
    places = os.pathsep.join(map(str, (root, root / "plugins", root / "playground")))
    code = "import sys; from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=root, env={**os.environ, "PYTHONPATH": places}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
            shutil.copytree(source, root / name, ignore=ignore)
        else:
            shutil.copy(source, root / name)
    return root


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        # An arrow up, late.
        ("toolkit/errors.py", "def f():\n    import toolkit.pipeline.run\n", "downwards"),
        # An arrow up, for types alone.
        (
            "toolkit/data/columns.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import toolkit.task\n",
            "downwards",
        ),
        # An arrow up in the playground, and the web framework below the views.
        (
            "playground/toolkit_playground/state/store.py",
            "def f():\n    import toolkit_playground.rendering.html\n",
            "The playground's packages import downwards",
        ),
        (
            "playground/toolkit_playground/rendering/html.py",
            "def f():\n    import gradio\n",
            "state and HTML know no web framework",
        ),
        # A circle within a package.
        ("toolkit/metrics/metric.py", "import toolkit.metrics.statistics\n", "circles"),
        # The core that knows a plugin, and the web framework.
        ("toolkit/pipeline/run.py", "def f():\n    import toolkit_qa\n", "no plugin"),
        ("toolkit/cli/app.py", "def f():\n    import gradio\n", "no plugin"),
        # A plugin that knows another.
        ("plugins/toolkit_qa/load.py", "import toolkit_summarization.load\n", "neither"),
        ("plugins/toolkit_serving/served.py", "import toolkit_qa\n", "neither"),
        ("plugins/toolkit_serving/served.py", "import gradio\n", "no gradio"),
        # A package that no layer has.
        ("toolkit/attic/__init__.py", "", "downwards"),
    ],
)
def test_a_new_arrow_is_noticed(copy: Path, file: str, line: str, contract: str) -> None:
    place = copy / file
    before = place.read_text(encoding="utf-8") if place.exists() else None
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"{before or ''}\n{line}", encoding="utf-8")
    try:
        done = lint(copy)
        assert done.returncode != 0, done.stdout
        broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
        assert any(contract in text for text in broken), done.stdout
    finally:
        if before is None:
            shutil.rmtree(place.parent)
        else:
            place.write_text(before, encoding="utf-8")


def test_the_top_of_the_core_stays_small() -> None:
    top = ROOT / "toolkit"
    packages = [p for p in top.iterdir() if p.is_dir() and any(p.glob("*.py"))]
    assert len(packages) <= 13
    assert len(list(top.glob("*.py"))) <= 9


def test_no_module_is_in_a_circle() -> None:
    """Single modules too, and a package's face with what is in the package."""
    graph = grimp.build_graph("toolkit", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, naming the circle
