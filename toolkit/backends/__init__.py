"""Loading: models, tokenizers and adapters, from the wheel, a folder or the Hub.

Weights come from safetensors only, never from pickles; code that comes with a model runs only
where the user asked for it.
"""

from toolkit.backends.adapters import (
    add_lora,
    attach_adapter,
    merged,
    parameter_counts,
    save_adapter,
)
from toolkit.backends.choosing import Choice, choose, get
from toolkit.backends.loading import (
    load_encoder,
    load_model,
    load_tokenizer,
    load_trained,
    quantization_config,
)
from toolkit.backends.places import EMBEDDED, is_local, model_path
from toolkit.backends.protocol import Backend

__all__ = [
    "EMBEDDED",
    "Backend",
    "Choice",
    "add_lora",
    "attach_adapter",
    "choose",
    "get",
    "is_local",
    "load_encoder",
    "load_model",
    "load_tokenizer",
    "load_trained",
    "merged",
    "model_path",
    "parameter_counts",
    "quantization_config",
    "save_adapter",
]
