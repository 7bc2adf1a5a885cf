"""A class at one playground for three minutes: no error, flat memory, everybody their own answers.

    python .ci/campaign/classroom.py RUN [--users 20] [--minutes 3] [--log FILE]

The run is one of ``price-regression``. Half of the users guess prices under their own names; after
each guess the truth and the model's stored answer must be those of the row that was shown. A
quarter compares as programs do, a quarter chats as the page does, with messages that hold a word of
their own; what the models say is computed beforehand, greedily and one at a time. No session may
get anything that holds another's word. Prints JSON; exits with 1 on any error, any other answer, or
memory that grows by more than a tenth after the first fifth of the time.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "plugins"), str(ROOT / "playground")]

from toolkit.system import environment  # noqa: E402

environment.prepare(offline=True)

from playground_load import (  # noqa: E402
    TOKENS,
    Comparer,
    Expected,
    Tab,
    User,
    drive,
    expected,
    held_out_texts,
)
from playground_site import serving  # noqa: E402
from toolkit_playground.state.answers import answer_text  # noqa: E402

SAYS = 4
"""Messages that each who chats has."""
PAUSE = 1.0
"""Seconds in which somebody thinks of a price."""
WORD = re.compile(r"pupil\d+x\d+")


class Chatter(User):
    """Chats with base and adapter as the page does; each message begins a new conversation.

    Args:
        answers: what must come to this user's own messages.
        messages: those messages.
    """

    def __init__(self, url: str, number: int, answers: Expected, messages: Sequence[str]) -> None:
        super().__init__(url, number)
        self.answers, self.messages = answers, messages

    def connect(self) -> None:
        self.tab = Tab(self.url)

    def ask(self) -> str:
        message = self.drawn.choice(self.messages)
        given = {"chat-message": message, "chat-who": "both", "chat-markdown": False}
        shown = self.tab.press("chat-send", {**given, **sampling(self.tab)})
        seen = set(WORD.findall(self.tab.seen))
        link = re.search(r"base64,([^\"]+)", str(shown.get("chat-export", "")))
        if link is None:
            return f"no conversation came: {str(shown)[:300]}"
        saved = json.loads(base64.b64decode(link[1]))
        self.tab.press("chat-clear", {})
        if strange := (seen | set(WORD.findall(self.tab.seen))) - set(WORD.findall(message)):
            return f"somebody else's words: {strange}"
        (turn,) = saved["turns"]
        said = [turn["user"], turn.get("base"), turn.get("adapter")]
        wanted = [message, *(self.answers[message, side] for side in ("base", "adapter"))]
        return "" if said == wanted else f"{said!r}, not {wanted!r}"


def sampling(tab: Tab) -> dict[str, Any]:
    """Nothing but the most new tokens is set; the controls have no names but their labels."""
    tokens = next(
        number for number, label in tab.labels.items()
        if label == "Most new tokens" and number in tab.inputs_after("chat-send")
    )  # fmt: skip
    tab.ids["chat-tokens"] = tokens
    return {"chat-tokens": TOKENS}


class Guesser(User):
    """Guesses under a name of their own.

    Args:
        truths: the row's text → what must be said of it after a guess.
        unit: of the guesses.
    """

    def __init__(
        self, url: str, number: int, truths: Mapping[str, Sequence[str]], unit: str
    ) -> None:
        super().__init__(url, number, PAUSE)
        self.truths, self.unit, self.shown = truths, unit, ""

    def connect(self) -> None:
        self.tab = Tab(self.url)
        self.own = {"person": f"pupil {self.number}"}
        self.shown = str(self.tab.press("guess-skip", self.own)["guess-card"])

    def ask(self) -> str:
        plain = html.unescape(self.shown)
        rows = [text for text in self.truths if text in plain]
        if not rows:
            if "All done" in plain:
                return self.again()
            return f"the card shows no test row: {plain[:200]}"
        row = max(rows, key=len)  # one text may be a part of another
        value = float(self.drawn.randint(20, 150))
        found = self.tab.press("guess-give", {**self.own, "guess-number": value})
        told = html.unescape(str(found.get("guess-told", "")))
        self.shown = str(found.get("guess-card", self.shown))
        if WORD.search(self.tab.seen):
            return f"words of somebody who chats: {WORD.findall(self.tab.seen)[:3]}"
        wanted = [f"You said {answer_text(value, self.unit)},", *self.truths[row]]
        missing = [one for one in wanted if one not in told]
        return f"{row!r}: {told!r} lacks {missing}" if missing else ""

    def again(self) -> str:
        """All rows are guessed: look at the card once more."""
        self.shown = str(self.tab.press("guess-skip", self.own).get("guess-card", self.shown))
        return "" if "All done" in self.shown else "a row that was guessed comes again"


def truths_of(folder: Path) -> tuple[dict[str, list[str]], str]:
    """What must be said of each test row once somebody has guessed it, and the unit."""
    from toolkit.pipeline import load_task
    from toolkit.runs import Run, predictions, read_jsonl

    run = Run.open(folder)
    task, unit = load_task(run), load_task(run).metric().unit
    (adapter,) = [one for one in predictions.load(run) if one.name == "adapter"]
    truths = {
        str(row["text"]): [
            f"the truth is {answer_text(task.reference(row), unit)}",
            f"dapter said {answer_text(adapter.splits['test'][row['row_id']]['prediction'], unit)}",
        ]
        for row in read_jsonl(run.data / "heldout.jsonl")
        if row["split"] == "test"
    }
    return truths, unit


def campaign(folder: Path, users: int, seconds: float) -> dict[str, Any]:
    """Serve, ask and measure; ``problems`` is empty where all is well."""
    texts, (truths, unit) = held_out_texts(folder), truths_of(folder)
    key = json.loads((folder / "run.json").read_text())["id"]
    guessers, chatters = range(users // 2), range(users // 2, users // 2 + users // 4)
    messages = {
        number: [f"{texts[n % len(texts)]} pupil{number}x{n}" for n in range(SAYS)]
        for number in chatters
    }
    answers = expected(folder, texts)
    said = expected(folder, [text for own in messages.values() for text in own])
    with tempfile.TemporaryDirectory() as place, serving(Path(place), str(folder)) as (url, pid):
        pupils: list[User] = [Guesser(url, number, truths, unit) for number in guessers]
        pupils += [Chatter(url, number, said, messages[number]) for number in chatters]
        pupils += [
            Comparer(url, number, key, answers) for number in range(chatters.stop, users)
        ]  # fmt: skip
        found = drive(pid, pupils, seconds)
    kinds = {kind.__name__: sum(len(one.seconds) for one in pupils if isinstance(one, kind))
             for kind in (Guesser, Chatter, Comparer)}  # fmt: skip
    return {**found, "of": kinds}


def main() -> int:
    """Run it; the exit code says whether all was well."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("run", type=Path)
    options.add_argument("--users", type=int, default=20)
    options.add_argument("--minutes", type=float, default=3)
    options.add_argument("--log", type=Path, help="write what is printed here too")
    given = options.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as work:  # the guesses go into a run: into a copy of it
        found = campaign(copied(given.run.resolve(), Path(work)), given.users, given.minutes * 60)
    text = f"commit {commit}, {time.strftime('%Y-%m-%d %H:%M')}\n{json.dumps(found, indent=1)}\n"
    print(text)
    if given.log:
        given.log.write_text(text, encoding="utf-8")
    return int(bool(found["problems"]))


def copied(run: Path, folder: Path) -> Path:
    """A copy of a run, in a runs folder of its own."""
    target = folder / "runs" / run.parent.name / run.name
    shutil.copytree(run, target)
    return target


if __name__ == "__main__":
    sys.exit(main())
