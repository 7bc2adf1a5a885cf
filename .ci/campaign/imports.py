"""What LLaMA-Factory, Axolotl and TRL make of a training's file, for the tests of the import.

    python .ci/campaign/imports.py llamafactory|axolotl|trl [--only NAME]

It runs in the tool's own environment, with that tool, torch and no toolkit, and writes
``tests/pipeline/importing/files/TOOL/NAME.json`` for each file beside it. The arguments are made by
the tool's own code: LLaMA-Factory's parser, quantization and adapter; Axolotl's schema, defaults,
training arguments, quantization and adapter; TRL's parser and configurations. The adapter is that
of a Llama of two layers with random weights. What needs a GPU is told that there is one which
knows bfloat16; modules that only GPUs or networks have (triton, telemetry) are empty stand-ins.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.machinery
import json
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

FILES = Path(__file__).resolve().parents[2] / "tests" / "pipeline" / "importing" / "files"
os.environ.update(
    HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", AXOLOTL_DO_NOT_TRACK="1", WANDB_DISABLED="true"
)


def main() -> None:
    """Write the JSON files of one tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=sorted(DUMPS))
    parser.add_argument("--only", help="the name of one file")
    options = parser.parse_args()
    dump = DUMPS[options.tool]
    os.chdir(FILES)
    for path in sorted((FILES / options.tool).glob("*.yaml")):
        if options.only in (None, path.stem):
            found = {"versions": versions(options.tool), **dump(path)}
            text = json.dumps(plain(found), indent=1, sort_keys=True)
            path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
            print(path.stem)


def versions(tool: str) -> dict[str, str]:
    """The versions that a dump is made with."""
    from importlib.metadata import version

    return {name: version(name) for name in (tool, "transformers", "peft", "trl")}


def plain(value: Any) -> Any:
    """A value as JSON: enums by their values, types of torch by their names, sets sorted."""
    import enum

    import torch

    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items() if not str(key).startswith("_")}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return None


def training_fields(arguments: Any) -> dict[str, Any]:
    """The fields of training arguments that transformers itself declares."""
    import dataclasses

    from transformers import TrainingArguments

    names = {field.name for field in dataclasses.fields(TrainingArguments)}
    hidden = {"output_dir", "logging_dir", "hub_token", "push_to_hub_token", "accelerator_config",
              "fsdp_config"}  # fmt: skip
    return {name: getattr(arguments, name, None) for name in sorted(names - hidden)}


def llama() -> Any:
    """A Llama of two layers with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=False,
        )
    )  # fmt: skip


def lora_fields(config: Any) -> dict[str, Any]:
    """The fields of a ``LoraConfig``, without those of the process that made it."""
    hidden = {"base_model_name_or_path", "peft_version", "task_type", "auto_mapping", "revision",
              "runtime_config", "peft_type", "inference_mode"}  # fmt: skip
    return {name: one for name, one in vars(config).items() if name not in hidden}


# -- LLaMA-Factory ---------------------------------------------------------------------------------
def llamafactory(path: Path) -> dict[str, Any]:
    """What its parser makes of a file, its quantization and its adapter."""
    os.environ.update(
        RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="29533"
    )
    import yaml
    from llamafactory.hparams import get_train_args
    from llamafactory.model.adapter import init_adapter
    from llamafactory.model.model_utils.quantization import configure_quantization

    given = {**yaml.safe_load(path.read_text()), "use_cpu": True, "deepspeed": None}
    given = {k: float(v) if _is_number(v) else v for k, v in given.items()}
    with tempfile.TemporaryDirectory() as folder:
        given["output_dir"] = folder
        model, data, training, tuning, writing = get_train_args(given)
    made: dict[str, Any] = {}
    if model.quantization_bit is not None:
        model_config = types.SimpleNamespace(quantization_config=None)
        configure_quantization(model_config, None, model, True, made)
    tuned = llama()
    quiet = model.quantization_bit
    model.quantization_bit = None
    adapter = init_adapter(tuned.config, tuned, model, tuning, True).peft_config["default"]
    model.quantization_bit = quiet
    quantization = made.get("quantization_config")
    return {
        "training": training_fields(training),
        "lora": lora_fields(adapter),
        "quantization": quantization.to_dict() if quantization else None,
        "model": {
            name: getattr(model, name)
            for name in ("model_name_or_path", "model_revision", "compute_dtype",
                         "disable_gradient_checkpointing")
        },
        "data": {
            name: getattr(data, name)
            for name in ("cutoff_len", "packing", "neat_packing", "val_size", "max_samples",
                         "dataset", "eval_dataset", "template")
        },
        "tuning": {
            name: getattr(tuning, name)
            for name in ("stage", "finetuning_type", "loraplus_lr_ratio", "early_stopping_steps",
                         "pure_bf16")
        },
        "writing": {"max_new_tokens": writing.max_new_tokens},
    }  # fmt: skip


def _is_number(value: Any) -> bool:
    """Whether YAML has read a number such as ``2e-4`` as a text, which the tool's own does not."""
    with contextlib.suppress(TypeError, ValueError):
        float(value)
        return isinstance(value, str)
    return False


