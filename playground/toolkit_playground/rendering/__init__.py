"""The page's HTML, fonts and colours, made from plain values; gradio is not imported here."""
