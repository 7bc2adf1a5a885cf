"""An answer's tokens as text while they come: whole characters only, up to the first stop text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

UNFINISHED = "\ufffd"
"""What a tokenizer writes for the first bytes of a character whose others are still to come."""


class Following:
    """Follows one answer.

    A token may be part of a character, and what it adds may depend on the token before it. So each
    piece is the difference of two decodings of the last few tokens, and is held back while it ends
    within a character (as in Hugging Face's text-generation-inference) or may be the beginning of a
    stop text.

    Args:
        tokenizer: decodes the tokens.
        stop: texts before which the answer ends.
        stops: ids of the tokens that end a text.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str], stops: Collection[int]) -> None:
        self.tokenizer = tokenizer
        self.stop = [text for text in stop if text]
        self.stops = stops
        self.stopped = False
        """Whether a stop text was found."""
        self._ids: list[int] = []
        self._from = self._read = 0
        self._text = ""
        self._sent = 0

    def add(self, token: int) -> str:
        """What a further token adds that can be shown already; empty where there is nothing."""
        self._ids.append(token)
        before = self._decoded(self._ids[self._from : self._read])
        now = self._decoded(self._ids[self._from :])
        if len(now) > len(before) and not now.endswith(UNFINISHED):
            self._text += now[len(before) :]
            self._from, self._read = self._read, len(self._ids)
        return self._shown(held=True)

    def finish(self) -> str:
        """What is left to show once no token follows."""
        if not self.stopped:
            whole = self._decoded(self._ids)
            # The whole is what evaluation would read; the pieces before it cannot be taken back.
            self._text = whole if whole.startswith(self._text[: self._sent]) else self._text
        return self._shown(held=False)

    @property
    def text(self) -> str:
        """The answer as far as it was shown."""
        return self._text[: self._sent]

    def _shown(self, *, held: bool) -> str:
        if self.stopped:
            return ""
        found = [at for text in self.stop if (at := self._text.find(text)) >= 0]
        end = len(self._text)
        if found:
            self.stopped, end = True, min(found)
        elif held:
            end -= self._beginning()
        end = max(end, self._sent)
        piece = self._text[self._sent : end]
        self._sent = end
        return piece

    def _beginning(self) -> int:
        """How many of the last characters may be the beginning of a stop text."""
        longest = max(map(len, self.stop), default=1) - 1
        for length in range(min(longest, len(self._text)), 0, -1):
            if any(text.startswith(self._text[-length:]) for text in self.stop):
                return length
        return 0

    def _decoded(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))
