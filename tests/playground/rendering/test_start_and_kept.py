"""A comparison that was kept is drawn as it was; forms and links hold nobody's HTML."""

from __future__ import annotations

import dataclasses
import json

from hostile_run import PAYLOAD, injected
from toolkit_playground.rendering import html, keys, start_form
from toolkit_playground.rendering.comparison import Answered, Comparison
from toolkit_playground.state.place import address
from toolkit_playground.state.start import Field


def made(text: str) -> Comparison:
    sides = [Answered("base", f"{text} a", "1 s"), Answered(text, f"{text} b", text, True, text)]
    return Comparison(text, [text], 3, text, text, 5, True, sides)


def test_a_kept_comparison_is_drawn_as_it_was() -> None:
    before = made("red oak")
    after = Comparison.read(json.loads(json.dumps(dataclasses.asdict(before))))
    assert after.page() == before.page() and "<mark>" in before.page()
    assert "True answer" in before.page() and "The exact prompt, 5 tokens" in before.page()


def test_predictions_are_not_marked() -> None:
    assert "<mark>" not in dataclasses.replace(made("red"), marked=False).page()


def test_nothing_of_it_becomes_html() -> None:
    fields = [Field(PAYLOAD, PAYLOAD), Field(PAYLOAD, PAYLOAD, setting=True)]
    pages = (
        made(PAYLOAD).page(), start_form.form(fields), start_form.line(PAYLOAD),
        html.link_to_share(address(PAYLOAD, "chat", conversation=PAYLOAD), PAYLOAD),
        html.prompt(PAYLOAD, 1, of=PAYLOAD),
    )  # fmt: skip
    assert all(not injected(page) for page in pages)


def test_every_key_of_a_vote_is_told() -> None:
    told = keys.keys()
    assert all(key in told for key in ("A", "B", "T", "X", "Z", "Enter"))
