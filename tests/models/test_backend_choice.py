"""Which backend is taken, and why."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine, environment, goods, quick, write_csv
from tiny_tasks import SMALL
from toolkit import Recipe
from toolkit.errors import MissingExtra, UsageError
from toolkit.models import unsloth
from toolkit.models.backend_choice import architecture, choose

BOTH, PLAIN = ("transformers", "unsloth"), ("transformers",)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsloth, "installed", lambda: True)
    monkeypatch.setattr(unsloth, "too_late", list)  # as in a process that has only begun


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsloth, "installed", lambda: False)


def recipe(model: Path | str, **changes: Any) -> Recipe:
    return dataclasses.replace(SMALL, model=str(model), **changes)


def of_type(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": name}))
    return folder


@pytest.mark.usefixtures("there")
def test_auto_takes_unsloth_where_it_knows_the_model(tmp_path: Path) -> None:
    chosen = choose("auto", recipe(of_type(tmp_path, "llama")), BOTH)
    assert (chosen.name, chosen.reason) == ("unsloth", "it is installed and knows llama models")


@pytest.mark.usefixtures("absent")
def test_auto_takes_transformers_where_unsloth_is_not_installed(tmp_path: Path) -> None:
    chosen = choose("auto", recipe(of_type(tmp_path, "llama")), BOTH)
    assert (chosen.name, chosen.reason) == ("transformers", "Unsloth is not installed")
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[unsloth\]"):
        choose("unsloth", recipe(of_type(tmp_path, "llama")), BOTH)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("kind", "changes", "able", "reason"),
    [
        ("t5", {}, BOTH, "no kernels for t5"),
        ("llama", {}, PLAIN, "causal language models only"),
        ("llama", {"lora": None}, BOTH, "LoRA only"),
        ("llama", {"quantization": {"load_in_8bit": True}}, BOTH, "not in 8 bits"),
        ("llama", {"quantization": {"load_in_4bit": True}}, BOTH, "4 bits are nf4"),
        ("llama", {"training": {"packing": True}}, BOTH, "keeps packed rows apart"),
        (
            "llama",
            {"quantization": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4",
                              "bnb_4bit_quant_storage": "uint8"}},
            BOTH, "quantization.bnb_4bit_quant_storage",
        ),
    ],
)  # fmt: skip
def test_what_unsloth_cannot_do_is_said(
    tmp_path: Path, kind: str, changes: dict[str, Any], able: tuple[str, ...], reason: str
) -> None:
    asked = recipe(of_type(tmp_path, kind), **changes)
    chosen = choose("auto", asked, able)
    assert chosen.name == "transformers" and reason in chosen.reason
    with pytest.raises(UsageError, match=reason):
        choose("unsloth", asked, able)
    assert choose("transformers", asked, able).reason == "as requested"


def test_an_unknown_backend_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'unsloth'"):
        choose("unslothh", recipe(tmp_path), BOTH)


def test_the_architecture_is_read_without_a_heavy_library(tmp_path: Path) -> None:
    place = of_type(tmp_path, "qwen2")
    code = (
        "import sys; from toolkit.models.backend_choice import architecture;"
        f"print(architecture({str(place)!r}), architecture('embedded:causal-lm'));"
        "print([m for m in ('torch', 'transformers', 'trl', 'peft') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.split("\n")[:2] == ["qwen2 llama", "[]"]
    assert architecture(str(tmp_path.parent)) is None


def test_unsloth_comes_first_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trl  # noqa: F401

    monkeypatch.setattr(unsloth, "installed", lambda: True)
    chosen = choose("auto", recipe(of_type(tmp_path, "llama")), BOTH)
    assert chosen.name == "transformers" and "was imported before it" in chosen.reason
    with pytest.raises(UsageError, match="must be imported before"):
        unsloth.activate()


@pytest.mark.usefixtures("absent")
def test_the_run_says_which_backend_it_took(
    tmp_path: Path,
    tiny_llama: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = write_csv(tmp_path / "goods.csv", goods(rows=120))
    cli = CommandLine(capsys, monkeypatch)
    run = ("run", "price-regression", "--data", data, "--runs", tmp_path / "runs")
    refused = cli(*run, *quick(tiny_llama), "--backend", "unsloth")
    assert refused.code == 2 and "adapter-toolkit[unsloth]" in refused.err
    done = cli(*run, *quick(tiny_llama))
    assert done.code == 0, done.err
    assert "backend transformers: Unsloth is not installed" in " ".join(done.err.split())
    (made,) = (tmp_path / "runs" / "price-regression").iterdir()
    info = json.loads((made / "run.json").read_text())
    assert info["backend"] == {"name": "transformers", "reason": "Unsloth is not installed"}
    assert json.loads((made / "data/preflight.json").read_text())["memory"]["peak_mb"] > 0
