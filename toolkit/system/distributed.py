"""Several processes for one run: ``torchrun --nproc_per_node N -m toolkit run …``.

Every process executes the same stages. The first one writes files (:func:`first`), decides what
depends on files (:func:`agreed`) and fits what is not worth sharing (baselines). Training is shared
by DDP, and prediction by giving each process a part of the rows (:func:`shared`). Importing this
module loads nothing heavy; without ``torchrun`` every function takes the case of one process.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.errors import UsageError

PATIENCE = dt.timedelta(hours=12)
"""How long processes wait for the first one, which fits baselines meanwhile."""


_AFTER_OTHERS = 100
"""The priority of what torch asks last for a storage's place."""


def count() -> int:
    """How many processes work at this run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def here() -> int:
    """How many of these processes run on this machine and share its memory."""
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
    """Join the other processes; does nothing where there is only one.

    Raises:
        UsageError: FSDP or DeepSpeed is requested where it would be ignored or is not installed.
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
        # Tensors are exchanged by NCCL; Python objects, and waiting, go by gloo.
        torch.distributed.init_process_group("cuda:nccl,cpu:gloo", timeout=PATIENCE)
    else:
        torch.distributed.init_process_group("gloo", timeout=PATIENCE)
        _know_numbered_processors()


def _know_numbered_processors() -> None:
    """Have torch read states of a checkpoint onto ``cpu:0``, ``cpu:1`` and so on.

    So accelerate calls the processor in several processes, and transformers asks for states there;
    torch does not know these names when it reads.
    """
    import torch

    def place(storage: Any, location: str) -> Any:
        return storage if location.startswith("cpu:") else None

    torch.serialization.register_package(_AFTER_OTHERS, lambda storage: None, place)


def _check_sharding() -> None:
    if not sharded_by_accelerate():
        return
    import importlib.util

    import torch

    what = "FSDP" if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true" else "DeepSpeed"
    if not torch.cuda.is_available():
        raise UsageError(
            f"{what} needs GPUs: accelerate would silently ignore it here; on a CPU train with "
            "DDP: torchrun --nproc_per_node N -m toolkit run …"
        )
    if what == "DeepSpeed" and importlib.util.find_spec("deepspeed") is None:
        raise UsageError("the accelerate config asks for DeepSpeed: pip install deepspeed")


def end() -> None:
    """Leave the other processes; does nothing where there is only one."""
    if count() == 1:
        return
    import torch.distributed

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def agreed(decide: Callable[[], Any]) -> Any:
    """What ``decide`` returns in the first process, for all processes.

    Only the first process calls it: others, on other machines, may see other files. An error that
    it raises is raised in all processes.
    """
    if count() == 1:
        return decide()
    import torch.distributed

    outcome: list[Any] = [None, None]
    if first():
        try:
            outcome[0] = decide()
        except Exception as error:
            outcome[1] = error
    torch.distributed.broadcast_object_list(outcome, src=0, device=_exchange_device())
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]


def everywhere(value: Any) -> list[Any]:
    """Every process's value, in the order of the processes."""
    if count() == 1:
        return [value]
    import torch.distributed

    values: list[Any] = [None] * count()
    torch.distributed.all_gather_object(values, value)
    return values


def wait() -> None:
    """Wait until all processes have called this."""
    agreed(lambda: None)


def shared(rows: Sequence[Any], answer: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Any]:
    """Predictions for all rows, each made by one of the processes, in the order of the rows.

    Args:
        rows: all rows, the same in every process.
        answer: takes rows and returns one prediction for each, in their order.
    """
    if count() == 1:
        return list(answer(rows))
    own = list(range(rank(), len(rows), count()))
    own_answers = list(answer([rows[i] for i in own])) if own else []
    result: list[Any] = [None] * len(rows)
    for process, answers in enumerate(everywhere(own_answers)):
        for i, one in zip(range(process, len(rows), count()), answers, strict=True):
            result[i] = one
    return result


def _exchange_device() -> Any:
    """The device by which objects are exchanged: always main memory."""
    import torch

    return torch.device("cpu")
