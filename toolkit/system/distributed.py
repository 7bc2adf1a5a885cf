"""Several processes at one run: ``torchrun --nproc_per_node N -m toolkit run …``.

Every process takes the same way through the flow. The first one writes (:func:`first`), decides
what depends on files (:func:`agreed`), and fits what is not worth sharing; training is shared by
DDP, and answering by giving each process its part of the rows (:func:`shared`). Importing this
loads nothing heavy, and without ``torchrun`` nothing here does anything.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.errors import UsageError

PATIENCE = dt.timedelta(hours=12)
"""How long processes wait for the first, which fits baselines meanwhile."""


def count() -> int:
    """How many processes work at this run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def here() -> int:
    """How many of them share this machine's memory."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    """The number of this process on its machine, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def first() -> bool:
    """Whether this is the process that writes."""
    return rank() == 0


def sharded_by_accelerate() -> bool:
    """Whether FSDP or DeepSpeed, set up by ``accelerate launch``, places the model."""
    return any(
        os.environ.get(name, "false").lower() == "true"
        for name in ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    )


def begin() -> None:
    """Meet the other processes; nothing where there is only one.

    Raises:
        UsageError: FSDP or DeepSpeed is asked for where it would be ignored or is not there.
    """
    _check_sharding()
    if count() == 1:
        return
    import torch
    import torch.distributed

    if torch.distributed.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank())
        # Tensors go by NCCL, Python objects and waiting by gloo.
        torch.distributed.init_process_group("cuda:nccl,cpu:gloo", timeout=PATIENCE)
    else:
        torch.distributed.init_process_group("gloo", timeout=PATIENCE)


def _check_sharding() -> None:
    if not sharded_by_accelerate():
        return
    import importlib.util

    import torch

    what = "FSDP" if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true" else "DeepSpeed"
    if not torch.cuda.is_available():
        raise UsageError(
            f"{what} needs GPUs: accelerate would ignore it here without a word; on a CPU train by "
            "DDP: torchrun --nproc_per_node N -m toolkit run …"
        )
    if what == "DeepSpeed" and importlib.util.find_spec("deepspeed") is None:
        raise UsageError("the accelerate config asks for DeepSpeed: pip install deepspeed")


def end() -> None:
    """Part from the other processes."""
    if count() == 1:
        return
    import torch.distributed

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def agreed(decide: Callable[[], Any]) -> Any:
    """What the first process finds, for all: files may differ in the eyes of the others.

    An error of the first is raised in all.
    """
    if count() == 1:
        return decide()
    import torch.distributed

    found: list[Any] = [None, None]
    if first():
        try:
            found[0] = decide()
        except Exception as error:
            found[1] = error
    torch.distributed.broadcast_object_list(found, src=0, device=_talking())
    if found[1] is not None:
        raise found[1]
    return found[0]


def everywhere(value: Any) -> list[Any]:
    """Every process's value, in the order of the processes."""
    if count() == 1:
        return [value]
    import torch.distributed

    values: list[Any] = [None] * count()
    torch.distributed.all_gather_object(values, value)
    return values


def wait() -> None:
    """Until all processes are here."""
    agreed(lambda: None)


def shared(rows: Sequence[Any], answer: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Any]:
    """Answers to all rows, each given by one of the processes, in the order of the rows.

    Args:
        rows: the same in every process.
        answer: one answer a row, in their order.
    """
    if count() == 1:
        return list(answer(rows))
    own = list(range(rank(), len(rows), count()))
    given = list(answer([rows[i] for i in own])) if own else []
    everybody = everywhere(given)
    result: list[Any] = [None] * len(rows)
    for process, answers in enumerate(everybody):
        for i, one in zip(range(process, len(rows), count()), answers, strict=True):
            result[i] = one
    return result


def _talking() -> Any:
    """Where objects are exchanged: always in main memory."""
    import torch

    return torch.device("cpu")
