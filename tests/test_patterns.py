"""All regular expressions of the toolkit and its plugins take linear time on any text.

Texts of users may hold 20,000 blanks, digits or brackets. A pattern that tries every start and
reads to the end from each takes seconds for them, and one with nested repetitions does not end.

The patterns are found, not listed: compiled ones in the modules, at any depth of their values, with
the methods that are called on them; and those that stand where they are used, in the code.
"""

from __future__ import annotations

import ast
import gc
import importlib
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
import regex

from campaign import FACTOR

ROOT = Path(__file__).parent.parent
PACKAGES = (ROOT / "toolkit", *sorted(p for p in (ROOT / "plugins").iterdir() if p.is_dir()),
            ROOT / "playground" / "toolkit_playground")  # fmt: skip
METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
LENGTH = 20_000
LIMIT = 0.15
"""Seconds of CPU for one text; a linear pattern takes a hundredth, a quadratic one half of one."""

PIECES = (
    " ", "\n", "1", "1,", "1.", "1 ", "1,000", "1 000 ", "a", "Aa", "ab", "a b ", "a-", "a.",
    "a1", "-", "_",
    ".", ",", ":", "'", '\\"', "\\", "(", "[", "{", ")", "]", "}", "[]", "{a", "<a ", "=", "|",
    "a: ", "a[",
    "a[b]", "$", "$1", "1 x ", "1 by ", "*", "e1", "the ", "price ", "★", "e\u0301", "中", "ก",
)  # fmt: skip
"""What texts repeat; each also stands between other signs at their ends."""
ENDS = (("", ""), ("1", "!"), ("a: ", "|x"), ("price", "x"))
OWN = ("toolkit.reporting.svg",)
"""Modules whose patterns read what a library has written, and no text of a user."""


class Use(NamedTuple):
    """A pattern and the method by which the code uses it."""

    where: str
    method: str
    pattern: Any


def texts() -> Iterator[str]:
    for piece in PIECES:
        body = piece * (LENGTH // len(piece))
        for before, after in ENDS if FACTOR > 1 else ENDS[1:3]:
            yield f"{before}{body}{after}"


def modules() -> Iterator[tuple[Path, str]]:
    for package in PACKAGES:
        for file in sorted(package.rglob("*.py")):
            if "templates" not in file.parts and file.name != "__main__.py":
                parts = file.relative_to(package.parent).with_suffix("").parts
                yield file, ".".join(parts).removesuffix(".__init__")


def patterns_in(value: Any, depth: int = 4) -> Iterator[Any]:
    if isinstance(value, re.Pattern | regex.Pattern):
        yield value
    elif depth and isinstance(value, Mapping):
        for inside in (*value.keys(), *value.values()):
            yield from patterns_in(inside, depth - 1)
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for inside in value:
            yield from patterns_in(inside, depth - 1)


def of_values(sources: Mapping[str, str]) -> Iterator[Use]:
    """Compiled patterns of the modules, with the methods that any code calls on their names."""
    everything = "\n".join(sources.values())
    for name, own in sources.items():
        if name in OWN:
            continue
        module = importlib.import_module(name)
        for attribute, value in list(vars(module).items()):
            for pattern in patterns_in(value):
                seen = own if attribute.startswith("_") else everything
                called = set(re.findall(rf"\b{attribute}\.(\w+)\b", seen)) & set(METHODS)
                if not called:  # by another name, such as that of a loop
                    called = {m for m in METHODS if m != "split" and re.search(rf"\.{m}\(", own)}
                for method in sorted(called):
                    yield Use(f"{name}.{attribute}", method, pattern)


def of_code(sources: Mapping[str, str]) -> Iterator[Use]:
    """Patterns that stand in the calls of functions of ``re`` and ``regex``."""
    for name, source in sources.items():
        if name in OWN:
            continue
        for node in ast.walk(ast.parse(source)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, method = node.func.value, node.func.attr
            if not (isinstance(owner, ast.Name) and owner.id in ("re", "regex") and node.args):
                continue
            text = node.args[0]
            if method in METHODS and isinstance(text, ast.Constant):
                compiled = {"re": re, "regex": regex}[owner.id].compile(text.value)
                yield Use(f"{name}:{node.lineno}", method, compiled)


def all_uses() -> list[Use]:
    sources = {name: file.read_text(encoding="utf-8") for file, name in modules()}
    found: dict[tuple[str, str], Use] = {}
    for use in (*of_values(sources), *of_code(sources)):
        found.setdefault((repr(use.pattern), use.method), use)
    return list(found.values())


USES = all_uses()


def call(use: Use, text: str) -> Callable[[], Any]:
    method = getattr(use.pattern, use.method)
    extra = {"timeout": LIMIT} if isinstance(use.pattern, regex.Pattern) else {}
    if use.method in ("sub", "subn"):
        return partial(method, "", text, **extra)
    if use.method == "finditer":
        return lambda: list(method(text, **extra))
    return partial(method, text, **extra)


class TooLong(BaseException):
    """No ``Exception``: nothing on the way may catch it."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong


def seconds(action: Callable[[], Any]) -> float:
    """The CPU time of an action, which is stopped where it takes too long."""
    before = signal.signal(signal.SIGVTALRM, _too_long)
    gc.disable()  # it would take its time within that of the pattern
    started = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * LIMIT)
    try:
        action()
    except (TooLong, TimeoutError):
        return 2 * LIMIT
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        gc.enable()
        signal.signal(signal.SIGVTALRM, before)
    return time.process_time() - started


def test_the_patterns_are_found() -> None:
    where = {use.where for use in USES}
    assert len(USES) > 90
    for known in ("toolkit.decoding._NUMBER", "toolkit_price_regression.prices._PRICE",
                  "toolkit_summarization.faithfulness._BRACKETED"):  # fmt: skip
        assert any(name.startswith(known.rpartition(".")[0]) for name in where), known


@pytest.mark.parametrize("text", ["a" * 30 + "!"])
def test_a_pattern_that_does_not_end_is_stopped(text: str) -> None:
    slow = Use("here", "fullmatch", re.compile(r"(a+)+b"))
    assert seconds(call(slow, text)) >= LIMIT


@pytest.mark.parametrize("use", USES, ids=lambda use: f"{use.where} {use.method}")
def test_a_pattern_takes_linear_time(use: Use) -> None:
    for text in texts():
        taken = seconds(call(use, text))
        if taken > LIMIT:  # once more: the machine may have been busy
            taken = min(taken, seconds(call(use, text)))
        assert taken <= LIMIT, f"{use.pattern.pattern!r}: {text[:12]!r}… takes {taken:.2f} s"
