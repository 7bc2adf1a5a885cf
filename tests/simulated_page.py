"""A page of gradio's without a browser and a server: its events, one message after the other.

:class:`Tab` does what gradio's page does with the events of a ``gr.Blocks`` (which handlers follow
on which, what a browser sends along, which events are dropped or put off while one is answered),
:class:`Server` what its server does: handlers that are queued wait for each other, and the
session's states stay there. Nothing happens by itself: :meth:`Server.moves` says what could happen
next, and a test takes one of them. So every order can be had in which messages may cross.

Left out are the components themselves: values are as handlers give and take them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from inspect import isgeneratorfunction
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.helpers import special_args

MOST_AT_ONCE = 8
"""Requests of a handler without a limit that are answered at once."""
DATA, END = "data", "end"
"""What a message says: values, or that the handler has ended."""
WAITS, DROPPED = "waits", "dropped"
"""What a script may say in the place of values: it is asked again later, or never."""


@dataclass(frozen=True)
class Move:
    """Something that can happen next.

    Args:
        actor: what goes on by it: a handler, or the reading of a tab's messages.
        act: what happens.
    """

    actor: int
    act: Callable[[], None]

    def __call__(self) -> None:
        self.act()


@dataclass
class Request:
    """A handler that was asked for, until its last message has been read.

    Args:
        tab: who asks.
        fn: gradio's description of the handler.
        given: the values of the browser's components, by their IDs.
        event: what the event says.
    """

    tab: Tab
    fn: Any
    given: dict[int, Any]
    event: Any
    pieces: Iterator[Any] | None = None
    begun: bool = False
    over: bool = False
    last: Any = None
    unsent: list[Any] = field(default_factory=list)
    """What the handler has given and the server has not sent yet: others are served meanwhile."""
    number: int = 0
    """Its place among all, so that chance is the same each time."""


@dataclass
class Server:
    """Sessions' states, and the requests that are being answered.

    Args:
        demo: the page.
    """

    demo: gr.Blocks
    tabs: list[Tab] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    count: int = 0

    def next_number(self) -> int:
        """The next number of a tab or a request."""
        self.count += 1
        return self.count

    def moves(self) -> list[Move]:
        """Everything that can happen next."""
        served = [
            Move(one.number, partial(self.serve, one))
            for one in self.requests
            if self._can_go_on(one)
        ]
        return served + [move for tab in self.tabs for move in tab.readings()]

    def _can_go_on(self, request: Request) -> bool:
        if request.over:
            return False
        if request.begun:
            return True
        # What is not queued is begun when it comes; what one tab has sent comes in its order.
        before = self.requests[: self.requests.index(request)]
        if any(x.tab is request.tab and not x.fn.queue and not x.begun for x in before):
            return False
        if not request.fn.queue:
            return True
        # In the order in which they came, so many of a kind at once.
        kind = request.fn.concurrency_id
        of_kind = [one for one in self.requests if one.fn.queue and one.fn.concurrency_id == kind]
        begun = sum(one.begun and not one.over for one in of_kind)
        waiting = [one for one in of_kind if not one.begun]
        limit = request.fn.concurrency_limit
        most = limit if isinstance(limit, int) else MOST_AT_ONCE
        return waiting[0] is request and begun < most

    def serve(self, request: Request) -> None:
        """One step of a handler: its value, or its next piece; then that it is sent."""
        fn, tab = request.fn, request.tab
        if request.unsent:
            self._answered(request, request.unsent.pop())
            if request.pieces is None:
                self._end(request)
            return
        if not request.begun:
            request.begun = True
            values = [tab.value(one, request.given) for one in fn.inputs]
            values, *_ = special_args(
                fn.fn, values, tab.visitor,  # type: ignore[arg-type]
                gr.EventData(None, request.event) if request.event is not None else None,
            )  # fmt: skip
            if not isgeneratorfunction(fn.fn):
                request.unsent.append(fn.fn(*values))
                return
            request.pieces = fn.fn(*values)
        assert request.pieces is not None
        try:
            request.unsent.append(next(request.pieces))
        except StopIteration:
            tab.receive(request, DATA, request.last)  # gradio sends the last piece once more
            self._end(request)

    def _end(self, request: Request) -> None:
        request.over = True
        request.tab.receive(request, END, None)

    def _answered(self, request: Request, value: Any) -> None:
        """Keep the values of states, and send the others."""
        outputs = request.fn.outputs
        values = [] if not outputs else [value] if len(outputs) == 1 else list(value)
        assert len(values) == len(outputs), (request.fn.name, len(values), len(outputs))
        sent = {}
        for one, new in zip(outputs, values, strict=True):
            if isinstance(one, gr.State):
                if not _skipped(new):
                    request.tab.states[one._id] = new
            else:
                sent[one._id] = new
        request.last = sent
        request.tab.receive(request, DATA, sent)

    def end(self, tab: Tab) -> None:
        """The tab is closed: what it has asked for is read no more."""
        for one in [one for one in self.requests if one.tab is tab]:
            self.requests.remove(one)
            if one.pieces is not None:
                one.pieces.close()  # type: ignore[attr-defined]
        self.tabs.remove(tab)


class Tab:
    """A browser's tab with its session.

    Args:
        server: the page's server.
        session: the session's name.
        wanted: which handlers are asked; the others are passed over.
        scripts: by a part of a handler's script, what it does here: it gets the tab, the script and
            the values that it gets, and gives values, or :data:`WAITS` or :data:`DROPPED`.
    """

    def __init__(
        self, server: Server, session: str, wanted: Callable[[Any], bool],
        scripts: dict[str, Callable[[Tab, str, list[Any]], list[Any] | str]],
    ) -> None:  # fmt: skip
        self.server, self.wanted, self.scripts = server, wanted, scripts
        self.visitor = SimpleNamespace(session_hash=session, username=None)
        self.states: dict[int, Any] = {}
        self.values = {
            number: copy.copy(getattr(block, "value", None))
            for number, block in server.demo.blocks.items()
        }
        self.events: dict[tuple[int, str], list[Any]] = {}
        self.follows: dict[int, list[Any]] = {}
        for fn in server.demo.fns.values():
            if fn.trigger_after is not None and not fn.trigger_only_on_failure:
                self.follows.setdefault(fn.trigger_after, []).append(fn)
            for target, name in fn.targets:
                self.events.setdefault((target, name), []).append(fn)
        self.pending: dict[int, Request] = {}
        self.put_off: dict[int, Any] = {}
        self.waiting: list[tuple[Any, Any]] = []
        """Handlers whose scripts wait, and their events."""
        self.stream: list[tuple[Request, str, Any]] = []
        """Messages on their way about handlers that are queued: they come in order."""
        self.replies: list[tuple[Request, str, Any]] = []
        """Those about the others, which come in any order."""
        self.number = server.next_number()
        server.tabs.append(self)

    def value(self, component: Any, given: dict[int, Any]) -> Any:
        """A component's value as a handler gets it."""
        if isinstance(component, gr.State):
            if component._id not in self.states:
                self.states[component._id] = copy.deepcopy(component.value)
            return self.states[component._id]
        return given[component._id]

    def state(self, component: Any) -> Any:
        """A state's value now."""
        return self.value(component, {})

    def trigger(self, component: Any, name: str, event: Any = None) -> None:
        """An event of a component."""
        for fn in self.events[component._id, name]:
            self.dispatch(fn, event)

    def dispatch(self, fn: Any, event: Any) -> None:
        """Ask for a handler, as gradio's page does it."""
        if not self.wanted(fn):
            return
        if fn._id in self.pending:
            if fn.trigger_mode == "once":
                return
            if fn.trigger_mode == "always_last":
                # The event that is being answered comes again, and not the one that was put off.
                self.put_off[fn._id] = self.pending[fn._id].event
                return
        values = [None if isinstance(x, gr.State) else self.values[x._id] for x in fn.inputs]
        script = next((run for part, run in self.scripts.items() if part in str(fn.js)), None)
        if script is not None:
            changed = script(self, fn.js, values)
            if changed == WAITS:
                self.waiting.append((fn, event))
            if isinstance(changed, str):
                return
            values = changed or values
        if fn.fn is None:  # a script alone
            self.finished(fn)
            return
        given = {x._id: one for x, one in zip(fn.inputs, values, strict=False)}
        request = Request(self, fn, given, event, number=self.server.next_number())
        self.pending[fn._id] = request
        self.server.requests.append(request)

    def release(self) -> None:
        """Ask again for the handlers whose scripts have waited."""
        waiting, self.waiting = self.waiting, []
        for fn, event in waiting:
            self.dispatch(fn, event)

    def receive(self, request: Request, kind: str, values: Any) -> None:
        """A message goes off to the browser."""
        (self.stream if request.fn.queue else self.replies).append((request, kind, values))

    def readings(self) -> list[Move]:
        """The messages that can arrive next."""
        found = []
        if self.stream:
            found.append(Move(-self.number, lambda: self.read(*self.stream.pop(0))))
        first: set[int] = set()
        for message in self.replies:
            if message[0].number not in first:
                first.add(message[0].number)
                found.append(Move(-message[0].number, partial(self._reply, message)))
        return found

    def _reply(self, message: tuple[Request, str, Any]) -> None:
        self.replies.remove(message)
        self.read(*message)

    def read(self, request: Request, kind: str, values: Any) -> None:
        """A message has arrived."""
        if kind == DATA:
            for number, value in (values or {}).items():
                self._draw(number, value)
            return
        self.server.requests.remove(request)
        if self.pending.get(request.fn._id) is request:
            del self.pending[request.fn._id]
        self.finished(request.fn)
        if request.fn._id in self.put_off:
            self.dispatch(request.fn, self.put_off.pop(request.fn._id))

    def finished(self, fn: Any) -> None:
        """Ask for what follows on a handler."""
        for following in self.follows.get(fn._id, ()):
            self.dispatch(following, None)

    def _draw(self, number: int, value: Any) -> None:
        if isinstance(value, gr.blocks.Block):
            value = {"__type__": "update", **value.constructor_args}
        if isinstance(value, dict) and value.get("__type__") == "update":
            if "value" not in value:
                return
            value = value["value"]
        self.values[number] = value


def _skipped(value: Any) -> bool:
    return isinstance(value, dict) and value.get("__type__") == "update"
