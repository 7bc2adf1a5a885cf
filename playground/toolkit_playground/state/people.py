"""Who votes and guesses: the name of their login, or the one that they gave."""

from __future__ import annotations

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
    found = " ".join(str(login or name or "").split())[:LONGEST]
    if not found:
        raise UsageError(
            "say who you are first: type your name at the top of the page; it is asked once"
        )
    return found
