"""Who may import whom, and what may be imported before it is needed.

Read from the source with ``ast``, so that an import inside a function counts as late and one under
``TYPE_CHECKING`` as none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "accelerate",
    "bitsandbytes",
    "datasets",
    "gradio",
    "matplotlib",
    "pandas",
    "peft",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "torch",
    "trackio",
    "transformers",
    "trl",
    "unsloth",
}
# Classes that inherit from upstream's cannot be written without importing it; these modules are
# themselves imported late, which the closure below makes sure of.
MAY_BE_HEAVY = (
    "toolkit.kinds.",
    "toolkit.preparation.memory.quantized_layers",
    "toolkit.preparation.memory.live_bytes",
    "toolkit.models.embedded.",
)
LIGHT = (
    "toolkit",
    "toolkit.cli",
    "toolkit.preparation.prepare",
    "toolkit.errors",
    "toolkit.plugins.hookspecs",
    "toolkit.kinds",
    "toolkit.kinds.base",
    "toolkit.kinds.causal_lm.task",
    "toolkit.plugins.discovery",
    "toolkit.plugins.recipes",
    "toolkit.reporting.report",
    "toolkit.runs.run",
    "toolkit.evaluation.score",
    "toolkit.metrics.statistics",
    "toolkit.task",
    "toolkit_price_regression",
    "toolkit_review_augmentation",
)


def sources() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    found = {}
    for base in (ROOT, ROOT / "plugins", ROOT / "playground"):
        for package in base.glob("toolkit*"):
            for path in package.rglob("*.py"):
                parts = path.relative_to(base).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found[name] = path
    return found


MODULES = sources()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def statements(node: ast.AST, late: bool) -> Iterator[ast.stmt]:
    """The import statements under a node; with ``late`` those inside functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif is_type_checking(child) and not late:
            assert isinstance(child, ast.If)
            for other in child.orelse:
                yield from statements(other, late)
        elif late or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from statements(child, late)


def imported(name: str, *, late: bool) -> set[str]:
    """The dotted names that a module imports (``from a import b`` gives ``a`` and ``a.b``)."""
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    names: set[str] = set()
    for node in statements(TREES[name], late):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def closure(name: str) -> dict[str, str]:
    """The project's modules loaded by importing one, each with the module that asks for it."""
    reached = {name: name}
    waiting = [name]
    while waiting:
        here = waiting.pop()
        parents = {here.rsplit(".", n)[0] for n in range(1, here.count(".") + 1)}
        for other in sorted((imported(here, late=False) | parents) & MODULES.keys()):
            if other not in reached:
                reached[other] = here
                waiting.append(other)
    return reached


def test_the_project_was_found() -> None:
    assert {"toolkit.cli", "toolkit.task", "toolkit_price_regression.task"} <= MODULES.keys()
    assert "torch" not in tops(imported("toolkit.task", late=False))


@pytest.mark.parametrize("name", sorted(name for name in MODULES if tops({name}) == {"toolkit"}))
def test_the_core_knows_no_plugin_and_no_playground(name: str) -> None:
    foreign = {top for top in tops(imported(name, late=True)) if top.startswith("toolkit_")}
    assert not foreign
    assert "gradio" not in tops(imported(name, late=True))


@pytest.mark.parametrize(
    "name",
    sorted(n for n in MODULES if n.startswith("toolkit_") and "playground" not in n),
)
def test_plugins_know_no_playground(name: str) -> None:
    assert not tops(imported(name, late=True)) & {"toolkit_playground", "gradio"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_heavy_libraries_are_imported_late(name: str) -> None:
    if name.startswith(MAY_BE_HEAVY) or tops({name}) == {"toolkit_playground"}:
        return
    assert not tops(imported(name, late=False)) & HEAVY


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_stay_light_through_what_they_import(name: str) -> None:
    for reached, by in closure(name).items():
        heavy = tops(imported(reached, late=False)) & HEAVY
        assert not heavy, f"importing {name} loads {heavy}: {by} imports {reached}"
