"""What the page's address says: the run, the view, and what is set in that view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

LONGEST = 8_000
"""Characters of an address's question part; a longer one says nothing."""
MOST = 100
"""Values that an address may have."""


@dataclass(frozen=True)
class Place:
    """A place in the page. All of it comes from an address that anybody may have written.

    Args:
        run: the run's ID; empty: the one that the page opens on.
        view: the tab's ID; empty: the first.
        values: name → values of what is set in that view.
    """

    run: str = ""
    view: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """The value of a name; empty where it has none."""
        return next(iter(self.values.get(name, ())), "")

    def of(self, view: str, name: str) -> Sequence[str]:
        """The values of a name where that view is the one of the address."""
        return tuple(self.values.get(name, ())) if view == self.view else ()


def read_place(question: str, views: Sequence[str]) -> Place:
    """The place that an address names; what cannot be read counts as not there.

    Args:
        question: the part of the address from its question mark on.
        views: IDs of the tabs, the first of which is meant where none is named.
    """
    try:
        found = parse_qs(str(question)[:LONGEST].removeprefix("?"), max_num_fields=MOST)
    except ValueError:
        return Place(view=views[0])
    run, view = (found.pop(name, [""])[0] for name in ("run", "view"))
    return Place(run, view if view in views else views[0], found)


def address(run: str, view: str, **values: str) -> str:
    """The address of a place, from its question mark on."""
    return "?" + urlencode({"run": run, "view": view, **values})
