"""The keys that the page knows, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from toolkit_playground.rendering.html import fill, joined

KEYS: Sequence[tuple[str, str]] = (
    ("←  →", "from view to view, on its tab"),
    ("Enter", "Compare, Show, Send: from the box where you type"),
    ("Shift+Enter", "a new line in that box"),
    ("↑  ↓  Esc", "in the list of runs: through it, and close it"),
    ("A  B", "Vote: A or B is better"),
    ("T  X", "Vote: a tie, or both are bad"),
    ("N  Z", "Vote: the next pair, and the last vote undone"),
    ("?", "this list"),
)
"""Key → what it does."""


def keys() -> Markup:
    """All keys, folded away."""
    lines = joined(fill("<dt><kbd>{}</kbd></dt><dd>{}</dd>", key, does) for key, does in KEYS)
    return fill('<details class="tk-keys"><summary>Keys</summary><dl>{}</dl></details>', lines)