# -- Axolotl ---------------------------------------------------------------------------------------
class Empty:
    """Finds empty modules in the place of those that are not installed."""

    names = frozenset(
        "art evaluate fastcore fire mlflow numba posthog torchao triton wandb".split()
    )

    class Module(types.ModuleType):
        """A module of which everything can be imported."""

        __path__: list[str] = []

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return MagicMock()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> Any:
        return self.Module(spec.name)

    def exec_module(self, module: Any) -> None:
        pass


class Built(Exception):
    """Carries the training arguments out of the builder, which would go on to the trainer."""


def axolotl(path: Path) -> dict[str, Any]:
    """What its schema, its builder, its loader and its adapter make of a file."""
    import peft  # noqa: F401
    import torch
    import trl  # noqa: F401
    import yaml
    from transformers import AutoModelForImageTextToText, Trainer  # noqa: F401

    if not any(isinstance(finder, Empty) for finder in sys.meta_path):
        sys.meta_path.append(Empty())
    from axolotl.core import training_args
    from axolotl.core.builders import causal
    from axolotl.loaders import adapter
    from axolotl.loaders.model import ModelLoader
    from axolotl.utils import config
    from axolotl.utils.dict import DictDefault

    cfg = config.validate_config(
        DictDefault(yaml.safe_load(path.read_text())),
        capabilities={"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1,
                      "compute_capability": "sm_80"},
        env_capabilities={"torch_version": torch.__version__.partition("+")[0]},
    )  # fmt: skip
    tuned = llama()
    config.load_model_config = lambda cfg: tuned.config
    config.is_torch_bf16_gpu_available = lambda: True
    config.normalize_config(cfg)
    lora = adapter._build_peft_lora_config(tuned, cfg)
    loader = types.SimpleNamespace(
        cfg=cfg, model_kwargs={}, model_config=tuned.config, is_fsdp_enabled=False
    )
    ModelLoader._set_quantization_config(loader)
    quantization = loader.model_kwargs.get("quantization_config")
    return {
        "training": training_fields(_arguments(cfg, causal, training_args)),
        "lora": lora_fields(lora),
        "quantization": quantization.to_dict() if quantization else None,
        "config": {
            name: cfg.get(name)
            for name in ("base_model", "sequence_len", "sample_packing", "torch_dtype", "seed",
                         "early_stopping_patience", "warmup_ratio", "warmup_steps", "val_set_size")
        },
    }  # fmt: skip


def _arguments(cfg: Any, causal: Any, training_args: Any) -> Any:
    """The training arguments that the builder makes; the number of all steps is not known."""
    real = training_args.AxolotlTrainingArguments

    def built(**given: Any) -> Any:
        here = {"use_cpu": True, "output_dir": tempfile.gettempdir(), "tf32": None}
        made = real(**{**given, **here})
        made.tf32 = given.get("tf32")  # transformers refuses it without a GPU, true or false
        raise Built(made)

    builder = causal.HFCausalTrainerBuilder.__new__(causal.HFCausalTrainerBuilder)
    builder.cfg, builder.model, builder.tokenizer = cfg, None, None
    builder._train_dataset, builder._eval_dataset = None, cfg.test_datasets
    causal.get_chat_template_from_config = lambda **given: None
    training_args.AxolotlTrainingArguments = built
    try:
        builder.build(None)
    except Built as found:
        return found.args[0]
    finally:
        training_args.AxolotlTrainingArguments = real
    raise RuntimeError("the builder made no training arguments")


# -- TRL -------------------------------------------------------------------------------------------
def trl(path: Path) -> dict[str, Any]:
    """What the parser of ``trl sft --config`` makes of a file."""
    from trl import (
        ModelConfig,
        ScriptArguments,
        SFTConfig,
        TrlParser,
        get_peft_config,
        get_quantization_config,
    )

    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    with tempfile.TemporaryDirectory() as folder:
        script, training, model = parser.parse_args_and_config(
            ["--config", str(path), "--output_dir", folder, "--use_cpu", "true"]
        )
    quantization = get_quantization_config(model)
    return {
        "training": {
            **training_fields(training),
            **{name: getattr(training, name) for name in ("max_length", "packing")},
        },
        "lora": lora_fields(get_peft_config(model)),
        "quantization": quantization.to_dict() if quantization else None,
        "model": {
            name: getattr(model, name) for name in ("model_name_or_path", "model_revision", "dtype")
        },
        "data": {"dataset_name": script.dataset_name},
    }


DUMPS = {"llamafactory": llamafactory, "axolotl": axolotl, "trl": trl}

if __name__ == "__main__":
    main()
