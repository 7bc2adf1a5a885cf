"""Do the tests notice wrong code? Mutants of the modules on which a verdict rests.

    python .ci/campaign/mutants.py [--seed 14] [--count 60] [--jobs 2] [--log FILE]

cosmic-ray (https://cosmic-ray.readthedocs.io) finds every place where one of its operators changes
a module; a seed draws some of them, and each is tested in a copy of the checkout: the change is
made, the module's tests run, and a mutant lives where they all pass. Changes of annotations alone,
which nothing evaluates, are not drawn, nor is what is no Python any more. Faults that were once
found alive (``KNOWN``) come first, and before them each set of tests on an unchanged module.

Needs ``pip install cosmic-ray`` beside the extra ``dev``. A log that is there already is continued.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

import checkout  # noqa: E402

TIMEOUT = 1_200
"""Seconds for the tests of one mutant; one that takes longer loops for ever, and counts as dead.

The log says so, because a very busy machine may be the reason too."""

TESTS = {
    "toolkit/metrics/": ["tests/metrics", "tests/evaluation"],
    "toolkit/evaluation/verdict.py": ["tests/evaluation", "tests/reporting"],
    "toolkit/evaluation/standing.py": ["tests/evaluation", "tests/reporting"],
    "toolkit/evaluation/groups.py": ["tests/evaluation", "tests/pipeline"],
    "toolkit/evaluation/decoders.py": ["tests/evaluation", "tests/reporting"],
    "toolkit/evaluation/score.py": ["tests/evaluation", "tests/reporting"],
    "toolkit/evaluation/outputs.py": ["tests/evaluation", "tests/pipeline"],
    "toolkit/evaluation/predict.py": ["tests/evaluation", "tests/pipeline"],
    "toolkit/decoding.py": ["tests/test_decoding.py", "tests/evaluation"],
    "toolkit/data/splits.py": ["tests/data", "tests/preparation"],
    "toolkit/data/stratification.py": ["tests/data", "tests/preparation"],
    "toolkit/preparation/leakage.py": ["tests/preparation"],
}
"""A module, or a folder of modules → the tests that are to notice its mutants."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Args:
        module: its path in the checkout.
        what: the operator and its occurrence, or what the change does.
        line: the first line that differs.
        code: the module's text after the change.
    """

    module: str
    what: str
    line: int
    code: str


KNOWN: tuple[tuple[str, str, str, str], ...] = (
    (
        "toolkit/preparation/leakage.py", "answers in the texts are serious from 30 % and not 1 %",
        "max(0.01, 3 * spread)", "max(0.3, 3 * spread)",
    ),
    (
        "toolkit/metrics/answers.py", "token F1 counts different words",
        "sum((Counter(predicted) & Counter(expected)).values())",
        "len(set(predicted) & set(expected))",
    ),
    (
        "toolkit/metrics/classification.py", "an unknown prediction is the first class",
        "numbers.get(label, NO_CLASS - 1 - zlib.crc32(repr(label).encode()))",
        "numbers.get(label, 0.0)",
    ),
    (
        "toolkit/metrics/statistics.py", "the interval of a share is Clopper and Pearson's",
        'method="wilson"', 'method="exact"',
    ),
    (
        "toolkit/evaluation/outputs.py", "the decoder is chosen on the test rows",
        'on_validation = answered.of("validation")', 'on_validation = answered.of("test")',
    ),
)  # fmt: skip
"""Module, what the change does, the text that is replaced, and its replacement."""


def modules() -> list[str]:
    """The paths of all modules that are mutated."""
    found = []
    for place in TESTS:
        if place.endswith("/"):
            found += [str(p.relative_to(ROOT)) for p in sorted((ROOT / place).glob("*.py"))]
        else:
            found.append(place)
    return [name for name in found if not name.endswith("__init__.py")]


def tests_of(module: str) -> list[str]:
    """The tests that are to notice a module's mutants; its own come first."""
    place = max((p for p in TESTS if module.startswith(p)), key=len)
    path = Path("tests", *Path(module).parts[1:])
    own = str(path.with_name(f"test_{path.name}"))
    return [own, *(test for test in TESTS[place] if test != own)]


UNCHANGED = "nothing"
"""What a control changes: its tests have to pass, or every mutant of theirs would count as dead."""


def controls() -> Iterator[Mutant]:
    """For each set of tests a module as it is."""
    found = {tuple(TESTS[place]): place for place in TESTS}
    for place in found.values():
        module = next(name for name in modules() if name.startswith(place))
        yield Mutant(module, UNCHANGED, 0, (ROOT / module).read_text(encoding="utf-8"))


def known() -> Iterator[Mutant]:
    """The mutants of :data:`KNOWN`; raises ``ValueError`` where a text is not in its module."""
    for module, what, old, new in KNOWN:
        code = (ROOT / module).read_text(encoding="utf-8")
        if code.count(old) != 1:
            raise ValueError(f"{module} has {code.count(old)} times {old!r}; adapt KNOWN")
        changed = code.replace(old, new)
        yield Mutant(module, what, _line(code, changed), changed)


