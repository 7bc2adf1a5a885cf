"""What was trained elsewhere becomes the trained models of a run.

Each folder is copied into the run directory (of a large whole model only what describes it) and
gets a ``toolkit.json`` as the toolkit's own have one, so that every stage and command after this
one finds what it finds in a run that trained. It is loaded once on the way: what does not fit, or
does nothing, is refused before anything is predicted.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError, RunError
from toolkit.formatting import count
from toolkit.models import adapters, base_digest, foreign
from toolkit.models.foreign import Foreign
from toolkit.models.loading import WEIGHTS
from toolkit.pipeline import adopted_labels, prompt_choice
from toolkit.pipeline.context import RunContext
from toolkit.preparation import data_stage
from toolkit.runs.evaluated import EvaluatedModel
from toolkit.runs.files import read_json, usual_modes, write_json
from toolkit.runs.run import Run
from toolkit.system import distributed
from toolkit.task import Row, Task

if TYPE_CHECKING:
    from toolkit.preparation.prepare import Prepared

COPIED = ("*.json", "*.txt", "*.model", "*.jinja")
"""What is copied beside the weights: configurations and tokenizers, never code."""
CANARIES = 4


# -- the task's state ------------------------------------------------------------------------------
def state(context: RunContext) -> dict[str, Any]:
    """The task's state: that of the toolkit's own adapters, or fitted to the rows that there are.

    Raises:
        ModelError: the toolkit's own adapters were trained with different states.
    """
    task, prepared = context.task, context.prepared
    found = [folder_of(model) for model in models(context)]
    own = [one.ours["task_state"] for one in found if trained_for(task, one)]
    if own:
        if any(other != own[0] for other in own):
            raise ModelError(
                "the adapters were trained with different values of the task (fitted to different "
                "training rows), so that they read and answer differently; judge them one by one"
            )
        return dict(own[0])
    fitted = _fitted(context, prepared)
    return adopted_labels.adjusted(task, fitted, found)


def _fitted(context: RunContext, prepared: Prepared) -> dict[str, Any]:
    """What the task fits to training rows, or else to rows that are held out, which is said."""
    splits = prepared.splits
    if len(splits["train"]):
        return context.task.fit(splits["train"])
    name = next(split for split in ("validation", "test") if len(splits[split]))
    fitted = context.task.fit(splits[name])
    if fitted:
        prepared.cautions.append(
            f"without training rows, what the task fits to them ({', '.join(fitted)}) is fitted to "
            f"the {name} rows; --train names training rows"
        )
    return fitted


def trained_for(task: Task, found: Foreign) -> bool:
    """Whether the toolkit itself trained a folder, for a task of this name."""
    return found.ours.get("task") == task.name and isinstance(found.ours.get("task_state"), dict)


def models(context: RunContext) -> Sequence[EvaluatedModel]:
    """The models that a run judges."""
    assert context.evaluated is not None
    return context.evaluated.models


def folder_of(model: EvaluatedModel) -> Foreign:
    """The folder of a model, where it was; raises :class:`RunError` where it is gone."""
    folder = Path(model.path)
    if not folder.is_dir():
        raise RunError(f"{model.name}: there is no folder {folder} any more; bring it back")
    return Foreign(model.name, folder)


# -- copying and checking --------------------------------------------------------------------------
def adopt(context: RunContext) -> None:
    """Copy, describe, load and check each model.

    Raises:
        ModelError: one does not fit the base or changes nothing.
        UsageError: one was trained with other prompts than the task's, and the user has not said
            which are right.
    """
    kind, run = context.model, context.run
    kind.on_note = context.console.note
    speaks = prompt_choice.chosen(context, {m.system: folder_of(m) for m in models(context)})
    for model in models(context):
        _adopt(context, model, folder_of(model), speaks.get(model.system))
        if distributed.first():
            usual_modes(run.path / model.folder)
    kind.drop_adapter()


def _adopt(
    context: RunContext, model: EvaluatedModel, found: Foreign, speaks: Mapping[str, Any] | None
) -> None:
    kind, run = context.model, context.run
    if trained_for(context.task, found):
        kind.load_adapter(found.folder)  # refuses one that was trained on other prompts
    staged = run.path / f".{model.folder}.new.tmp"
    if distributed.first():
        _copy(found, staged)
        if not found.has_tokenizer:
            context.model.tokenizer.save_pretrained(staged)
    distributed.wait()
    canaries = _canaries(context)
    stored = _description(context, found, canaries, speaks)
    if distributed.first():
        write_json(staged / foreign.OURS, stored)
    distributed.wait()
    _load(context, found, staged, stored)
    if model == models(context)[0]:
        _show_prompt(context)
    if distributed.first():
        adapters.replace_folder(run.path / model.folder, staged)
    distributed.wait()
    where = "copied" if WEIGHTS not in stored else f"used where it is ({found.folder})"
    what = "a whole model" if found.whole else "an adapter"
    context.console.note(f"{model.system}: {what} from {model.name}, {where}")
    kind.drop_adapter()


def _copy(found: Foreign, staged: Path) -> None:
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    files = [file for pattern in COPIED for file in sorted(found.folder.glob(pattern))]
    if not refers(found):
        files += found.weights
    for file in files:
        if file.is_file() and file.name not in (foreign.OURS, "training.json", "test_results.json"):
            shutil.copyfile(file, staged / file.name)
    members = found.folder / "members"
    if members.is_dir() and found.ours:
        shutil.copytree(members, staged / "members")


def refers(found: Foreign) -> bool:
    """Whether a run refers to the weights of a whole model instead of copying them."""
    return found.whole and found.size > foreign.LARGEST_COPY


def _canaries(context: RunContext) -> list[Row]:
    """Rows on which the model must differ from the base, and by which its inputs are known."""
    splits = context.prepared.splits
    rows = splits["validation"] if len(splits["validation"]) else splits["test"]
    few = rows.select(range(min(CANARIES, len(rows))))
    return [context.model.keepable(dict(row)) for row in few]


def _description(
    context: RunContext,
    found: Foreign,
    canaries: Sequence[Row],
    speaks: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The ``toolkit.json`` of a model; that of the toolkit's own keeps what it says of training."""
    kind, task, recipe = context.model, context.task, context.recipe
    kept = dict(found.ours) if trained_for(task, found) else {}
    weights = base_digest.of(recipe.model)
    stored = {
        **kept,
        "task": task.name,
        "model": recipe.model,
        "foreign": not kept,
        "chat_template": getattr(kind.tokenizer, "chat_template", None),
        "task_state": task.state,
        "task_options": task.options,
        "canaries": list(canaries),
        **({"base_weights": weights} if weights else {}),
        **adopted_labels.described(kind, task, found),
        **({"speaks": dict(speaks)} if speaks else {}),
    }
    if refers(found):
        stored[WEIGHTS] = {
            "folder": str(found.folder), "digest": base_digest.digest(found.folder)
        }  # fmt: skip
    return stored


