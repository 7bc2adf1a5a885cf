"""Where a recipe's model is: in the wheel, in a package, in a folder, on the Hub."""

from __future__ import annotations

from pathlib import Path

from toolkit.errors import ModelError
from toolkit.models import packaged

EMBEDDED = "embedded:"


def model_path(model: str) -> str:
    """Where a recipe's ``model`` is: a folder of the wheel or the cache, a local one, or a Hub id.

    A model that a package holds (:mod:`toolkit.models.packaged`) is converted when it is asked for
    the first time. It is what ``from_pretrained`` of transformers takes.

    Args:
        model: what ``--model`` takes: ``"embedded:causal-lm"``, ``"smollm2-135m"``, a folder, or
            the id of a model on the Hub.

    Raises:
        ModelError: it looks like a folder, but there is none; no embedded model has the name; or
            its package is not installed.
    """
    if model.startswith(EMBEDDED):
        from toolkit.models import embedded

        try:
            return embedded.location(model.removeprefix(EMBEDDED))
        except KeyError as error:
            raise ModelError(error.args[0]) from error
    if model in packaged.NAMES:
        return str(packaged.path(model))
    if Path(model).is_dir():
        return model
    if Path(model).exists() or model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise ModelError(f"no model folder {model!r}: give a folder with config.json or a Hub id")
    return model


def is_local(model: str) -> bool:
    """Whether a model can be loaded without the Hub."""
    if model.startswith(EMBEDDED):
        from toolkit.models import embedded

        name = model.removeprefix(EMBEDDED)
        return name not in embedded.HUB_IDS or embedded.location(name) != embedded.HUB_IDS[name]
    if model in packaged.NAMES:
        return True
    return Path(model).is_dir()


def hub_id(model: str) -> str | None:
    """The Hub's id of a recipe's ``model``; ``None`` where it is not on the Hub.

    A folder of the working directory, such as ``models/mine``, may look like an id and is none.
    """
    from toolkit.models import embedded

    if model.startswith(EMBEDDED):
        return embedded.HUB_IDS.get(model.removeprefix(EMBEDDED))
    if model.count("/") != 1 or model.startswith((".", "/", "~")) or Path(model).is_dir():
        return None
    return model
