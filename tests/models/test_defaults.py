"""What a recipe leaves out is the upstream default, whatever a backend has put in its place."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trl import SFTConfig

from cli_runner import environment
from toolkit.models import unsloth

DECISIVE = ("gradient_accumulation_steps", "weight_decay", "warmup_steps", "learning_rate",
            "per_device_train_batch_size", "optim", "max_grad_norm", "lr_scheduler_type",
            "neftune_noise_alpha")  # fmt: skip


def rewritten() -> type:
    """As Unsloth rewrites it: a class of the same name made from the upstream one."""

    class Patched(SFTConfig):  # type: ignore[misc]
        def __init__(
            self,
            output_dir: Any = None,
            gradient_accumulation_steps: int = 2,
            weight_decay: float = 0.001,
            bf16: bool = False,
            vllm_sampling_params: Any = None,
            **others: Any,
        ) -> None:
            super().__init__(
                output_dir=output_dir, gradient_accumulation_steps=gradient_accumulation_steps,
                weight_decay=weight_decay, bf16=bf16, **others,
            )  # fmt: skip

    Patched.__name__ = Patched.__qualname__ = SFTConfig.__qualname__
    Patched.__module__ = SFTConfig.__module__
    return Patched


def test_the_upstream_class_has_nothing_to_put_back() -> None:
    assert unsloth.replaced_defaults(SFTConfig) == {}


def test_defaults_that_train_otherwise_are_put_back_and_its_own_needs_are_left() -> None:
    assert unsloth.replaced_defaults(rewritten()) == {
        "gradient_accumulation_steps": 1, "weight_decay": 0.0,
    }  # fmt: skip


def test_a_short_recipe_trains_by_upstream_defaults(
    tmp_path: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit import Recipe
    from toolkit.kinds import fit
    from toolkit.kinds.causal_lm.model import CausalLM
    from toolkit_price_regression.task import PriceRegression

    patched = rewritten()
    monkeypatch.setattr(CausalLM, "training_arguments", classmethod(lambda cls: patched))

    def arguments(**fields: Any) -> Any:
        recipe = Recipe("short", "short", str(tiny_llama), training=fields)
        return fit.arguments(CausalLM(PriceRegression(), recipe), recipe, tmp_path)

    made = arguments()
    assert isinstance(made, patched)
    assert (made.gradient_accumulation_steps, made.weight_decay) == (1, 0.0)
    assert arguments(gradient_accumulation_steps=4).gradient_accumulation_steps == 4


@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("unsloth", "triton")),
    reason="Unsloth rewrites TRL's arguments only where triton is, which comes with CUDA",
)
def test_unsloths_own_class_gets_them_back(tmp_path: Path) -> None:
    """On a CPU it takes another way, so it is told to rewrite TRL's trainer as on a GPU."""
    code = (
        "from toolkit.system import environment; environment.prepare(offline=True)\n"
        "from toolkit.models import unsloth; unsloth.activate()\n"
        "from unsloth.models.rl import _patch_trl_rl_trainers; import json, trl\n"
        "module = trl.trainer.sft_trainer\n"
        "upstream = module.SFTTrainer.__mro__[1]\n"
        "module.SFTTrainer = trl.SFTTrainer = trl.trainer.SFTTrainer = upstream\n"
        "_patch_trl_rl_trainers('sft_trainer')\n"
        "back = unsloth.replaced_defaults(module.SFTConfig)\n"
        "made = module.SFTConfig(output_dir='x', use_cpu=True, **back)\n"
        f"names = {DECISIVE!r}\n"
        "print(json.dumps([sorted(back), {n: getattr(made, n) for n in names}], default=str))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), text=True,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    put_back, made = json.loads(done.stdout.splitlines()[-1])
    assert {"gradient_accumulation_steps", "learning_rate", "warmup_steps"} <= set(put_back)
    plain = SFTConfig(output_dir=str(tmp_path), use_cpu=True)
    assert made == json.loads(
        json.dumps({name: getattr(plain, name) for name in DECISIVE}, default=str)
    )
