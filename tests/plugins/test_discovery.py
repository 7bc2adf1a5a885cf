"""Discovery: where tasks come from, and that a broken plugin takes nothing else down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from tiny_tasks import TinyColours, TinyPrices
from toolkit.errors import PluginError, UsageError
from toolkit.plugins import commands, discovery
from toolkit.plugins.discovery import GROUP, Plugins
from toolkit.plugins.registration import check_registration


def point(
    name: str, load: Callable[[], Any], distribution: str = "", version: str = "1.0"
) -> SimpleNamespace:
    """An entry point as importlib.metadata gives it."""
    dist = SimpleNamespace(name=distribution or f"dist-{name}", version=version)
    return SimpleNamespace(name=name, value=f"module_{name}", load=load, dist=dist)


def plugin(*tasks: Any, **more: Any) -> SimpleNamespace:
    """A plugin module that registers some tasks."""

    def register_tasks(register: Callable[[Any], None]) -> None:
        for task in tasks:
            register(task)

    return SimpleNamespace(register_tasks=register_tasks, **more)


def missing_import() -> Any:
    raise ModuleNotFoundError("No module named 'spacy'")


Load = Callable[..., Plugins]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Load plugins from the given entry points."""

    def load_these(*points: Any) -> Plugins:
        def entry_points(*, group: str) -> tuple[Any, ...]:
            assert group == GROUP
            return points

        monkeypatch.setattr(metadata, "entry_points", entry_points)
        discovery.load.cache_clear()
        return discovery.load()

    yield load_these
    monkeypatch.undo()
    discovery.load.cache_clear()


def test_tasks_are_found_with_where_they_come_from(load: Load) -> None:
    found = load(point("a", lambda: plugin(TinyPrices, TinyColours), "acme-tasks", "2.1"))
    assert found.tasks == {"tiny-prices": TinyPrices, "tiny-colours": TinyColours}
    origin = found.origins["tiny-prices"]
    assert (origin.distribution, origin.version) == ("acme-tasks", "2.1")
    assert origin.problem is None


def test_a_plugin_that_fails_to_import_leaves_the_others_alone(load: Load) -> None:
    found = load(point("a", missing_import), point("b", lambda: plugin(TinyPrices)))
    broken, working = found.plugins
    assert broken.problem.startswith("ModuleNotFoundError: No module named 'spacy'")
    assert broken.tasks == []
    assert working.tasks == ["tiny-prices"]


def test_a_hook_that_raises_takes_back_what_it_registered(load: Load) -> None:
    def register_tasks(register: Callable[[Any], None]) -> None:
        register(TinyPrices)
        raise RuntimeError("no licence")

    found = load(
        point("a", lambda: SimpleNamespace(register_tasks=register_tasks)),
        point("b", lambda: plugin(TinyColours)),
    )
    assert found.plugins[0].problem == "RuntimeError: no licence"
    assert not found.manager.has_plugin(found.plugins[0].key)
    assert list(found.tasks) == list(found.origins) == ["tiny-colours"]


def test_two_tasks_of_one_name_are_an_error_that_names_both_distributions(load: Load) -> None:
    found = load(
        point("a", lambda: plugin(TinyPrices), "acme", "1.0"),
        point("b", lambda: plugin(TinyPrices), "bolt", "2.0"),
    )
    assert found.origins["tiny-prices"].distribution == "acme"
    problem = found.plugins[1].problem or ""
    assert "acme 1.0" in problem and "bolt 2.0" in problem


def test_another_api_version_is_refused(load: Load) -> None:
    task = type("Old", (TinyPrices,), {"api_version": 99})
    assert "API version 99" in (load(point("a", lambda: plugin(task))).plugins[0].problem or "")


