"""What kinds on a pretrained encoder share: loading, heads, LoRA and full fine-tuning, saving.

Light: the working parts are in :mod:`toolkit.kinds.encoder.model`, imported when a run needs them.
"""