def drawn(seed: int, count: int) -> Iterator[Mutant]:
    """``count`` mutants, drawn from all that cosmic-ray makes of the modules."""
    from cosmic_ray import mutating, plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    places = []
    for module in modules():
        nodes = list(ast_nodes(get_ast((ROOT / module).read_text(encoding="utf-8"))))
        for name in sorted(plugins.operator_names()):
            kind = plugins.get_operator(name)
            if kind.arguments():
                continue
            found = sum(1 for node in nodes for _ in kind().mutation_positions(node))
            places += [(module, name, number) for number in range(found)]
    print(f"{len(places):,} places in {len(modules())} modules; seed {seed}")
    random.Random(seed).shuffle(places)
    made = 0
    for module, name, number in places:
        if made == count:
            return
        code = (ROOT / module).read_text(encoding="utf-8")
        changed = mutating.mutate_code(code, plugins.get_operator(name)(), number)
        if changed is None or not _valid(changed) or _meaning(changed) == _meaning(code):
            continue
        made += 1
        yield Mutant(module, f"{name} #{number}", _line(code, changed), changed)


def _valid(code: str) -> bool:
    """Whether a module can be read at all: any test would notice one that cannot."""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _meaning(code: str) -> str:
    """A module without annotations, which are never evaluated, and without docstrings."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if hasattr(node, field):
                setattr(node, field, None)
    return ast.dump(tree)


def _line(code: str, changed: str) -> int:
    pairs = zip(code.splitlines(), changed.splitlines(), strict=False)
    return next((n for n, (a, b) in enumerate(pairs, start=1) if a != b), 0)


def dies(mutant: Mutant, copies: queue.Queue[Path]) -> tuple[bool, float]:
    """Whether a test fails on the mutant, in one of the copies, and after how many seconds.

    :data:`TIMEOUT` seconds and more are those of one that did not end.
    """
    copy = copies.get()
    try:
        return _dies(mutant, copy)
    finally:
        copies.put(copy)


def _dies(mutant: Mutant, copy: Path) -> tuple[bool, float]:
    place = copy / mutant.module
    whole = place.read_text(encoding="utf-8")
    place.write_text(mutant.code, encoding="utf-8")
    began = time.monotonic()
    paths = [str(copy / folder) for folder in ("", "plugins", "playground")]
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider",
        *[test for test in tests_of(mutant.module) if (copy / test).exists()],
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=copy, timeout=TIMEOUT, capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        dead = done.returncode != 0
    except subprocess.TimeoutExpired:
        dead = True
    finally:
        place.write_text(whole, encoding="utf-8")
    return dead, time.monotonic() - began


def main() -> int:
    """Test the mutants and print those that live; returns 1 where a known fault is one of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--log", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--jobs", type=int, default=2, help="mutants that are tested at once")
    options = parser.parse_args()
    done: dict[tuple[str, str], dict[str, Any]] = {}
    if options.log.is_file():
        lines = map(json.loads, options.log.read_text(encoding="utf-8").splitlines())
        done = {(line["module"], line["what"]): line for line in lines}
    copies: queue.Queue[Path] = queue.Queue()
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(options.jobs) as workers,
    ):
        for number in range(options.jobs):
            copies.put(checkout.copied(Path(folder) / f"copy-{number}"))

        def line_of(mutant: Mutant) -> dict[str, Any]:
            known_line = done.get((mutant.module, mutant.what))
            if known_line is not None:
                return known_line
            dead, seconds = dies(mutant, copies)
            line = {**asdict(mutant), "dead": dead, "seconds": round(seconds, 1)}
            del line["code"]
            return line

        tested = [*controls(), *known(), *drawn(options.seed, options.count)]
        for line in workers.map(line_of, tested):
            if (line["module"], line["what"]) not in done:
                done[line["module"], line["what"]] = line
                with options.log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(line) + "\n")
            end = " (did not end)" if line["seconds"] >= TIMEOUT else ""
            words = ("passes", "FAILS ") if line["what"] == UNCHANGED else ("ALIVE ", "dead  ")
            print(
                f"{words[line['dead']]} {line['seconds']:6.1f} s  "
                f"{line['module']}:{line['line']}  {line['what']}{end}", flush=True,
            )  # fmt: skip
    broken = [line for line in done.values() if line["what"] == UNCHANGED and line["dead"]]
    for line in broken:
        print(f"{', '.join(tests_of(line['module']))} fail without any change: nothing is measured")
    mutants = [line for line in done.values() if line["what"] != UNCHANGED]
    alive = [line for line in mutants if not line["dead"]]
    print(f"{len(mutants) - len(alive)} of {len(mutants)} mutants died")
    faults = {what for _, what, _, _ in KNOWN}
    return int(bool(broken) or any(line["what"] in faults for line in alive))


if __name__ == "__main__":
    sys.exit(main())