def test_the_version_before_works_and_is_said(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of docs/reference/api-version.md."""
    old, new = type("Old", (TinyPrices,), {"api_version": 1}), TinyColours
    found = load(point("a", lambda: plugin(old)), point("b", lambda: plugin(new)))
    assert set(found.tasks) == {"tiny-prices", "tiny-colours"}
    (said,) = [w for w in found.plugins[0].warnings if "API version" in w]
    assert "'tiny-prices', written for API version 1; that works" in said
    assert not [w for w in found.plugins[1].warnings if "API version" in w]
    monkeypatch.setattr("toolkit.task.OLDEST_API_VERSION", 2)
    found = load(point("a", lambda: plugin(old)), point("b", lambda: plugin(new)))
    assert set(found.tasks) == {"tiny-colours"}
    assert "get a newer version of the plugin" in (found.plugins[0].problem or "")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"name": "Tiny Prices"}, "kebab-case"),
        ({"name": ""}, "no name"),
        ({"columns": {}}, "no columns"),
        ({"recipes": ()}, "no recipes"),
        ({"metrics": ()}, "no metrics"),
        ({"primary_metric": "rmse"}, "primary_metric 'rmse'"),
        ({"number": TinyPrices.__mro__[1].number}, "does not implement number"),
    ],
)
def test_a_class_that_breaks_the_contract_is_refused(members: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError, match=said):
        check_registration(type("Broken", (TinyPrices,), members))


@pytest.mark.parametrize("task", [TinyPrices(), int, "tiny-prices", None])
def test_only_task_classes_can_be_registered(task: Any) -> None:
    with pytest.raises(PluginError, match="not a subclass"):
        check_registration(task)


def test_an_entry_point_listed_twice_counts_once(load: Load) -> None:
    twice = point("a", lambda: plugin(TinyPrices))
    found = load(twice, twice)
    assert len(found.plugins) == 1
    assert found.plugins[0].problem is None


def test_a_plugin_without_hooks_is_no_error(load: Load) -> None:
    assert load(point("a", lambda: SimpleNamespace())).plugins[0].problem is None


def test_an_unknown_task_is_told_with_the_nearest_name(load: Load) -> None:
    found = load(point("a", lambda: plugin(TinyPrices)), point("b", missing_import))
    with pytest.raises(UsageError, match="did you mean 'tiny-prices'") as error:
        found.task("tiny-price")
    assert "1 plugin(s) could not be loaded" in str(error.value)
    with pytest.raises(UsageError, match="there are: tiny-prices"):
        found.task("summaries")


def test_commands_of_a_plugin_that_fails_leave_the_others_alone(load: Load) -> None:
    added: list[Any] = []

    def fail(app: Any) -> None:
        raise RuntimeError("no terminal")

    found = load(
        point("a", lambda: plugin(register_commands=fail)),
        point("b", lambda: plugin(register_commands=lambda app: added.append(app))),
    )
    app: Any = object()
    commands.add_commands(app)
    assert added == [app]
    assert found.plugins[0].problem == "register_commands: RuntimeError: no terminal"


def test_a_plugin_that_waits_on_a_busy_machine_is_not_slow(load: Load) -> None:
    def waits() -> Any:
        time.sleep(discovery.SLOW)
        return plugin(TinyPrices)

    def computes() -> Any:
        end = time.process_time() + discovery.SLOW
        while time.process_time() < end:
            pass
        return plugin(TinyColours)

    found = load(point("waits", waits), point("computes", computes))
    assert [bool(each.warnings) for each in found.plugins] == [True, False]
    assert "to import, for which every command waits" in found.plugins[0].warnings[0]


def test_a_plugin_keeps_its_other_commands_where_one_exists_already(load: Load) -> None:
    def first(app: typer.Typer) -> None:
        app.command("one")(print)

    def second(app: typer.Typer) -> None:
        app.command("own")(print)
        app.command("one")(repr)
        app.add_typer(typer.Typer(), name="two")
        app.command("two")(print)

    found = load(
        point("a", lambda: plugin(register_commands=first)),
        point("b", lambda: plugin(register_commands=second)),
    )
    app = typer.Typer()
    app.command("zero")(print)
    for _ in range(2):  # again in the same process
        commands.add_commands(app)
        names = [command.name for command in app.registered_commands]
        assert names == ["zero", "one", "own", "two"]
        assert app.registered_commands[1].callback is print
        assert app.registered_groups == []
    assert [each.problem for each in found.plugins] == [None, None]
    assert found.plugins[0].warnings == [] and found.plugins[1].warnings == [
        f"has a command {name!r}, which exists already and stays; rename yours"
        for name in ("one", "two")
    ]


def test_the_built_in_plugins_come_in_by_entry_points_too() -> None:
    discovery.load.cache_clear()
    found = discovery.load()
    assert "price-regression" in found.tasks
    assert found.origins["price-regression"].distribution == "adapter-toolkit"
