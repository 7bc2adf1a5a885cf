"""``--engine vllm``: the command line of vLLM for the same base, adapters, template and stops.

What vLLM takes is written down in its sources: ``vllm/lora/peft_helper.py`` (no DoRA, no
``modules_to_save``; one rank and one alpha for all layers), ``vllm/config/lora.py`` (the values of
``max_lora_rank``), and ``--generation-config``, a folder whose ``generation_config.json`` names the
tokens that end a text.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.kinds import TextModel
from toolkit.models import model_path
from toolkit.pipeline import base_of, load_task, make_kind
from toolkit.runs import Run, read_json, write_json, write_text
from toolkit_serving.served import BASE_NAME

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM's ``--max-lora-rank`` takes."""
FOLDER = ".serving"
"""Folder beside the runs for the files that vLLM reads."""
PATTERNS = ("rank_pattern", "alpha_pattern")
PRESENT = {
    "use_dora": "it is DoRA",
    "modules_to_save": "it has whole layers beside LoRA (modules_to_save)",
    "trainable_token_indices": "it has trained single tokens' embeddings",
    "target_parameters": "it is on single parameters, such as experts",
    "lora_bias": "it has biases of its own (lora_bias)",
    "alora_invocation_tokens": "it is an activated LoRA",
}
"""Fields of an adapter's configuration that vLLM refuses or, worse, passes over → the reason."""


def refusal(config: Mapping[str, Any]) -> str:
    """Why vLLM does not take an adapter; empty: it does.

    Args:
        config: its ``adapter_config.json``.
    """
    if config.get("peft_type", "LORA") != "LORA":
        return f"it is {config['peft_type']} and not LoRA"
    for name, reason in PRESENT.items():
        if config.get(name):
            return reason
    if config.get("bias", "none") != "none":
        return f"it has trained biases (bias = {config['bias']!r})"
    for name in PATTERNS:
        if config.get(name):
            return f"its layers differ in rank or alpha ({name})"
    if int(config["r"]) > RANKS[-1]:
        return f"its rank is {config['r']}, and vLLM takes {RANKS[-1]} at most"
    return ""


def command(
    runs: Sequence[tuple[str, Run]], folder: Path, *, host: str, port: int | None
) -> list[str]:
    """The arguments of ``vllm``; the files that they name are written.

    Args:
        runs: the runs with their names, all on one base.
        folder: for the template and the stop tokens.
        host: where vLLM is to listen.
        port: its port; ``None``: vLLM's own default.

    Raises:
        UsageError: a run that vLLM cannot serve, or runs of several bases.
    """
    first = runs[0][1]
    ranks = []
    for name, run in runs:
        if base_of(run) != base_of(first):
            raise UsageError(f"vLLM serves one base: {name} is for {run.info['recipe']['model']}")
        if run.info["recipe"].get("lora") is None:
            raise UsageError(f"vLLM cannot serve {name}: it has no adapter with LoRA")
        config = read_json(run.adapter / "adapter_config.json")
        if reason := refusal(config):
            raise UsageError(f"vLLM does not take the adapter of {name}: {reason}")
        ranks.append(int(config["r"]))
    kind = make_kind(first, load_task(first))
    if not isinstance(kind, TextModel) or kind.task_type != "CAUSAL_LM":
        raise UsageError(f"vLLM cannot serve {runs[0][0]}: its model is no causal language model")
    if first.info["recipe"].get("quantization"):
        raise UsageError(
            "the base of these runs is quantized while it is loaded, which vLLM does otherwise: "
            "answers would differ; merge the adapter, or train on the base as it is"
        )
    place = folder / FOLDER / first.id
    stops = sorted(kind.renderer.stops)
    write_json(place / "generation_config.json", {"eos_token_id": stops, "temperature": 0.0})
    arguments = [
        "serve", model_path(str(first.info["recipe"]["model"])),
        "--served-model-name", BASE_NAME,
        "--host", host, *(("--port", str(port)) if port else ()),
        "--generation-config", str(place.resolve()),
        "--enable-lora", "--max-loras", str(len(runs)),
        "--max-lora-rank", str(next(rank for rank in RANKS if rank >= max(ranks))),
    ]  # fmt: skip
    if kind.tokenizer.chat_template:
        write_text(place / "chat_template.jinja", str(kind.tokenizer.chat_template))
        arguments += ["--chat-template", str((place / "chat_template.jinja").resolve())]
    modules = [f"{name}={run.adapter.resolve()}" for name, run in runs]
    return [*arguments, "--lora-modules", *modules]


def shown(arguments: Sequence[str]) -> str:
    """The command as it is typed."""
    return shlex.join(["vllm", *arguments])


def start(arguments: Sequence[str]) -> None:
    """Become vLLM's server, where it is installed; otherwise return."""
    program = shutil.which("vllm")
    if program and importlib.util.find_spec("vllm") is not None:
        os.execv(program, [program, *arguments])
