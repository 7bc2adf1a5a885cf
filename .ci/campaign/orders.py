"""What people press in the playground and what the server sends, in every order.

    python .ci/campaign/orders.py [--factor 10] [--log FILE]

The state machine of ``tests/playground/views/test_orders.py``, with ``--factor`` times as many
orders as in the suite, and with faults that are planted one after the other in a copy of the
checkout, first as often as in the suite, then as often as the page itself: each must be found. The
log is a table for the docs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

import checkout  # noqa: E402

TESTS = "tests/playground/views/test_orders.py"
PAGES = "playground/toolkit_playground"
FAULTS = (
    (
        "app.py", "an answer outlives its run",
        "page.sessions.discard(request)  # an answer must not outlive its run", "pass",
    ),
    (
        "views/page.py", "what is asked does not wait for the run that was picked",
        "toolkitTurning.over({json.dumps(view)}, ...values)", "values",
    ),
    (
        "views/page.py", "what was asked before a pick is answered by the run after it",
        ".then(None, None, None, js=still(view))", "",
    ),
    (
        "views/page.py", "nothing takes the place of a piece that came late",
        "                    yield left()\n", "                    pass\n",
    ),
    (
        "views/page.py", "an answer outlives its row",
        "            self.sessions.discard(request, view)\n", "",
    ),
    (
        "views/page.py", "what is asked does not wait for the row that was clicked",
        "toolkitTurning.turn({name}, {event})", "[]",
    ),
    (
        "views/compare.py", "a comparison is kept under the run that was chosen after it",
        "if made is None or made[0] != key:", "if made is None:",
    ),
    (
        "views/chat.py", "a conversation that was left goes on",
        "return turns if goes_on else new(key, turns)", "return turns",
    ),
    (
        "state/sessions.py", "a conversation of another session counts as left",
        "if whose == session and view in (None, where):\n                    self._left",
        "if view in (None, where):\n                    self._left",
    ),
)  # fmt: skip
"""Module, what the change does, the text that is replaced, and its replacement.

Only what is still wrong once all is quiet: that an answer goes on for a while after it was left is
seen by the browser tests (``tests/browser/test_late_answers.py``, ``test_playground.py``).
"""


def main() -> int:
    """Run the state machine, then the faults; 1 where one is missed or an order fails."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--factor", type=int, default=10, help="times as many examples")
    options.add_argument("--log", type=Path, help="write the table here")
    given = options.parse_args()
    began = time.time()
    holds = _holds(ROOT, given.factor)
    lines = [f"| none, {given.factor} times the orders | {'passes' if holds else 'FAILS'} |"]
    print(lines[0], flush=True)
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = checkout.copied(Path(folder) / "copy")
        for module, what, old, new in FAULTS:
            found = _found(copy / PAGES / module, copy, old, new, given.factor)
            missed += not found
            lines.append(f"| {what} | {'found' if found else 'MISSED'} |")
            print(lines[-1], flush=True)
    head = (
        f"{time.strftime('%Y-%m-%d %H:%M')}, {time.time() - began:.0f} s: "
        f"{len(FAULTS) - missed} of {len(FAULTS)} planted faults found\n\n"
        "| Fault | State machine |\n|---|---|\n"
    )
    if given.log:
        given.log.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    print(head.splitlines()[0])
    return int(missed > 0 or not holds)


def _found(place: Path, copy: Path, old: str, new: str, factor: int) -> bool:
    """Whether the state machine finds a fault; ``ValueError`` where there is nothing to change."""
    whole = place.read_text(encoding="utf-8")
    if old not in whole:
        raise ValueError(f"{place.name} has no {old!r}; adapt FAULTS")
    place.write_text(whole.replace(old, new), encoding="utf-8")
    try:
        return not (_holds(copy, 1) and _holds(copy, factor))
    finally:
        place.write_text(whole, encoding="utf-8")


def _holds(root: Path, factor: int) -> bool:
    paths = [str(root / folder) for folder in ("", "plugins", "playground")]
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
            "--timeout", "0", TESTS,
        ],
        cwd=root, capture_output=True, text=True,
        env={
            **os.environ, "TOOLKIT_EXAMPLES": str(factor), "PYTHONPATH": os.pathsep.join(paths),
        },
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout[-3000:])
    if done.returncode and factor > 1:
        print(done.stdout[-6000:])
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
