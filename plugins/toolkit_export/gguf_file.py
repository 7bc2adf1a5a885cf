"""GGUF: for SmolLM2 by its own file as the pattern, for other models by llama.cpp's converter."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra, ModelError, UsageError
from toolkit.kinds import TaskModel, TextModel
from toolkit.models import gguf_conversion, packaged
from toolkit.pipeline import whole_model
from toolkit.runs import write_text
from toolkit_export import gguf_tensors, llama_runtime, merged, modelfile
from toolkit_export.answers import Opened

if TYPE_CHECKING:
    from toolkit_export.export import Job

FILE = "model.gguf"
TYPES = ("float16", "bfloat16", "float32", "q8_0")
OUTTYPES = {"float16": "f16", "bfloat16": "bf16", "float32": "f32", "q8_0": "q8_0"}
"""Types of weights as llama.cpp's converter calls them."""
EMBEDDED = "embedded:"


def check(job: Job, kind: TaskModel) -> None:
    """Refuse what cannot be exported.

    Raises:
        UsageError: the task or its model has no form in GGUF.
        MissingExtra: the package ``gguf`` is not installed.
    """
    model, converter = kind.recipe.model, job.options.converter
    if job.task.kind != "causal-lm":
        raise UsageError(
            f"--to gguf is for causal language models, and {job.task.name} is a {job.task.kind} "
            "task; take --to merged"
        )
    if model.startswith(EMBEDDED):
        raise UsageError(
            f"--to gguf: the tokenizer of {model}, in which every number is one token, is none "
            "that GGUF knows; take --to merged"
        )
    if find_spec("gguf") is None:
        raise MissingExtra("toolkit export --to gguf", "export")
    if model in packaged.NAMES:
        packaged.gguf_file(model)
    elif converter is None:
        raise UsageError(
            f"--to gguf of {model} needs llama.cpp's converter: --converter "
            "PATH/convert_hf_to_gguf.py"
        )
    if converter is not None and not converter.is_file():
        raise UsageError(f"--converter: there is no file {converter}")


def write(job: Job, kind: TaskModel, model: Any) -> None:
    """Write the file, and an Ollama Modelfile beside it.

    Raises:
        ModelError: the weights do not fit, or the converter fails.
    """
    assert isinstance(kind, TextModel)
    if job.options.converter is not None:
        _convert(job, kind, model, job.options.converter)
    else:
        gguf_tensors.write_like(
            packaged.gguf_file(kind.recipe.model), _weights(model), job.folder / FILE, job.numbers,
            kind.tokenizer.chat_template,
        )  # fmt: skip
    write_text(job.folder / "Modelfile", modelfile.content(kind, FILE))
    job.notes.append("the Modelfile was written for Ollama and not tried with it")


def _weights(model: Any) -> dict[str, Any]:
    """The weights of a model; a head that shares those of the embeddings is none of its own."""
    state = dict(model.state_dict())
    if model.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    return state


def _convert(job: Job, kind: TaskModel, model: Any, converter: Path) -> None:
    """Have llama.cpp's converter write the file."""
    folder = _beside(job, "hf")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        merged.write(kind, model, folder)
        done = subprocess.run(
            [sys.executable, str(converter.resolve()), str(folder.resolve()),
             "--outfile", str((job.folder / FILE).resolve()), "--outtype", OUTTYPES[job.numbers]],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if done.returncode or not (job.folder / FILE).is_file():
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it wrote no file"]
        raise ModelError(f"{converter} did not convert the model: {said[-1][:300]}")


def load(job: Job) -> Opened:
    """The file read back: tokenizer, chat template and stop tokens are those in it.

    llama.cpp computes where it is installed, else transformers with the weights of the file.

    Raises:
        ModelError: it cannot be read, or its tokenizer is of a layout that is not known.
    """
    folder = _beside(job, "read")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        try:
            gguf_conversion.convert(job.folder / FILE, folder, dtype="float32")
        except (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"{FILE} cannot be read back: {reason}") from error
        if llama_runtime.installed():
            session = llama_runtime.Session(job.folder / FILE)
            model = llama_runtime.model_of(session, folder)
            kind = whole_model.open_whole(job.run, job.task, folder, model)
            return Opened(kind, llama_runtime.version(), session)
        kind = whole_model.open_whole(job.run, job.task, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("transformers", "gguf")]
    return Opened(
        kind, f"{versions[0]}, which read the file back by {versions[1]} (not by llama.cpp)"
    )


def _beside(job: Job, what: str) -> Path:
    """A folder for what is needed for a while."""
    return job.folder.with_name(f"{job.folder.name}.{what}.tmp")
