"""Models that the Hub gives only to who has accepted their terms, and what to do then."""

from __future__ import annotations

LOGIN = (
    "it is gated: accept its terms on its page at the Hub, then log in once with hf auth login, or "
    "set HF_TOKEN"
)
_SIGNS = ("gated repo", "401 client error", "403 client error")
"""Of the Hub's answers, as its library and transformers pass them on."""


def behind(error: BaseException) -> bool:
    """Whether an error says that the Hub wants to know who asks.

    Args:
        error: of the Hub's library or of transformers; what it came from is looked at as well.
    """
    seen: BaseException | None = error
    while seen is not None:
        said = str(seen).lower()
        if any(sign in said for sign in _SIGNS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
