"""Who votes and guesses: the name of their login, or the one that they gave."""

from __future__ import annotations

import unicodedata

from toolkit.errors import UsageError
from toolkit_playground.state.sessions import Visitor

LONGEST = 80
"""Characters of a name."""


def person(visitor: Visitor | None, name: str | None) -> str:
    """The person's name; raises :class:`UsageError` where they have not said who they are.

    A session is nobody: after the page is loaded anew it would be another person.

    Args:
        visitor: who asks; a login counts more than a name that was typed.
        name: what stands in the box for the name.
    """
    login = getattr(visitor, "username", None)
    found = _plain(str(login or name or ""))[:LONGEST].strip()
    if not found:
        raise UsageError(
            "say who you are first: type your name at the top of the page; it is asked once"
        )
    return found


def _plain(name: str) -> str:
    """A name on one line, without characters that are not seen or that turn its neighbours round.

    Two names that look the same would be two people, and a board would show others' names reversed.
    """
    seen = (" " if char.isspace() else char for char in unicodedata.normalize("NFC", name[:1000]))
    kept = "".join(char for char in seen if not unicodedata.category(char).startswith("C"))
    return " ".join(kept.split())
