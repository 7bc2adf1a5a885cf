"""An answer never outlives its run, row or conversation, whatever crosses what on the way.

Presses and messages come in any order that a browser and a server can bring them in (see
:mod:`simulated_page`), from models that write as slowly as they like. Once all is quiet, what is
shown belongs to what is chosen; at all times a conversation holds nothing of another.
``.ci/campaign/orders.py`` takes ten times as many orders, and plants faults that must be found.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from campaign import FACTOR
from simulated_page import DROPPED, WAITS, Server, Tab
from slow_library import ROWS, SlowLibrary, make_run, offer
from tiny_tasks import TinyPrices
from toolkit.plugins import discovery
from toolkit_playground.app import build
from toolkit_playground.state.conversation import Conversation
from toolkit_playground.state.kept import Shelf

# A drop-down without choices says so on each run; here a warning would be an error in a handler.
pytestmark = pytest.mark.filterwarnings("ignore:The value passed into gr.Dropdown:UserWarning")

RUNS = ("run-one", "run-two", "run-three")
SAID = re.compile(r"say-\d+-\d+")
ENDS = ("choose_a_run", "choose_a_run", "choose_a_row", "begin_a_new_conversation", "leave", "stop")
ACTIONS = ("compare", "say", *ENDS, "ask_again", "quieten")
CHANGES = 0.15
"""How often something else becomes the most important."""
EVENLY = 1.0
LONGEST = 2_000
"""Steps within which everything must be quiet."""


class Site:
    """The page, which is built once for all examples, and the names of its components."""

    def __init__(self, folder: Path) -> None:
        self.library = SlowLibrary(folder, [make_run(folder, run_id) for run_id in RUNS])
        self.demo = build(self.library, folder)
        self.by_name = {
            block.elem_id: block
            for block in self.demo.blocks.values()
            if getattr(block, "elem_id", None)
        }
        self.handlers = {
            name: [  # of the page, not what programs ask
                fn for fn in self.demo.fns.values()
                if fn.name == name and fn.api_visibility != "public"
            ]
            for name in ("switch", "compare", "talk", "leave")
        }  # fmt: skip
        self.asked = {
            fn._id
            for fn in self.demo.fns.values()
            if fn.name in ("switch", "begin", "end", "halt", "click", "compare", "ask", "talk",
                           "finish", "put", "forget", "retry", "choose")
            or "toolkitTurning" in str(fn.js)
        }  # fmt: skip
        self.loads = 0

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]

    def input(self, handler: str, at: int) -> Any:
        """An input of a handler, by its place."""
        return self.handlers[handler][0].inputs[at]


_site: list[Site] = []


@contextlib.contextmanager
def closed_loops() -> Iterator[None]:
    """The event loops that gradio leaves open while a page is built are closed afterwards."""
    opened, new = [], asyncio.new_event_loop

    def noted() -> asyncio.AbstractEventLoop:
        opened.append(new())
        return opened[-1]

    asyncio.new_event_loop = noted
    try:
        yield
    finally:
        asyncio.new_event_loop = new
        for loop in opened:
            loop.close()


@pytest.fixture(scope="module", autouse=True)
def site() -> Iterator[None]:
    # The line that starts a run like it takes a second, and no answer is in it.
    plain = mock.patch("toolkit_playground.state.start.line", return_value="")
    origin = discovery.Plugin("tiny-prices", "under test", "0", "tiny_tasks", ["tiny-prices"])
    with (
        tempfile.TemporaryDirectory() as folder,
        discovery.load().provided(TinyPrices, origin),
        closed_loops(),
        plain,
    ):
        _site.append(Site(Path(folder)))
        yield
        _site.clear()


class Turning:
    """``turning.js`` of one tab."""

    def __init__(self, tab: Tab, run: str) -> None:
        self.tab, self.run = tab, run
        self.number = self.drawn = 0
        self.chosen = 0
        self.on_its_way: list[tuple[str, str, int]] = []
        """The view, the event and the place of each choice that is not there yet."""
        self.sent: dict[str, int] = {}
        self.open: Counter[str] = Counter()

    def pick(self, run: str) -> None:
        self.run = run
        self.number += 1
        self.tab.waiting.clear()

    def busy(self, script: str) -> bool:
        return self.drawn < self.number or any(
            view == named(script)[0] for view, _, _ in self.on_its_way
        )

    def script(self, script: str, values: list[Any]) -> list[Any] | str:
        """A script of the page."""
        name = script.split("toolkitTurning.")[1].split("(")[0]
        found: list[Any] | str = getattr(self, f"js_{name}")(script, values)
        return found

    def js_picked(self, script: str, values: list[Any]) -> list[Any]:
        return [self.run, str(self.number)]

    def js_drawn(self, script: str, values: list[Any]) -> list[Any]:
        self.drawn = max(self.drawn, int(values[0]))
        self.tab.release()
        return []

    def js_turn(self, script: str, values: list[Any]) -> list[Any]:
        view, event = named(script)
        self.chosen += 1
        self.on_its_way.append((view, event, self.chosen))
        return values

    def js_told(self, script: str, values: list[Any]) -> list[Any]:
        (event,) = named(script)
        self.sent[event] = self.chosen
        self.open[event] += 1
        return values

    def js_turned(self, script: str, values: list[Any]) -> list[Any]:
        (event,) = named(script)
        self.open[event] -= 1
        if self.open[event]:
            return []
        self.on_its_way = [
            one for one in self.on_its_way if one[1] != event or one[2] > self.sent[event]
        ]
        self.tab.release()
        return []

    def js_over(self, script: str, values: list[Any]) -> list[Any] | str:
        return WAITS if self.busy(script) else values

    def js_still(self, script: str, values: list[Any]) -> list[Any] | str:
        return DROPPED if self.busy(script) else values


def named(script: str) -> list[str]:
    """The names that a script gives: of a view, of an event, or of both."""
    found: list[str] = re.findall(r'"([^"]+)"', script.split("toolkitTurning.")[1])
    assert found, script
    return found


def turning(tab: Tab, script: str, values: list[Any]) -> list[Any] | str:
    """What a script of ``turning.js`` does in a tab."""
    found: list[Any] | str = tab.turning.script(script, values)  # type: ignore[attr-defined]
    return found


class Person:
    """Somebody at a tab of their own."""

    def __init__(self, server: Server, name: str) -> None:
        self.site = _site[0]
        self.name, self.said = name, 0
        self.loads = 0
        self.server = server
        self.opens()

    def opens(self) -> None:
        """A new tab, as the page is loaded."""
        site = self.site
        self.loads += 1
        self.tab = Tab(self.server, f"{self.name}-{self.loads}", lambda fn: fn._id in site.asked,
                       {"toolkitTurning.": turning})  # fmt: skip
        self.turning = self.tab.turning = Turning(self.tab, RUNS[0])  # type: ignore[attr-defined]
        self.owner = f"browser {self.name}"
        self.tab.states[site.input("compare", 0)._id] = RUNS[0]
        (put,) = [fn for fn in site.demo.fns.values() if fn.name == "put" and len(fn.inputs) == 3
                  and fn.trigger_after == site.handlers["compare"][0]._id]  # fmt: skip
        self.made = put.inputs[2]
        self.tab.states[put.inputs[1]._id] = self.owner
        self.turns = site.handlers["talk"][0].inputs[5]
        self.row = site.input("compare", 3)
        self.pick(RUNS[0])  # what is drawn for a run is drawn when the page is loaded too

    @property
    def run(self) -> str:
        """The run that is chosen now, as the server has it."""
        return str(self.tab.state(self.site.input("compare", 0)))

    def pick(self, run: str) -> None:
        self.clicked: int | None = None
        self.turning.pick(run)
        self.tab.trigger(self.site["run"], "select", {"value": run})

    def press(self, name: str) -> None:
        self.tab.trigger(self.site[name], "click")

    def say(self) -> str:
        self.said += 1
        message = f"say-{id(self) % 1000}-{self.said}"
        self.tab.values[self.site["chat-message"]._id] = message
        self.press("chat-send")
        return message

    def click_row(self, number: int) -> None:
        # A click on the rows of a run that is being left is on none.
        there = self.turning.drawn >= self.turning.number
        self.clicked = number + 1 if there else None
        self.tab.values[self.site["compare-examples"]._id] = number
        self.tab.trigger(self.site["compare-examples"], "select")

    def shown(self, name: str) -> str:
        return str(self.tab.values[self.site[name]._id])

    def conversation(self) -> Conversation:
        found = self.tab.state(self.turns)
        assert isinstance(found, Conversation)
        return found

    def exported(self) -> str:
        """The conversation that can be saved, as JSON; empty: there is none."""
        link = re.search(r"base64,([^\"]+)", self.shown("chat-export"))
        return base64.b64decode(link[1]).decode() if link else ""


class LateAnswers(RuleBasedStateMachine):
    """Two people at the page, and everything that either may do next."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server(_site[0].demo)
        _site[0].loads += 1
        self.people = [Person(self.server, f"{_site[0].loads}-{one}") for one in "ab"]
        self.since: list[set[str]] = [set(), set()]
        """What each has said since their conversation was left last, perhaps."""
        self.quieten()

    def teardown(self) -> None:
        self.quieten()
        for person in self.people:
            self.server.end(person.tab)
        super().teardown()

    # -- what people do ----------------------------------------------------------------------------
    # One rule for all of it: of many Hypothesis leaves most out of each example, and takes one of
    # them far more often than the others.
    @rule(data=st.data(), who=st.integers(0, 1), steps=st.integers(3, 16),
          number=st.integers(0, ROWS - 1), what=st.sampled_from(("leave_what_is_being_written",) * 3
          + ("do",) * 2 + ("ask_at_once_after_choosing_a_run", "be_left_alone")))  # fmt: skip
    def somebody(self, data: st.DataObject, who: int, what: str, number: int, steps: int) -> None:
        getattr(self, what)(data, who, number, steps)

    def do(self, data: st.DataObject, who: int, number: int, steps: int) -> None:
        getattr(self, data.draw(st.sampled_from(ACTIONS)))(who, number)
        self.some_moves(data, steps)

    def choose_a_run(self, who: int, number: int) -> None:
        self.people[who].pick(RUNS[number % len(RUNS)])
        self.since[who] = set()

    def choose_a_row(self, who: int, number: int) -> None:
        self.people[who].click_row(number)

    def compare(self, who: int, number: int) -> None:
        self.people[who].press("compare-go")

    def say(self, who: int, number: int) -> None:
        self.since[who].add(self.people[who].say())

    def stop(self, who: int, number: int) -> None:
        self.people[who].press(("chat-stop", "compare-stop")[number % 2])

    def begin_a_new_conversation(self, who: int, number: int) -> None:
        self.people[who].press("chat-clear")
        self.since[who] = set()

    def ask_again(self, who: int, number: int) -> None:
        person = self.people[who]
        if person.conversation():
            person.tab.trigger(person.site["chat-base"], "retry", {"index": 0, "value": ""})

    def leave(self, who: int, number: int) -> None:
        person = self.people[who]
        (leave,) = person.site.handlers["leave"]
        self.server.end(person.tab)
        leave.fn(person.tab.visitor)
        person.opens()
        self.since[who] = set()

    def ask_at_once_after_choosing_a_run(
        self, data: st.DataObject, who: int, number: int, steps: int
    ) -> None:
        """It was asked of that run, however early: the answer must be there."""
        self.quieten()
        person, run = self.people[who], RUNS[number % len(RUNS)]
        person.pick(run)
        self.some_moves(data, steps // 2)
        said = person.say()
        self.since[who] = {said}
        person.press("compare-go")
        self.some_moves(data, 12)
        self.quieten()
        assert [turn["user"] for turn in person.conversation()] == [said]
        assert f"{run} adapter" in person.shown("chat-trained").replace("</mark>", "")
        assert "tk-asked" in person.shown("compare-out")

    def be_left_alone(self, data: st.DataObject, who: int, number: int, steps: int) -> None:
        """What another does ends nobody's conversation."""
        self.quieten()
        said = self.people[who].say()
        self.since[who].add(said)
        self.some_moves(data, steps, EVENLY)
        getattr(self, data.draw(st.sampled_from(ENDS)))(1 - who, number)
        self.quieten()
        assert said in [turn["user"] for turn in self.people[who].conversation()]

    def leave_what_is_being_written(
        self, data: st.DataObject, who: int, number: int, steps: int
    ) -> None:
        """What chance alone brings together too seldom: a piece is on its way, or waits."""
        getattr(self, data.draw(st.sampled_from(["compare", "say"])))(who, number)
        self.some_moves(data, steps, EVENLY)
        getattr(self, data.draw(st.sampled_from(ENDS)))(who, number)
        self.some_moves(data, steps)

    # -- what happens by itself --------------------------------------------------------------------
    def some_moves(self, data: st.DataObject, count: int, changes: float = CHANGES) -> None:
        # The most important of all goes on, until it is another by chance: so one handler is
        # through while another waits half-way, which no even chance brings about (Burckhardt et al.
        # 2010, A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs).
        chance = data.draw(st.randoms(use_true_random=False))
        importance: dict[int, float] = {}
        for _ in range(count):
            if not (moves := self.server.moves()):
                return
            if chance.random() < changes:
                importance.clear()
            for move in moves:
                importance.setdefault(move.actor, chance.random())
            max(moves, key=lambda move: importance[move.actor])()

    def quieten(self, who: int = 0, number: int = 0) -> None:
        """Everything arrives; then what is shown is looked at."""
        for _ in range(LONGEST):
            if not (moves := self.server.moves()):
                break
            moves[0]()
        else:
            raise AssertionError("it does not come to an end")
        assert all(engine.writing == 0 for engine in _site[0].library.slow.values())
        for person, since in zip(self.people, self.since, strict=True):
            self.is_of_what_is_chosen(person, since)
            self.is_kept_for_its_run(person)

    def is_of_what_is_chosen(self, person: Person, since: set[str]) -> None:
        assert person.run == person.turning.run
        for name in ("chat-status", "compare-out"):  # else nothing is asked, and all is well
            assert "tk-error" not in person.shown(name), person.shown(name)
        turns = person.conversation()
        said = {turn["user"] for turn in turns}
        assert turns.run in (person.run, None) and said <= since
        boxes = person.shown("chat-base") + person.shown("chat-trained")
        assert set(SAID.findall(boxes)) == said
        assert not others_in(boxes, person.run)
        if person.exported():
            assert set(SAID.findall(person.exported())) <= said
            assert not others_in(person.exported(), person.run)
        if person.clicked is not None:
            assert person.tab.state(person.row)["row_id"] == person.clicked
        compared = person.shown("compare-out")
        assert 'aria-busy="true"' not in compared and not others_in(compared, person.run)
        if "tk-asked" in compared:
            row = person.tab.state(person.row)
            assert row is not None and offer(person.run, row["row_id"]) in compared
            assert f"row {row['row_id']}:" in compared

    def is_kept_for_its_run(self, person: Person) -> None:
        for run_id in RUNS:
            store = person.site.library.store(person.site.library.find(run_id))
            for kind in ("conversation", "comparison"):
                for kept in Shelf(store, kind).mine(person.owner):
                    assert not others_in(str(kept.content), run_id), kind

    # -- what holds at any time --------------------------------------------------------------------
    @invariant()
    def a_conversation_holds_nothing_of_another(self) -> None:
        for person in self.people:
            mine = f"say-{id(person) % 1000}-"
            for text in (person.exported(), str(person.conversation())):
                assert all(one.startswith(mine) for one in SAID.findall(text))
                assert sum(run in text for run in RUNS) <= 1


def others_in(text: str, run: str) -> list[str]:
    """The other runs that a text names."""
    return [other for other in RUNS if other != run and other in text]


def quieten(server: Server, until: str = "") -> None:
    """Everything arrives, or all until a handler of that name is asked for."""
    while moves := server.moves():
        if any(one.fn.name == until for one in server.requests):
            return
        moves[0]()


def test_a_comparison_is_not_kept_for_the_run_that_was_chosen_after_it() -> None:
    server = Server(_site[0].demo)
    person = Person(server, "late-keeper")

    quieten(server)
    person.press("compare-go")
    quieten(server, "put")
    person.pick(RUNS[1])
    (switch,) = [one for one in server.requests if one.fn.name == "switch"]
    server.serve(switch)
    server.serve(switch)  # which is sent
    quieten(server)
    stores = {run: _site[0].library.store(_site[0].library.find(run)) for run in RUNS}
    assert not any(Shelf(store, "comparison").mine(person.owner) for store in stores.values())
    server.end(person.tab)


def test_what_is_asked_while_a_row_is_on_its_way_is_asked_of_that_row() -> None:
    server = Server(_site[0].demo)
    person = Person(server, "hasty")

    def take(name: str, steps: int) -> None:
        (one,) = [one for one in server.requests if one.fn.name == name]
        for _ in range(steps):
            server.serve(one)

    quieten(server)
    person.click_row(2)
    take("click", 1)  # what went on is discarded; what is drawn for the row is not sent yet
    person.press("compare-go")
    while server.moves() and any(one.fn.name != "click" for one in server.requests):
        next(move for move in server.moves() if move.actor != _number(server, "click"))()
    quieten(server)
    assert person.tab.state(person.row)["row_id"] == 3
    assert "tk-asked" in person.shown("compare-out") and "row 3:" in person.shown("compare-out")
    server.end(person.tab)


def test_what_stands_after_an_answer_goes_with_its_run_however_late_it_comes() -> None:
    server = Server(_site[0].demo)
    person = Person(server, "late-end")

    quieten(server)
    said = person.say()
    quieten(server, "finish")
    (finish,) = [one for one in server.requests if one.fn.name == "finish"]
    server.serve(finish)  # it is said what stands there, and not sent yet
    person.pick(RUNS[1])
    while any(one.fn.name == "switch" for one in server.requests):
        next(move for move in server.moves() if move.actor != finish.number)()
    quieten(server)
    assert said not in person.shown("chat-base") + person.exported()
    assert not person.conversation()
    server.end(person.tab)


def _number(server: Server, name: str) -> int:
    return next(one.number for one in server.requests if one.fn.name == name)


# What is found is made smaller in a campaign alone, where there is time.
PHASES = tuple(Phase) if FACTOR > 1 else (Phase.generate,)
TestLateAnswers = LateAnswers.TestCase
TestLateAnswers.settings = settings(
    max_examples=50 * FACTOR, stateful_step_count=25, deadline=None, derandomize=FACTOR == 1,
    suppress_health_check=list(HealthCheck), phases=PHASES,
)  # fmt: skip
