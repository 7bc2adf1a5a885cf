"""The tools whose trainings are imported, and which of them a file belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.errors import UsageError
from toolkit.pipeline.importing import (
    axolotl,
    axolotl_data,
    hf_arguments,
    llamafactory,
    llamafactory_data,
    trl,
    trl_data,
)
from toolkit.pipeline.importing.draft import Draft, Plain
from toolkit.pipeline.importing.places import Places


@dataclass(frozen=True)
class Tool:
    """A tool whose trainings are imported.

    Args:
        title: its name for people.
        settings: carries over everything but the data.
        data: carries over the data.
        plain: its keys that become one field each.
        special: its keys that are carried over otherwise → where they go.
        left_out: its keys → why they are not carried over.
        marks: keys that no other of these tools has.
        defaults: its defaults that are not those of ``plain``.
    """

    title: str
    settings: Callable[[Draft], None]
    data: Callable[[Draft, Places], None]
    plain: Mapping[str, Plain]
    special: Mapping[str, str]
    left_out: tuple[tuple[str, str], ...]
    marks: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)


TOOLS: Mapping[str, Tool] = {
    "llamafactory": Tool(
        "LLaMA-Factory", llamafactory.settings, llamafactory_data.data,
        {**hf_arguments.CARRIED, **llamafactory.LORA}, llamafactory.SPECIAL,
        (*llamafactory.LEFT_OUT, *hf_arguments.LEFT_OUT),
        frozenset("stage finetuning_type dataset dataset_dir template cutoff_len lora_rank "
                  "lora_target quantization_bit do_train".split()),
    ),
    "axolotl": Tool(
        "Axolotl", axolotl.settings, axolotl_data.data, axolotl.CARRIED, axolotl.SPECIAL,
        axolotl.LEFT_OUT,
        frozenset("base_model micro_batch_size sequence_len sample_packing adapter num_epochs "
                  "lora_target_linear val_set_size lr_scheduler optimizer".split()),
    ),
    "trl": Tool(
        "TRL", trl.settings, trl_data.data, {**hf_arguments.CARRIED, **trl.CARRIED}, trl.SPECIAL,
        (*trl.LEFT_OUT, *hf_arguments.LEFT_OUT),
        frozenset("dataset_name use_peft lora_r max_length dataset_train_split dataset_config "
                  "lora_target_modules assistant_only_loss dataset_text_field".split()),
        trl.DEFAULTS,
    ),
}  # fmt: skip
"""The tools by the names that ``--from`` takes."""


def recognised(given: Mapping[str, Any]) -> str:
    """The tool that a file's keys belong to.

    Raises:
        UsageError: to none of them, or to two.
    """
    model = "base_model" if "base_model" in given else "model_name_or_path"
    fitting = {
        name: len(tool.marks & set(given))
        for name, tool in TOOLS.items()
        if (name == "axolotl") == (model == "base_model")
    }
    best = max(fitting.values())
    found = [name for name, count in fitting.items() if count == best]
    if model not in given or not best or len(found) > 1:
        names = ", ".join(tool.title for tool in TOOLS.values())
        raise UsageError(
            f"these settings belong to none of the tools that are known ({names}), or it cannot be "
            f"told to which; name it with --from {'|'.join(TOOLS)}"
        )
    return found[0]
