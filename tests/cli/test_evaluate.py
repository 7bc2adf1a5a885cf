"""``toolkit evaluate`` as it is typed: what cannot be judged is refused in a sentence, exit 2."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import evaluations as judging
from cli_runner import CommandLine

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """A folder with a task, its rows and an adapter that can be judged."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "q.toml").write_text(judging.PROMPTS)
    judging.questions(folder / "rows.csv", range(6))
    judging.plain_peft(tiny_llama, folder / "good")
    return folder


def _spoilt(place: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(place / "good", tmp_path / "spoilt"))


def _set(folder: Path, **fields: object) -> Path:
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | fields))
    return folder


def _refused(cli: CommandLine, place: Path, runs: Path, *arguments: object) -> str:
    """The message of an evaluation that is refused; it leaves no run behind."""
    answer = cli(
        "evaluate", *map(str, arguments), "--task", place / "q.toml", "--data",
        place / "rows.csv", "--runs", runs,
    )  # fmt: skip
    assert answer.code == 2, answer.err
    assert answer.err.count("Error: ") == 1
    assert not list(runs.glob("q/*"))
    return " ".join(answer.err.rpartition("Error: ")[2].split())


def test_a_good_adapter_gets_a_verdict(cli: CommandLine, place: Path, tmp_path: Path) -> None:
    answer = cli(
        "evaluate", place / "good", "--task", place / "q.toml", "--data", place / "rows.csv",
        "--runs", tmp_path, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert set(found["systems"]) == {"base", "adapter"}
    assert found["verdict"]["sentence"]
    assert (Path(found["run_path"]) / "report.html").is_file()
    card = (Path(found["run_path"]) / "README.md").read_text()
    assert "trained by adapter-toolkit" not in card


def test_weights_in_pickles(cli: CommandLine, place: Path, tmp_path: Path) -> None:
    folder = _spoilt(place, tmp_path)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    assert "pickled weights are refused" in _refused(cli, place, tmp_path / "runs", folder)


def test_an_adapter_that_changes_nothing(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_llama: Path
) -> None:
    folder = judging.plain_peft(tiny_llama, tmp_path / "zero", scale=0.0)
    assert "all its lora_B weights are zero" in _refused(cli, place, tmp_path / "runs", folder)


def test_an_adapter_whose_logits_are_the_bases(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_llama: Path
) -> None:
    folder = judging.plain_peft(tiny_llama, tmp_path / "weak", scale=1e-12)
    said = _refused(cli, place, tmp_path / "runs", folder)
    assert "does nothing" in said and "weak" in said


def test_a_base_of_another_shape(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_qwen: Path
) -> None:
    folder = _set(_spoilt(place, tmp_path))
    said = _refused(cli, place, tmp_path / "runs", folder, "--base", tiny_qwen.parent / "none")
    assert "name where it is with --base" in said
    deeper = _deeper(tmp_path / "deeper")
    said = _refused(cli, place, tmp_path / "runs", folder, "--base", deeper)
    assert "does not fit this base model" in said and "spoilt" in said


def _deeper(folder: Path) -> Path:
    """A Llama of the same tokenizer with wider layers."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from toolkit.models import number_tokenizer
    from toolkit.testing import models

    learned = number_tokenizer.train(list(models.LINES) * 4, vocabulary=1500)
    sizes = models.decoder_sizes(learned) | {"hidden_size": 64}
    config = LlamaConfig(
        vocab_size=len(learned), num_key_value_heads=2, bos_token_id=learned.bos_token_id, **sizes
    )
    return models.saved(folder, LlamaForCausalLM, config, learned)


def test_a_base_with_other_weights(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_llama: Path
) -> None:
    other = judging.lively(tiny_llama, tmp_path / "other")
    folder = _spoilt(place, tmp_path)
    from toolkit.models import base_digest

    ours = {"model": str(tiny_llama), "base_weights": base_digest.of(str(tiny_llama))}
    (folder / "toolkit.json").write_text(json.dumps(ours))
    said = _refused(cli, place, tmp_path / "runs", folder, "--base", other)
    assert "was trained on other weights" in said


def test_a_tokenizer_of_another_vocabulary(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_qwen: Path
) -> None:
    folder = _spoilt(place, tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny_qwen / name, folder / name)
    said = _refused(cli, place, tmp_path / "runs", folder, "--prompt", "task")
    assert "another vocabulary than the base's" in said


def test_an_adapter_for_another_kind_of_task(cli: CommandLine, place: Path, tmp_path: Path) -> None:
    folder = _set(_spoilt(place, tmp_path), task_type="SEQ_CLS")
    said = _refused(cli, place, tmp_path / "runs", folder)
    assert "an adapter for SEQ_CLS, and a causal-lm task needs one for CAUSAL_LM" in said


def test_a_whole_model_with_another_head(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_llama: Path
) -> None:
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "head"))
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["LlamaForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(config))
    said = _refused(cli, place, tmp_path / "runs", folder, "--base", tiny_llama)
    assert "LlamaForSequenceClassification" in said


def test_bases_that_are_missing(
    cli: CommandLine, place: Path, tmp_path: Path, tiny_llama: Path
) -> None:
    runs = tmp_path / "runs"
    said = _refused(cli, place, runs, tiny_llama)
    assert "a whole model names no base" in said and "--base" in said
    folder = _set(_spoilt(place, tmp_path), base_model_name_or_path=None)
    assert "names no base" in _refused(cli, place, runs, folder)
    _set(folder, base_model_name_or_path="somebody/a-model-that-is-not-here")
    said = _refused(cli, place, runs, folder)
    assert "'somebody/a-model-that-is-not-here', which adapter_config.json of" in said
    second = Path(shutil.copytree(place / "good", tmp_path / "second"))
    said = _refused(cli, place, runs, folder, second)
    assert "name several bases" in said


def test_names_that_cannot_be_judged(cli: CommandLine, place: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert "there is no folder" in _refused(cli, place, runs, tmp_path / "nothing")
    (tmp_path / "steps" / "checkpoint-20").mkdir(parents=True)
    said = _refused(cli, place, runs, tmp_path / "steps")
    assert "holds checkpoints: name one, such as" in said
    assert "named twice" in _refused(cli, place, runs, place / "good", place / "good")
    assert "give task or adapter" in _refused(
        cli, place, runs, place / "good", "--prompt", "chat"
    )  # fmt: skip
    other = _set(_spoilt(place, tmp_path), peft_type="IA3")
    assert "not of a LoRA adapter" in _refused(cli, place, runs, other)
