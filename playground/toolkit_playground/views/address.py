"""The page's address: what is set in a view stands in it, and is set from it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from toolkit_playground.state.place import Place

ASKED = "() => [toolkitAddress.question(), toolkitAddress.browser()]"
"""What the browser says when the page is loaded: its address, and the secret it is known by."""
LONGEST = 2_000
"""Characters of a value that is taken from an address."""

Restored = Callable[[Place, "str | None", "str | None"], list[Any]]
"""The place, the run's ID and the owner → values of some components."""


@dataclass
class Address:
    """What the views put into the page's address.

    Args:
        restored: functions that draw what an address asks for once its run is shown, and their
            outputs; filled by the views.
    """

    restored: list[tuple[Restored, Sequence[Any]]] = field(default_factory=list)

    def keep(self, view: str, **components: Any) -> None:
        """Let values that a person sets stand in the address, under these names.

        Args:
            view: the tab's ID.
            components: name in the address → a component with a value.
        """
        for name, component in components.items():
            component.input(
                None, component, None,
                js=f"value => toolkitAddress.set({json.dumps(view)}, {json.dumps(name)}, value)",
            )  # fmt: skip

        def restore(place: Place, key: str | None, owner: str | None) -> list[Any]:
            return [
                _update(component, place.of(view, name)) for name, component in components.items()
            ]

        self.restore(restore, list(components.values()))

    def restore(self, function: Restored, outputs: Sequence[Any]) -> None:
        """Draw something once the page is loaded, by what stands in its address."""
        self.restored.append((function, outputs))


def noted(view: str, name: str, *, push: bool = False) -> str:
    """Script of an event that puts the value of its one input into the address.

    Args:
        push: whether Back leads to the place before.
    """
    given = ", ".join(map(json.dumps, (view, name)))
    return f"value => toolkitAddress.set({given}, value, {json.dumps(push)})"


def _update(component: Any, values: Sequence[str]) -> Any:
    """A component's value as an address has it; none that it could not have by hand."""
    if not values:
        return gr.skip()
    first = values[0][:LONGEST]
    if isinstance(component, gr.Checkbox):
        return first == "1"
    if isinstance(component, gr.Slider | gr.Number):
        return _number(component, first)
    if isinstance(component, gr.Radio):
        known = [value for _, value in component.choices]
        return first if first in known else gr.skip()
    return first


def _number(component: Any, text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return gr.skip()
    low, high = component.minimum, component.maximum
    if value != value or (low is not None and value < low) or (high is not None and value > high):
        return gr.skip()
    return int(value) if value.is_integer() else value
