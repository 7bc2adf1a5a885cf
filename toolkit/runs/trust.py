"""Whether code that a run directory names may run: the one place that decides.

A run directory may come from somebody else, so nothing in it can consent to anything. Consent comes
from the command line of today (:func:`consent`), or from the user's own record of the files that
this user has run, which is kept outside of all runs (:func:`has_run`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import RunError, UsageError
from toolkit.runs.files import sha256

if TYPE_CHECKING:
    from toolkit.runs.run import Run

TASK_FILE, REMOTE_CODE = "--trust-task-file", "--trust-remote-code"
RECORD = "trusted.jsonl"
_PYTHON = (".py", ".toml")
_PLAIN_REPORTERS = {"none", "trackio", "tensorboard", "all", ""}


@dataclass
class _Today:
    """What the command line of this process consents to."""

    task_file: bool = False
    remote_code: bool = False


_today = _Today()


def consent(*, task_file: bool = False, remote_code: bool = False) -> None:
    """Note what the command line consents to; what it has consented to before stays.

    Args:
        task_file: ``--trust-task-file``: run the Python file that a run names as its task.
        remote_code: ``--trust-remote-code``: run code that comes with a model, and use settings of
            a run that reach outside of its folder.
    """
    _today.task_file |= task_file
    _today.remote_code |= remote_code


def withdraw() -> None:
    """Forget the consent of an earlier command line in this process."""
    _today.task_file = _today.remote_code = False


@contextlib.contextmanager
def of_one_call(*, task_file: bool = False, remote_code: bool = False) -> Iterator[None]:
    """Within the context a program consents, as by :func:`consent`; afterwards it no more does."""
    before = dataclasses.replace(_today)
    withdraw()
    consent(task_file=task_file, remote_code=remote_code)
    try:
        yield
    finally:
        _today.task_file, _today.remote_code = before.task_file, before.remote_code


# -- task files ------------------------------------------------------------------------------------
def task_file(run: Run) -> str | None:
    """The file that a run's task is in, if it may be loaded; ``None`` for an installed task.

    Raises:
        UsageError: the file is code that this user has not run in its present form.
        RunError: ``run.json`` names no file of a task.
    """
    named = (run.info.get("plugin") or {}).get("file")
    if named is None:
        return None
    file = _place(named) if isinstance(named, str) else None
    if file is None:
        raise RunError(
            f"{run.path / 'run.json'} names {named!r:.80} as a task file; was it edited?"
        )
    new = [one for one in code_files(file) if not _known(_of_file(one))]
    if new and not _today.task_file:
        file = new[0]
        edited = any(f'"file": {json.dumps(str(file.resolve()))},' in line for line in _lines())
        which = "has changed since you ran it" if edited else "you have not run"
        raise UsageError(
            f"run {run.id} takes its task from the Python file {file}, which {which}; read it and, "
            f"if you trust it, give {TASK_FILE}"
        )
    return str(named)


def in_code(run: Run) -> bool:
    """Whether a run's task is in a file whose reading runs code, whether or not it may be read."""
    named = (run.info.get("plugin") or {}).get("file")
    file = _place(named) if isinstance(named, str) else None
    return file is not None and is_code(file)


def _place(named: str) -> Path | None:
    """The file of ``FILE`` or ``FILE.py:CLASS``."""
    before, colon, _ = named.partition(".py:")
    file = Path(f"{before}.py" if colon else named)
    return file if file.suffix in _PYTHON and "\0" not in named else None


def is_code(file: Path) -> bool:
    """Whether reading a task file runs code: all do but TOML files that name no Python."""
    if file.suffix != ".toml":
        return True
    try:
        content = tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return False  # it cannot be read, which its reader says better
    return any(_names_python(text) for text in _texts(content))


def code_files(file: Path) -> list[Path]:
    """The files of a task that are code: none for a TOML file that names no Python.

    A TOML file that does comes first, then the Python files that it names, where they are there.
    """
    if not file.is_file() or not is_code(file):
        return []
    if file.suffix != ".toml":
        return [file]
    content = tomllib.loads(file.read_text("utf-8-sig"))
    named = [text.partition(".py:")[0] + ".py" for text in _texts(content) if ".py:" in text]
    beside = dict.fromkeys(file.parent / name for name in named if "\0" not in name)
    return [file, *(place for place in beside if place.is_file())]


