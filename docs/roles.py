"""Sphinx's roles in docstrings, shown as code with a link: a griffe extension for the reference.

Docstrings name what they speak of by roles such as ``:meth:`` and ``:class:``, which Sphinx and
editors read and Markdown does not. Here each becomes the name as code, and a link where the pages
have that name. It changes the docstrings that the pages show alone, not those in the code.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:py:)?(?:attr|class|data|exc|func|meth|mod|obj):`(?P<name>~?[^`\s]+)`")


def readable(text: str, scope: griffe.Object) -> str:
    """A docstring as Markdown: its roles are code, each with a link to what it names.

    Args:
        text: the docstring.
        scope: the module, class or function that it belongs to, where its names are looked up.
    """

    def code(match: re.Match[str]) -> str:
        written = match["name"]
        name = written.removeprefix("~").removesuffix("()")
        shown = name.rpartition(".")[2] if written.startswith("~") else name
        # "optional": a name that no page has is shown without a link.
        return f'<autoref identifier="{path(name, scope)}" optional><code>{shown}</code></autoref>'

    return ROLE.sub(code, text)


def path(name: str, scope: griffe.Object) -> str:
    """The full path of a name, looked up in what is documented and in all that is around it."""
    first = name.partition(".")[0]
    around: griffe.Object | griffe.Alias | None = scope
    while around is not None:
        if first in around.members:
            return f"{around.path}.{name}"
        around = around.parent
    return name


class Roles(griffe.Extension):
    """Makes the docstrings of a package readable once the whole of it is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called by griffe when a package and its modules are there, before anything is shown."""
        waiting: list[griffe.Object] = [pkg]
        while waiting:
            found = waiting.pop()
            if found.docstring is not None:
                found.docstring.value = readable(found.docstring.value, found)
            waiting += [each for each in found.members.values() if isinstance(each, griffe.Object)]
