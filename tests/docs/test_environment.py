"""The table of environment variables: every one that the code reads, and none that it does not."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "environment.md").read_text("utf-8")
BASES = {"toolkit": ROOT, "plugins": ROOT / "plugins", "playground": ROOT / "playground"}
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
BY_NAME = ("get", "pop", "setdefault", "getenv")


def read_by(path: Path, module: str) -> set[str]:
    """The variables that a module reads or sets by their names."""
    tree = ast.parse(path.read_text("utf-8"))
    found: set[str] = set()
    for key in keys(tree):
        if isinstance(key, ast.Constant):
            found.add(str(key.value))
        elif (value := constant(key, module)) is not None:
            found.add(value)
        else:  # one of several: all names in the module that look like a variable's
            texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            found |= {t for t in texts if isinstance(t, str) and NAME.fullmatch(t) and "_" in t}
    return found


def keys(tree: ast.AST) -> Iterator[ast.expr]:
    """What stands in ``os.environ[…]``, ``os.environ.get(…)`` and ``os.getenv(…)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield node.slice
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = ast.unparse(node.func.value)
            if node.func.attr in BY_NAME and of in ("os.environ", "os") and node.args:
                yield node.args[0]


def constant(key: ast.expr, module: str) -> str | None:
    """The value of a constant, of this module or of another that it imports; else ``None``."""
    value = importlib.import_module(module)
    for part in ast.unparse(key).split("."):
        value = getattr(value, part, None)
    return value if isinstance(value, str) else None


def in_the_code() -> set[str]:
    found: set[str] = set()
    for name, base in BASES.items():
        for path in sorted((ROOT / name).rglob("*.py")):
            if "environ" in path.read_text("utf-8") and "templates" not in path.parts:
                module = ".".join(path.relative_to(base).with_suffix("").parts)
                found |= read_by(path, module.removesuffix(".__init__"))
    return found


def named_in_the_code() -> set[str]:
    """Variables of the toolkit that stand in the code as texts; some are read by another name."""
    texts: set[str] = set()
    for name in BASES:
        for path in (ROOT / name).rglob("*.py"):
            texts |= set(
                re.findall(r'= "(TOOLKIT_[A-Z_]+)"$', path.read_text("utf-8"), re.MULTILINE)
            )
    return texts


def in_the_table() -> set[str]:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_0-9]+)`", row.split("|")[1])}


def test_the_table_has_each_variable_of_the_code() -> None:
    found = in_the_code()
    assert {"TOOLKIT_RUNS", "TOOLKIT_DEVICE", "ACCELERATE_USE_FSDP", "DO_NOT_TRACK"} <= found
    assert found - in_the_table() == set()


def test_the_table_has_no_variable_of_the_toolkit_that_nothing_reads() -> None:
    ours = {name for name in in_the_table() if name.startswith("TOOLKIT_")}
    assert ours - in_the_code() - named_in_the_code() == set()
