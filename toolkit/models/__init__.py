"""Where weights come from: models, tokenizers and adapters, from the wheel, a folder or the Hub.

Weights come from safetensors only, never from pickles; code that comes with a model runs only
where the user asked for it.
"""

from toolkit.models.embedded import HUB_IDS, NAMES, location, path

__all__ = ["HUB_IDS", "NAMES", "location", "path"]
