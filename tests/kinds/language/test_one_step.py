"""One training step: the numbers are those of a step by hand, and nothing of it stays."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pytest
import torch

from toolkit.errors import ModelError, UsageError
from toolkit.kinds import one_step
from toolkit.kinds.language import one_step as module
from toolkit.kinds.language.one_step import layer_of, loss
from toolkit.pipeline.predict import open_run
from toolkit.runs.files import read_jsonl
from toolkit.runs.run import Run


@pytest.fixture(scope="module", params=["played", "played_notes"])
def loaded(request: pytest.FixtureRequest) -> tuple[Run, Any, dict[str, Any]]:
    """The run of a decoder or an encoder–decoder, its model, and a row with its answer."""
    run = Run.open(request.getfixturevalue(request.param))
    _, kind = open_run(run)
    return run, kind, read_jsonl(run.data / "heldout.jsonl")[0]


def state(kind: Any) -> str:
    """A hash of all that a step could change in a model."""
    found = hashlib.sha256(str(kind.model.active_adapter).encode())
    for name, tensor in [*kind.model.named_parameters(), *kind.model.named_buffers()]:
        found.update(f"{name} {tensor.requires_grad} {tensor.dtype} {tensor.shape}".encode())
        found.update(tensor.detach().contiguous().view(torch.uint8).numpy().tobytes())
        gradient = tensor.grad
        found.update(b"-" if gradient is None else gradient.numpy().tobytes())
    for name, layer in kind.model.named_modules():
        found.update(f"{name} {layer.training} {len(layer._forward_hooks)}".encode())
        found.update(str(len(layer._forward_pre_hooks)).encode())
    return found.hexdigest()


def files(run: Run) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in run.path.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("fresh", [False, True])
def test_nothing_of_the_model_or_the_run_stays_changed(loaded: Any, fresh: bool) -> None:
    run, kind, row = loaded
    before, there, randomness = state(kind), files(run), torch.random.get_rng_state()
    answers = [out.text for out in kind.predict([row], adapter=True)]
    step = one_step(kind, row, adapter="default", fresh=fresh)
    assert step.moved > 0 and step.before != step.after
    assert state(kind) == before and files(run) == there
    assert torch.equal(torch.random.get_rng_state(), randomness)
    assert [out.text for out in kind.predict([row], adapter=True)] == answers


def test_nothing_stays_where_the_step_fails(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, kind, row = loaded
    before = state(kind)

    def failing(*_: Any) -> Any:
        raise RuntimeError("no memory left")

    monkeypatch.setattr(module, "_optimizer", failing)
    with pytest.raises(RuntimeError, match="no memory left"):
        one_step(kind, row, adapter="default")
    assert state(kind) == before


def test_the_probabilities_are_those_of_the_answer(loaded: Any) -> None:
    _, kind, row = loaded
    step = one_step(kind, row, adapter="default")
    ((total, count),) = kind.target_losses([row], adapter=True)
    assert len(step.tokens) == len(step.before) == count
    assert loss(step.before) == pytest.approx(total / count, rel=1e-3)
    assert step.tokens[-1] in kind.renderer.stops
    ((total, _),) = kind.target_losses([row], adapter=False)
    anew = one_step(kind, row, adapter="default", fresh=True)
    assert loss(anew.before) == pytest.approx(total / count, rel=1e-3)  # a new one is the base


def test_gradient_and_step_are_those_of_plain_torch(loaded: Any) -> None:
    """The same step on a second copy of the model, with transformers' own loss."""
    run, kind, row = loaded
    step = one_step(kind, row, adapter="default")
    _, twin = open_run(run)
    twin.model.set_adapter("default")
    trained = [p for p in twin.model.parameters() if p.requires_grad]
    ids, labels = twin.encoded(row)

    def forward() -> Any:
        return twin.model(
            input_ids=torch.tensor([ids]), labels=torch.tensor([labels]), use_cache=False
        ).loss

    value = forward()
    value.backward()
    assert loss(step.before) == pytest.approx(float(value.detach()), rel=1e-4)
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in trained if p.grad is not None))
    assert step.norm == pytest.approx(norm, rel=1e-4)
    assert step.parameters == sum(p.numel() for p in trained)
    rate = run.info["recipe"]["training"]["learning_rate"]
    assert step.rate == rate and step.clip == 1.0 and step.optimizer == "AdamW"
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    decay = run.info["recipe"]["training"].get("weight_decay", 0.0)
    torch.optim.AdamW(trained, lr=rate, weight_decay=decay).step()
    assert loss(step.after) == pytest.approx(float(forward().detach()), rel=1e-3)


def test_a_new_adapter_learns_in_b_first(loaded: Any) -> None:
    _, kind, row = loaded
    step = one_step(kind, row, adapter="default", fresh=True)
    assert all(layer.a == 0 for layer in step.layers)
    assert any(layer.b > 0 for layer in step.layers)
    again = one_step(kind, row, adapter="default", fresh=True)
    assert again == step  # from the run's seed


def test_what_cannot_be_taken_is_told(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, kind, row = loaded
    before = state(kind)
    with monkeypatch.context() as patched:
        patched.setattr(type(kind), "max_length", 3)
        with pytest.raises(UsageError, match="trains on up to 3"):
            one_step(kind, row, adapter="default")
    with monkeypatch.context() as patched:
        patched.setattr(kind, "whole", object())
        with pytest.raises(UsageError, match="no adapter on this model"):
            one_step(kind, row, adapter="default")
    usual = kind.labelled_logits
    with monkeypatch.context() as patched:
        patched.setattr(
            kind, "labelled_logits", lambda e: (usual(e)[0] * float("nan"), usual(e)[1])
        )
        with pytest.raises(ModelError, match="not finite"):
            one_step(kind, row, adapter="default")
    assert state(kind) == before


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("base_model.model.model.layers.3.self_attn.q_proj.lora_A.default.weight", "layer 3"),
        ("base_model.model.transformer.h.11.attn.c_attn.lora_B.default.weight", "layer 11"),
        ("base_model.model.decoder.block.0.layer.1.EncDecAttention.q.lora_A.default.weight",
         "decoder layer 0"),
        ("base_model.model.encoder.block.2.layer.0.SelfAttention.v.lora_A.default.weight",
         "encoder layer 2"),
        ("base_model.model.lm_head.lora_B.default.weight", "lm_head"),
        ("base_model.model.model.embed_tokens.lora_embedding_A.default", "embed_tokens"),
        ("base_model.model.model.norm.modules_to_save.default.weight", "norm"),
    ],
)  # fmt: skip
def test_layers_have_the_names_that_people_give_them(name: str, layer: str) -> None:
    assert layer_of(name) == layer


def test_the_loss_is_the_mean_of_the_surprises() -> None:
    assert loss((0.5, 0.25)) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert loss((1.0,)) == 0 and math.isfinite(loss((0.0,)))
