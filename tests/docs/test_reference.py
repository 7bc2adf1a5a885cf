"""Every public name and hook is in the docs, and the public API changes with the changelog."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit
from toolkit.plugins import hookspecs

ROOT = Path(__file__).parents[2]
RELEASED = Path(__file__).with_name("api-released.json")
"""The public API of the last release; written anew by ``python -m``, see :func:`main`."""
MENTIONED = re.compile(r"^::: (\S+)$", re.MULTILINE)


def in_the_docs() -> set[str]:
    pages = (ROOT / "docs").rglob("*.md")
    return {name for page in pages for name in MENTIONED.findall(page.read_text("utf-8"))}


def hooks() -> list[str]:
    return [
        name
        for name, value in vars(hookspecs).items()
        if inspect.isfunction(value) and hasattr(value, f"{hookspecs.PROJECT}_spec")
    ]


def test_every_public_name_is_in_the_reference() -> None:
    names = {f"toolkit.{name}" for name in toolkit.__all__ if name != "__version__"}
    modules = {*toolkit.PUBLIC_MODULES, *toolkit.APPLICATION_MODULES} - {"toolkit.task"}
    assert {*names, *modules} - in_the_docs() == set()


def test_every_hook_is_in_the_reference() -> None:
    assert len(hooks()) == 3
    assert {f"toolkit.plugins.hookspecs.{name}" for name in hooks()} <= in_the_docs()


@pytest.mark.parametrize("name", sorted({*toolkit.PUBLIC_MODULES, *toolkit.APPLICATION_MODULES}))
def test_what_is_public_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    for each, value in public(module):
        if inspect.isfunction(value) or inspect.isclass(value):
            assert value.__doc__, f"{name}.{each}"


def test_every_public_value_and_member_says_what_it_is() -> None:
    classes = {
        f"toolkit.{n}": v for n in toolkit.__all__ if inspect.isclass(v := getattr(toolkit, n))
    }
    missing = [
        f"{name}.{member}" for name, value in classes.items() for member in undocumented(value)
    ]
    for name in toolkit.PUBLIC_MODULES:
        module = importlib.import_module(name)
        documented = docstrings(ast.parse(inspect.getsource(module)))
        for source in sources(module):  # where the names of a package are defined
            documented |= docstrings(ast.parse(inspect.getsource(importlib.import_module(source))))
        values = [n for n, v in public(module) if not (inspect.isfunction(v) or inspect.isclass(v))]
        fixtures = {"check_task", "run_task", "tiny_model"}  # functions that pytest has wrapped
        missing += [
            f"{name}.{n}" for n in values if documented.get(n) is False and n not in fixtures
        ]
    assert not missing, f"without a docstring, and so not in the reference: {', '.join(missing)}"


def undocumented(value: type) -> list[str]:
    """The public members of a class of ours that neither it nor a base of it explains."""
    if not value.__module__.startswith("toolkit."):
        return []
    own, *above = (
        docstrings(tree(base)) for base in value.__mro__ if base.__module__[:7] == "toolkit"
    )
    fields = (
        {f.name for f in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    )
    return [
        name
        for name, documented in own.items()
        if not (documented or name.startswith("_") or any(base.get(name) for base in above))
        and not (name in fields and f"\n        {name}: " in f"{value.__doc__}")
        and not (name in fields and f"\n    {name}: " in f"{value.__doc__}")
    ]


def tree(value: type) -> ast.Module | ast.ClassDef:
    (found,) = ast.parse(inspect.getsource(value)).body
    assert isinstance(found, ast.ClassDef)
    return found


def docstrings(parent: ast.Module | ast.ClassDef) -> dict[str, bool]:
    """The names that a module or class gives, each with whether a docstring is there."""
    found = {}
    for node, below in itertools.pairwise([*parent.body, ast.Pass()]):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = ast.get_docstring(node) is not None
            continue
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        documented = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        found |= {each.id: documented for each in targets if isinstance(each, ast.Name)}
    return found


def public(module: Any) -> Iterator[tuple[str, Any]]:
    """The names that a module itself defines and does not hide."""
    names = getattr(module, "__all__", None)
    # A façade gives its names when they are looked up, so they are not among its variables.
    found = {name: getattr(module, name) for name in names or vars(module)}
    for name, value in sorted(found.items()):
        own = getattr(value, "__module__", module.__name__) == module.__name__
        if names is not None:
            own = name in names
        hidden = name.startswith("_") or name == "TYPE_CHECKING"
        if own and not hidden and not inspect.ismodule(value):
            yield name, value


def sources(module: Any) -> set[str]:
    """The modules whose names a package exports lazily."""
    inside = f"{module.__name__}."
    return {
        node.module
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(inside)
    }


def api() -> dict[str, str]:
    """Public name, with a dot each public member of a class → its signature as text."""
    found: dict[str, str] = {}
    for name in toolkit.__all__:
        if name != "__version__":
            found |= described(name, getattr(toolkit, name))
    for module in toolkit.PUBLIC_MODULES:
        for name, value in public(importlib.import_module(module)):
            if name not in toolkit.__all__:
                found |= described(f"{module}.{name}", value)
    for name in hooks():
        found |= described(f"hook {name}", getattr(hookspecs, name))
    return found


def described(name: str, value: Any) -> dict[str, str]:
    """A function's signature; a class's bases, public members and fields."""
    if not inspect.isclass(value):
        return {name: signature(value)}
    found = {name: f"class({', '.join(base.__name__ for base in value.__bases__)})"}
    if dataclasses.is_dataclass(value):
        fields = [f.name for f in dataclasses.fields(value) if not f.name.startswith("_")]
        found |= {f"{name}.{field}": "field" for field in fields}
    for member, each in sorted(vars(value).items()):
        if not member.startswith("_"):
            found.setdefault(f"{name}.{member}", signature(getattr(each, "__func__", each)))
    return found


def signature(value: Any) -> str:
    return str(inspect.signature(value)) if inspect.isfunction(value) else type(value).__name__


def unreleased() -> str:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return text.partition("## [Unreleased]")[2].partition("\n## [")[0]


def test_what_has_changed_since_the_release_is_in_the_changelog() -> None:
    before = json.loads(RELEASED.read_text(encoding="utf-8"))
    now = api()
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    text = unreleased()
    missing = [name for name in changed if not any(f"`{way}`" in text for way in ways(name))]
    assert not missing, f"name these in CHANGELOG.md under Unreleased: {', '.join(missing)}"


def ways(name: str) -> set[str]:
    """How the changelog may name something: by itself, or by what it came or went with."""
    path = name.removeprefix("hook ").split(".")
    parents = {".".join(path[:n]) for n in range(1, len(path)) if path[:n] != ["toolkit"]}
    released = json.loads(RELEASED.read_text(encoding="utf-8"))
    now = api()

    def known(parent: str, names: Iterable[str]) -> bool:
        return any(f"{name}.".startswith(f"{parent}.") for name in names)

    moved = {p for p in parents if not (known(p, released) and known(p, now))}
    return {path[-1], ".".join(path[-2:]), *moved}


@pytest.mark.parametrize(
    "path",
    sorted([*(ROOT / "plugins").rglob("*.py"), *(ROOT / "playground").rglob("*.py")]),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_built_in_plugins_import_what_anybody_may(path: Path) -> None:
    assert not_public(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from toolkit import Task", []),
        ("from toolkit import metrics", []),
        ("from toolkit.metrics import EXACT_MATCH", []),
        ("from toolkit.evaluation import preference_sheet", []),
        ("from toolkit.evaluation.preference_sheet import draw", []),
        ("import toolkit.metrics", []),
        ("from toolkit import kinds", []),
        ("from toolkit import cli", ["toolkit.cli"]),
        ("from toolkit.metrics.common import EXACT_MATCH", ["toolkit.metrics.common.EXACT_MATCH"]),
        ("from toolkit.runs import files", ["toolkit.runs.files"]),
        ("from toolkit.plugins.contract import rule", ["toolkit.plugins.contract.rule"]),
        (
            "def late():\n    import toolkit.plugins.contract.rule as rules",
            ["toolkit.plugins.contract.rule"],
        ),
        ("from toolkit.metrics import _hidden", ["toolkit.metrics._hidden"]),
        ("from toolkit.metrics import *", ["toolkit.metrics.*"]),
        ("import toolkit\ntoolkit.cli.main", ["toolkit.cli"]),
        (
            "import importlib\nimportlib.import_module('toolkit.plugins.contract.rule')",
            ["toolkit.plugins.contract.rule"],
        ),
        ("from toolkit import metrics\nmetrics._hidden", ["metrics._hidden"]),
    ],
)
def test_what_is_not_public_is_found(code: str, found: list[str]) -> None:
    assert not_public(code) == found


def not_public(code: str) -> list[str]:
    """What a module takes from the toolkit that the API version does not cover."""
    allowed = {*toolkit.PUBLIC_MODULES, *toolkit.APPLICATION_MODULES}
    exported = {name: exports(name) for name in allowed}
    # A module that a package exports may be imported from as well.
    allowed |= {f"{name}.{each}" for name in exported for each in exported[name] or ()}
    names = set(toolkit.__all__)
    found, modules = [], set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and ours(node.module) and not node.level:
            for name in (alias.name for alias in node.names):
                whole = f"{node.module}.{name}"
                if whole in allowed:
                    modules.add(name)
                elif node.module == "toolkit":
                    found += [] if name in names else [whole]
                elif node.module not in allowed or name.startswith("_") or name == "*":
                    found.append(whole)
                else:
                    known = exported.get(node.module)
                    found += [] if known is None or name in known else [whole]
        elif isinstance(node, ast.Import):
            given = [alias.name for alias in node.names if ours(alias.name)]
            found += [name for name in given if name not in {"toolkit", *allowed}]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            values = [each.value for each in node.args if isinstance(each, ast.Constant)]
            found += [v for v in values if ours(str(v)) and v not in {"toolkit", *allowed}]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            whole = f"{node.value.id}.{node.attr}"
            hidden = node.value.id in modules and node.attr.startswith("_")
            if hidden or (node.value.id == "toolkit" and node.attr not in names | {"__version__"}):
                found += [] if whole in allowed else [whole]
    return found


def exports(name: str) -> list[str] | None:
    """What a package exports; ``None`` for a module that hides by underscores alone."""
    exported: list[str] | None = getattr(importlib.import_module(name), "__all__", None)
    return exported


def ours(module: str | None) -> bool:
    return module is not None and (module == "toolkit" or module.startswith("toolkit."))


def main() -> None:
    """Write the public API as released: ``python tests/docs/test_reference.py``."""
    RELEASED.write_text(json.dumps(api(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {RELEASED}\n")


if __name__ == "__main__":
    main()
