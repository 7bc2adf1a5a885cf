"""``evaluated`` of ``run.json``: models that were trained elsewhere, which a run judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import RunError
from toolkit.runs.checked import SYSTEM
from toolkit.runs.run import Run

KEY = "evaluated"
_ROLES = ("adapter", "full")


@dataclass(frozen=True)
class EvaluatedModel:
    """A model that was trained elsewhere.

    Args:
        name: what the user called it: a folder or a Hub id.
        path: the folder that it is read from.
        system: the name of its system.
        folder: its folder in the run directory.
        role: ``adapter``, or ``full`` for a whole model.
    """

    name: str
    path: str
    system: str
    folder: str
    role: str


@dataclass(frozen=True)
class Evaluated:
    """What a run judges.

    Args:
        models: the models, in the order in which they were named.
        untrained: whether there are no training rows.
        prompt: ``task`` or ``adapter``, see ``--prompt``; ``None``: not chosen.
    """

    models: tuple[EvaluatedModel, ...]
    untrained: bool = False
    prompt: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, for ``run.json``."""
        return dataclasses.asdict(self) | {"models": [dataclasses.asdict(m) for m in self.models]}


def of(run: Run) -> Evaluated | None:
    """What a run judges; ``None``: it has trained its models itself.

    Raises:
        RunError: ``run.json`` has no usable list of them.
    """
    found = run.info.get(KEY)
    if found is None:
        return None
    try:
        models = tuple(EvaluatedModel(**entry) for entry in found["models"])
        judged = Evaluated(models, bool(found["untrained"]), found.get("prompt"))
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.path / 'run.json'} has no usable {KEY}; was it edited?") from error
    for model in models:
        _check(run, model)
    if not models:
        raise RunError(f"{run.path / 'run.json'} has no usable {KEY}; was it edited?")
    return judged


@dataclass(frozen=True)
class TrainedModel:
    """A trained model of a run.

    Args:
        system: the name of its system.
        folder: its folder in the run directory.
        role: ``adapter``, or ``full`` for a whole model.
    """

    system: str
    folder: str
    role: str


def trained_models(run: Run) -> list[TrainedModel]:
    """The trained models of a run: one for each training seed, or those that it judges.

    Raises:
        RunError: ``run.json`` has no usable list of the latter.
    """
    judged = of(run)
    if judged is not None:
        return [TrainedModel(m.system, m.folder, m.role) for m in judged.models]
    role = _ROLES[0] if run.info["recipe"].get("lora") is not None else _ROLES[1]
    seeds = int((run.info.get("options") or {}).get("seeds", 1))
    return [
        TrainedModel(of_seed(role, index), of_seed("adapter", index), role)
        for index in range(seeds)
    ]


def present_models(run: Run) -> list[TrainedModel]:
    """The trained models of a run whose folders are there; the first one in any case."""
    first, *further = trained_models(run)
    if of(run) is None:
        names = sorted(path.name for path in run.path.glob("adapter-seed-*"))
        return [first, *(TrainedModel(name, name, first.role) for name in names)]
    return [first, *(model for model in further if (run.path / model.folder).is_dir())]


def of_seed(name: str, index: int) -> str:
    """The name of what was trained with a seed: ``adapter``, or ``adapter-seed-1`` and so on."""
    return f"{name}-seed-{index}" if index else name


def _check(run: Run, model: EvaluatedModel) -> None:
    """Refuse names that would become paths outside of the run's folder."""
    plain = all(
        isinstance(name, str) and SYSTEM.fullmatch(name) for name in (model.folder, model.system)
    )
    if not plain or not model.folder.startswith("adapter") or model.role not in _ROLES:
        raise RunError(f"{run.path / 'run.json'} has no usable {KEY}; was it edited?")


def several(info: Mapping[str, Any]) -> bool:
    """Whether the trained systems of a run are different models, not one trained several times."""
    return info.get(KEY) is not None