def _show_prompt(context: RunContext) -> None:
    """Have the report show a row as the loaded model is asked."""
    place = context.run.data / "preflight.json"
    if distributed.first():
        shown = data_stage.prompt(context.model, dict(context.prepared.splits["test"][0]))
        write_json(place, {**read_json(place), **shown, "judged": True})


def _load(context: RunContext, found: Foreign, staged: Path, stored: dict[str, Any]) -> None:
    """Load a model as every later stage will; its ``toolkit.json`` gets the hash of its prompts.

    A head on an encoder that was trained alone leaves the encoder's states as they are, and is a
    model all the same.
    """
    kind = context.model
    base_digest.check(found.ours, context.recipe.model, found.folder)
    stored["prompt_sha"] = prompt_choice.digest(kind, staged, stored)
    if distributed.first():
        write_json(staged / foreign.OURS, stored)
    distributed.wait()
    try:
        kind.load_adapter(staged)
    except ModelError as error:
        said = str(error).replace(str(staged), found.name)
        if "does nothing" not in said:
            raise ModelError(said) from error
        if not adopted_labels.has_head(kind):
            raise ModelError(f"{found.name}: {said}") from error
        stored["best_step"] = 0
        if distributed.first():
            write_json(staged / foreign.OURS, stored)
        distributed.wait()
        kind.load_adapter(staged)
        context.console.note(f"{found.name}: its head alone was trained")


# -- the train stage -------------------------------------------------------------------------------
def note(context: RunContext) -> None:
    """What stands in the place of the training: how large the models are."""
    run = context.run
    figures = {model.system: _figures(run, model) for model in models(context)}
    for name, found in figures.items():
        context.console.note(f"{name}: {count(found['parameters_trained'], 'parameter')}")
    first = next(iter(figures.values()))
    run.info["training"] = {**first, "seconds": None}
    if distributed.first():
        run.save()


def _figures(run: Run, model: EvaluatedModel) -> dict[str, Any]:
    from safetensors import safe_open

    found = Foreign(model.name, run.path / model.folder)
    if not found.weights:
        found = Foreign(model.name, Path(model.path))
    total = 0
    for file in found.weights:
        with safe_open(str(file), framework="np") as content:
            for name in content.keys():  # noqa: SIM118
                size = 1
                for length in content.get_slice(name).get_shape():
                    size *= length
                total += size
    made = {"parameters_trained": total, "checkpoint_mb": round(found.size / 2**20, 2)}
    return made | ({"weights": str(found.folder)} if found.folder == Path(model.path) else {})
