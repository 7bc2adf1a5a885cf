"""What the playground keeps and computes, without gradio and without HTML."""
