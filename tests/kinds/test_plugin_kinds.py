"""Kinds that plugins bring: there before tasks, refused in words, forgotten with the plugin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from types import ModuleType
from typing import Any

import pytest

from tiny_tasks import TinyGoods
from toolkit.errors import PluginError
from toolkit.kinds import Kind, registry
from toolkit.kinds.registry import kind_name, model_class
from toolkit.plugins import discovery


def kind(name: str = "tiny-kind") -> Kind:
    def model() -> Any:
        return model_class(TinyGoods)

    return Kind(name, "a kind for tests", model=model, probe=lambda: object)


class Odd(TinyGoods):
    """A task of that kind."""

    name = "odd-goods"
    kind = "tiny-kind"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Registers modules as plugins, in the order that their names give."""
    points: list[metadata.EntryPoint] = []

    def install(name: str, **members: Any) -> None:
        module = ModuleType(f"plugin_{name}")
        for member, value in members.items():
            setattr(module, member, value)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        points.append(metadata.EntryPoint(name, module.__name__, discovery.GROUP))

    monkeypatch.setattr(discovery, "_entry_points", lambda: points)
    discovery.load.cache_clear()
    yield install
    monkeypatch.undo()
    discovery.load.cache_clear()
    discovery.load()


def test_kinds_come_before_tasks_of_other_plugins(plugins: Any) -> None:
    plugins("a", register_tasks=lambda register: register(Odd))
    plugins("b", register_kinds=lambda register: register(kind()))
    found = discovery.load()
    assert [p.problem for p in found.plugins] == [None, None]
    assert found.tasks["odd-goods"] is Odd and found.plugins[1].kinds == ["tiny-kind"]
    assert kind_name(Odd) == "tiny-kind" and model_class(Odd) is model_class(TinyGoods)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (kind("causal-lm"), "there is a kind 'causal-lm' already"),
        (kind("Tiny Kind"), "is not kebab-case"),
        ("tiny", "give it a toolkit.kinds.Kind"),
    ],
)
def test_a_kind_that_cannot_be_is_said_and_its_plugin_broken(
    plugins: Any, given: Any, message: str
) -> None:
    plugins("b", register_kinds=lambda register: register(given))
    (plugin,) = discovery.load().plugins
    assert message in str(plugin.problem) and registry.added() == {}


def test_a_broken_plugins_kind_is_forgotten_and_its_tasks_are_named(plugins: Any) -> None:
    def fails(register: Any) -> None:
        raise ValueError("no")

    plugins("b", register_kinds=lambda register: register(kind()), register_tasks=fails)
    plugins("c", register_tasks=lambda register: register(Odd))
    found = discovery.load()
    assert "ValueError: no" in str(found.plugins[0].problem) and registry.added() == {}
    assert "there is no kind 'tiny-kind'" in str(found.plugins[1].problem)


def test_two_kinds_of_one_name_are_refused() -> None:
    registry.add(kind())
    try:
        with pytest.raises(PluginError, match="there is a kind 'tiny-kind' already; rename yours"):
            registry.add(kind())
    finally:
        registry.remove("tiny-kind")
