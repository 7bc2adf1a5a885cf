"""The commands that plugins add to the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.plugins import discovery

if TYPE_CHECKING:
    import typer

_OWN = "_toolkit_own_commands"
"""Attribute of an app: how many commands and groups it has without those of plugins."""


def add_commands(app: typer.Typer) -> None:
    """Let every working plugin add its commands; one that fails to is shown as broken.

    A command that exists already is left out with a warning; the plugin keeps its others.
    """
    found = discovery.load()
    commands, groups = _registered(app)
    own: tuple[int, int] = getattr(app, _OWN, (len(commands), len(groups)))
    del commands[own[0] :], groups[own[1] :]  # those of an earlier call in this process
    if commands:
        setattr(app, _OWN, own)
    for plugin in found.plugins:
        module = found.manager.get_plugin(plugin.key)
        hook = getattr(module, "register_commands", None)
        if hook is None:
            continue
        sizes = len(commands), len(groups)
        taken = {_name(info) for info in (*commands, *groups)}
        try:
            with discovery.captured_output():
                hook(app=app)
            for registered, size in zip((commands, groups), sizes, strict=True):
                registered[size:] = _not_taken(registered[size:], taken, plugin)
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            plugin.problem = f"register_commands: {type(error).__name__}: {error}"
            del commands[sizes[0] :], groups[sizes[1] :]


def _not_taken(infos: Sequence[Any], taken: set[str], plugin: discovery.Plugin) -> list[Any]:
    """The commands or groups of a plugin whose names are free, which are added to those taken."""
    kept = []
    for info in infos:
        name = _name(info)
        warning = f"has a command {name!r}, which exists already and stays; rename yours"
        if name not in taken:
            taken.add(name)
            kept.append(info)
        elif warning not in plugin.warnings:
            plugin.warnings.append(warning)
    return kept


def _registered(app: typer.Typer) -> tuple[list[Any], list[Any]]:
    """The app's lists of commands and of groups of commands."""
    commands = getattr(app, "registered_commands", [])
    groups = getattr(app, "registered_groups", [])
    return commands, groups


def _name(info: Any) -> str:
    """The name that a command or group has on the command line."""
    if isinstance(info.name, str):
        return info.name
    callback = getattr(info, "callback", None)
    return str(getattr(callback, "__name__", "")).lower().replace("_", "-")
