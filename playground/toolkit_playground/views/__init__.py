"""The views: gradio components, what happens on a click, and what is shown then."""
