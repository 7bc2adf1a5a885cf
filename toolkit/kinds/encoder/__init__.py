"""What kinds on a pretrained encoder share: loading, heads, LoRA and full fine-tuning, saving.

:mod:`toolkit.kinds.encoder.model` loads the model libraries; it is imported when a run needs it.
"""
