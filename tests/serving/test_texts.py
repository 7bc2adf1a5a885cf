"""An answer's tokens as text: whole characters, no stop text, the same as decoded at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit_serving.texts import Following


class Bytes:
    """A tokenizer whose tokens are the bytes of UTF-8; 256 ends a text."""

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return bytes(i for i in ids if i < 256).decode("utf-8", "replace")


def followed(text: str, stop: Sequence[str] = ()) -> tuple[list[str], Following]:
    made = Following(Bytes(), stop, {256})
    pieces = []
    for token in text.encode("utf-8"):
        pieces.append(made.add(token))
        if made.stopped:
            break
    return [*pieces, made.finish()], made


@given(st.text(max_size=30))
def test_the_pieces_are_the_text(text: str) -> None:
    pieces, made = followed(text)
    assert "".join(pieces) == text == made.text and not made.stopped
    if "\ufffd" not in text:
        assert not any("\ufffd" in piece for piece in pieces)


@given(st.text("ab", max_size=20), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_nothing_from_the_first_stop_text_on_is_shown(text: str, stop: list[str]) -> None:
    pieces, made = followed(text, stop)
    # The answer ends where the first stop text is complete, before that one.
    ends = [at + len(one) for one in stop if (at := text.find(one)) >= 0]
    if not ends:
        assert "".join(pieces) == text and not made.stopped
        return
    written = text[: min(ends)]
    first = min(at for one in stop if (at := written.find(one)) >= 0)
    assert "".join(pieces) == written[:first] == made.text and made.stopped


@pytest.mark.parametrize(("text", "shown"), [("a</s", "a"), ("a<b", "a<b"), ("a</s>", "a")])
def test_the_beginning_of_a_stop_text_is_held_back(text: str, shown: str) -> None:
    made = Following(Bytes(), ["</s>"], {256})
    assert "".join(made.add(token) for token in text.encode()) == shown


def test_bytes_that_never_become_a_character_are_shown_at_the_end() -> None:
    made = Following(Bytes(), (), {256})
    assert made.add(ord("a")) == "a" and made.add(0xE2) == ""
    assert made.finish() == "\ufffd" and made.text == "a\ufffd"
