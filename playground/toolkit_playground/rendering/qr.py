"""A link as a QR code, in SVG that stands in the page itself."""

from __future__ import annotations

from markupsafe import Markup

from toolkit_playground.rendering.html import fill

BORDER = 4
"""Empty modules around it, which readers need."""


def code(link: str, about: str) -> Markup:
    """The QR code of a link.

    Dark on light, whatever the page's colours are: many readers find no inverted one.

    Args:
        link: what it holds.
        about: what readers of screens are told.
    """
    import segno

    found = segno.make(link, error="m", micro=False)
    size, _ = found.symbol_size(scale=1, border=BORDER)
    dark = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(found.matrix, BORDER)
        for x, module in enumerate(row, BORDER)
        if module
    )
    return fill(
        '<svg class="tk-qr" role="img" aria-label="{0}" viewBox="0 0 {1} {1}" '
        'shape-rendering="crispEdges"><rect width="{1}" height="{1}" fill="#fff"/>'
        '<path d="{2}" fill="#000"/></svg>',
        about, size, dark,
    )  # fmt: skip