def _names_python(text: str) -> bool:
    return text.endswith(".py") or ".py:" in text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from _texts(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _texts(inside)


def has_run(file: Path) -> None:
    """Record that this user runs a task file, as it is now, and what it names of Python."""
    for one in code_files(file):
        _add(_of_file(one))


def _of_file(file: Path) -> dict[str, str]:
    return {"file": str(file.resolve()), "sha256": sha256(file)}


# -- code of models, and settings that reach outside -----------------------------------------------
def remote_code(info: Mapping[str, Any]) -> bool:
    """Whether code that comes with a run's model may run; today's command line must say so too.

    Args:
        info: ``run.json``.

    Raises:
        UsageError: the run was made with ``--trust-remote-code``, and today it is not given.
    """
    if not (info.get("options") or {}).get("trust_remote_code"):
        return False
    if not _today.remote_code:
        model = (info.get("recipe") or {}).get("model")
        raise UsageError(
            f"run {info.get('id')} runs code that comes with its model {model!r:.200}; look at it "
            f"and, if you trust it, give {REMOTE_CODE}"
        )
    return True


def has_set(recipe: Mapping[str, Any]) -> None:
    """Record that this user has set what reaches outside of a run's folder."""
    if found := reaching(recipe):
        _add(_of_settings(found))


def check_settings(info: Mapping[str, Any]) -> None:
    """Refuse settings of a run that reach outside of its folder and that this user has not set.

    Args:
        info: ``run.json``.

    Raises:
        UsageError: naming the first of them.
    """
    found = reaching(info.get("recipe") or {})
    if found and not _today.remote_code and not _known(_of_settings(found)):
        name, value = next(iter(sorted(found.items())))
        raise UsageError(
            f"run {info.get('id')} sets {name} to {value!r:.100}, which loads code or reaches "
            f"outside of its folder, and you have not set that; if you trust it, give {REMOTE_CODE}"
        )


def has_named(info: Mapping[str, Any]) -> None:
    """Record that this user sends the rows of a run to the systems that it names."""
    if found := info.get("systems"):
        _add(_of_settings(found))


def check_systems(info: Mapping[str, Any]) -> None:
    """Refuse to send rows away, with this user's key, for a run that somebody else has made.

    Args:
        info: ``run.json``.

    Raises:
        UsageError: the run names systems that this user has not named.
    """
    found = info.get("systems") or {}
    if not _today.remote_code and not _known(_of_settings(found)):
        raise UsageError(
            f"run {info.get('id')} sends its rows to an API, and you have not started it; if you "
            f"trust it, give {REMOTE_CODE}"
        )


def reaching(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recipe that load code, write elsewhere or send something away.

    Args:
        recipe: the recipe as ``run.json`` holds it.
    """
    training, lora = recipe.get("training") or {}, recipe.get("lora") or {}
    init = training.get("model_init_kwargs") or {}
    init = init if isinstance(init, Mapping) else {"": init}
    return {
        **{f"training.{k}": v for k, v in training.items() if v and _training_reaches(k, v)},
        **{f"training.model_init_kwargs.{k}": v for k, v in init.items() if _init_reaches(k, v)},
        **{f"lora.{k}": v for k, v in lora.items() if v and k in _LORA},
    }


_LORA = ("megatron_config", "megatron_core", "auto_mapping", "corda_config", "eva_config")
"""Fields of PEFT that name modules to import or files to write."""
_FILES = ("logging_dir", "deepspeed", "fsdp_config", "accelerator_config", "chat_template_path")
"""Fields that name a file or folder, where they are a text."""
_SENDS = ("push_to_hub", "trackio_space_id", "trackio_bucket_id", "torch_compile_backend")


def _training_reaches(name: str, value: Any) -> bool:
    if name == "report_to":
        named = [value] if isinstance(value, str) else value
        return not isinstance(named, list) or not set(map(str, named)) <= _PLAIN_REPORTERS
    if name in _FILES:
        return isinstance(value, str)
    return name in _SENDS or name.startswith(("hub_", "push_to_hub"))


def _init_reaches(name: str, value: Any) -> bool:
    """Kernels are code from the Hub; the others could undo what the toolkit says."""
    if name in ("attn_implementation", "experts_implementation"):
        return "/" in str(value)
    return name in ("", "trust_remote_code", "code_revision", "use_kernels", "kernel_config",
                    "use_safetensors", "gguf_file", "weights_only", "cache_dir", "variant",
                    "subfolder", "adapter_kwargs", "proxies")  # fmt: skip


# -- the user's own record -------------------------------------------------------------------------
def state_folder() -> Path:
    """The user's state folder: ``TOOLKIT_STATE``, else the platform's."""
    if given := os.environ.get("TOOLKIT_STATE"):
        return Path(given)
    import platformdirs

    return platformdirs.user_state_path("adapter-toolkit", appauthor=False)


def _of_settings(found: Mapping[str, Any]) -> dict[str, str]:
    content = json.dumps(found, sort_keys=True, default=str)
    return {"settings": hashlib.sha256(content.encode()).hexdigest()}


def _known(entry: Mapping[str, str]) -> bool:
    return json.dumps(entry, sort_keys=True) in _lines()


def _lines() -> list[str]:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (state_folder() / RECORD).read_text(encoding="utf-8").splitlines()
    return []


def _add(entry: Mapping[str, str]) -> None:
    """Append a line that only this user can read; without a place for it, flags are needed."""
    if _known(entry):
        return
    with contextlib.suppress(OSError):
        folder = state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = os.open(folder / RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(place, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, sort_keys=True) + "\n")
