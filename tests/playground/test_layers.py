"""Imports of the playground go one way, and what it computes needs neither gradio nor HTML."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import toolkit_playground

HOME = Path(toolkit_playground.__file__).parent
LAYERS = ("state", "rendering", "views", "app", "serve", "command", "")
"""From the bottom up; the last is the package itself."""
WITHOUT_GRADIO = ("state", "rendering", "serve", "command", "")


def layer(module: str) -> str:
    """The layer of ``toolkit_playground.views.chat`` is ``views``."""
    return module.removeprefix("toolkit_playground").removeprefix(".").partition(".")[0]


def modules() -> dict[str, ast.Module]:
    found = {}
    for path in HOME.rglob("*.py"):
        parts = ("toolkit_playground", *path.relative_to(HOME).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imported(tree: ast.AST) -> set[str]:
    """Modules that are imported anywhere in a module, in functions and for types too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level and node.module
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (inside & MODULES.keys()) or {node.module}
    return names


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_imports_its_own_layer_and_those_below(name: str) -> None:
    allowed = LAYERS[: LAYERS.index(layer(name)) + 1]
    ours = {other for other in imported(MODULES[name]) if other.startswith("toolkit_playground")}
    assert {layer(other) for other in ours} <= {*allowed}


@pytest.mark.parametrize("name", sorted(n for n in MODULES if layer(n) in WITHOUT_GRADIO))
def test_gradio_is_loaded_by_the_views_and_the_app_alone(name: str) -> None:
    at_top = [n for n in MODULES[name].body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {top.partition(".")[0] for node in at_top for top in imported(node)}
    assert "gradio" not in names
    if layer(name) == "state":
        assert "html" not in names


def test_no_two_modules_import_each_other() -> None:
    graph = {name: imported(tree) & MODULES.keys() for name, tree in MODULES.items()}
    while ready := {name for name, needs in graph.items() if not needs & graph.keys()}:
        graph = {name: needs for name, needs in graph.items() if name not in ready}
    assert not graph
