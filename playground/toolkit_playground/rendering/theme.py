"""Fonts and colours: those of the reports, from what the machine has; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

STYLES = [Path(__file__).with_name(f"{name}.css") for name in ("style", "picker")]
"""The styles of the page's own HTML."""
SANS = [
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Liberation Sans",
    "Arial",
    "sans-serif",
]
MONO = ["ui-monospace", "SF Mono", "Cascadia Mono", "Menlo", "Liberation Mono", "monospace"]
ARROWS = """
document.addEventListener("keydown", event => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tab = step && event.target.closest?.("[role=tab]");
  if (!tab) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")]
    .filter(one => one.getClientRects().length);
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
  event.preventDefault();
});
"""
"""Arrow keys go from view to view, as in every list of tabs."""
NAMED = """
new MutationObserver(() => {
  for (const said of document.querySelectorAll(":is(div, span)[aria-label]:not([role])"))
    said.setAttribute("role", "group");
}).observe(document, { childList: true, subtree: true });
"""
"""Gradio names each message of a chat, and gives it no role, without which no reader says names."""
ADDRESS = Path(__file__).with_name("address.js").read_text(encoding="utf-8")
"""What is chosen and set stands in the page's address."""
TURNING = Path(__file__).with_name("turning.js").read_text(encoding="utf-8")
"""What is asked while another run is being drawn waits for it."""
VOTING = Path(__file__).with_name("keys.js").read_text(encoding="utf-8")
"""One key for a vote, and one for the list of keys."""
HEAD = (
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f"<script>{ARROWS}{NAMED}{ADDRESS}{TURNING}{VOTING}</script>"
)


def theme(gradio: Any) -> Any:
    """The page's theme; every colour has a dark twin."""
    blue = gradio.themes.Color(
        "#eef5fb", "#dcebf7", "#bcd9f0", "#8fc0e6", "#62b3f0", "#2f8fd3",
        "#0a66ad", "#0a579a", "#0b477d", "#123a60", "#16344b",
    )  # fmt: skip
    base = gradio.themes.Base(
        primary_hue=blue, secondary_hue=blue, neutral_hue=gradio.themes.colors.zinc,
        font=SANS, font_mono=MONO, radius_size=gradio.themes.sizes.radius_sm,
    )  # fmt: skip
    both = {
        "body_background_fill": ("#fdfdfc", "#131518"),
        "background_fill_primary": ("#fdfdfc", "#131518"),
        "background_fill_secondary": ("#f5f5f2", "#1b1e22"),
        "body_text_color": ("#1a1c20", "#e9eaec"),
        "body_text_color_subdued": ("#59606a", "#a4abb4"),
        "block_background_fill": ("#fdfdfc", "#131518"),
        "block_border_color": ("#dcdedf", "#30343a"),
        "block_label_text_color": ("#59606a", "#a4abb4"),
        "block_title_text_color": ("#1a1c20", "#e9eaec"),
        "block_info_text_color": ("#59606a", "#a4abb4"),
        "border_color_primary": ("#dcdedf", "#30343a"),
        "input_background_fill": ("#ffffff", "#1b1e22"),
        "input_border_color": ("#c4c8cc", "#3c4148"),
        "input_placeholder_color": ("#6d747d", "#8d949d"),
        "button_primary_background_fill": ("#0a66ad", "#62b3f0"),
        "button_primary_background_fill_hover": ("#0a579a", "#8fc7f4"),
        "button_primary_text_color": ("#ffffff", "#0d1520"),
        "button_secondary_background_fill": ("#f5f5f2", "#23272c"),
        "button_secondary_background_fill_hover": ("#e9eae8", "#2d3238"),
        "button_secondary_text_color": ("#1a1c20", "#e9eaec"),
        "button_secondary_border_color": ("#c4c8cc", "#3c4148"),
        "color_accent_soft": ("#dcebf7", "#16344b"),
        "table_even_background_fill": ("#fdfdfc", "#131518"),
        "table_odd_background_fill": ("#fdfdfc", "#131518"),
        "checkbox_label_background_fill": ("#f5f5f2", "#1b1e22"),
        "link_text_color": ("#0a66ad", "#62b3f0"),
    }
    settings = {name: light for name, (light, _) in both.items()}
    settings |= {f"{name}_dark": dark for name, (_, dark) in both.items()}
    return base.set(
        **settings, block_shadow="none", input_border_width="1px", button_border_width="1px",
        block_border_width="1px",
        block_label_background_fill="transparent", block_label_background_fill_dark="transparent",
        block_label_border_width="0", block_title_text_weight="500",
        button_primary_shadow="none", button_secondary_shadow="none",
    )  # fmt: skip
