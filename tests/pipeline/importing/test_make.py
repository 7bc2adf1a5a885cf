"""toolkit import: the files that are written, what is refused, and a training that is imported."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

import imported
from cli_runner import CommandLine
from toolkit.errors import RecipeError, UsageError
from toolkit.pipeline.importing import make, written
from toolkit.pipeline.importing.make import Options
from toolkit.plugins import recipes, task_file
from toolkit.plugins.contract import check as checking
from toolkit.plugins.file_options import merged

CASES = [(t, n) for t in ("llamafactory", "axolotl", "trl") for n in imported.named(t)]
TRAINS = "stage: sft\ndo_train: true\nmodel_name_or_path: some/model\ndataset: alpaca_demo\n"
AXOLOTL = (
    "base_model: some/model\nadapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true\n"
    "learning_rate: 1e-4\nmicro_batch_size: 1\ndatasets:\n  - path: data/alpaca.jsonl\n"
    "    type: alpaca\n"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data of the files, in which commands run."""
    shutil.copytree(imported.FILES / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize(("tool", "name"), CASES)
def test_each_pair_passes_toolkit_check(tool: str, name: str, place: Path) -> None:
    shutil.copy(imported.FILES / tool / f"{name}.yaml", place)
    found = make.make(f"{name}.yaml", Options())
    task = task_file.load(found.task)
    results = checking.check(task(), merged(task, {}))
    assert [f"{r.rule}: {r.message}" for r in results if not r.passed] == []
    recipe = recipes.resolve(task, str(found.recipe))
    assert recipe.model == found.draft.model and recipe.lora
    text = found.recipe.read_text()
    for one in found.draft.left:
        assert f"# {one.key}" in text


@pytest.mark.slow
def test_an_imported_training_runs(place: Path, cli: CommandLine) -> None:
    """A LLaMA-Factory file whose model is the embedded one, by the commands that are printed."""
    file = place / "mine.yaml"
    lines = (imported.FILES / "llamafactory" / "lora_sft.yaml").read_text()
    lines = lines.replace("Qwen/Qwen3-4B-Instruct-2507", "embedded:causal-lm")
    lines = lines.replace("cutoff_len: 2048", "cutoff_len: 128").replace("bf16: true", "")
    file.write_text(lines + "max_steps: 3\n")
    answer = cli("import", file)
    assert answer.code == 0, answer.err
    command = next(line for line in answer.out.splitlines() if "toolkit run" in line).split()
    assert command[-2:] == ["--seed", "42"]
    ended = cli(*command[1:], "--runs", place / "runs")
    assert ended.code == 0, ended.err
    (run,) = (place / "runs").glob("*/*/run.json")
    info = json.loads(run.read_text())
    training = info["recipe"]["training"]
    assert info["seed"] == 42 and info["training"]["steps"] == 3
    assert training["learning_rate"] == 1e-4 and training["gradient_accumulation_steps"] == 8
    assert info["recipe"]["lora"]["r"] == 8
    config = json.loads(next(run.parent.rglob("adapter_config.json")).read_text())
    assert config["r"] == 8 and config["lora_alpha"] == 16


# -- what is written -------------------------------------------------------------------------------
def test_a_secret_is_named_and_never_written(place: Path, cli: CommandLine) -> None:
    secret = "hf_" + "a1B2" * 8
    (place / "a.yaml").write_text(
        f"{TRAINS}hf_hub_token: {secret}\nswanlab_api_key: key-{secret}\n"
        f"swanlab_lark_webhook_url: https://example.org/{secret}\nrun_name: {secret}\n"
        f"wandb_key: {{inner: {secret}}}\n"
    )
    answer = cli("import", "a.yaml")
    assert answer.code == 0, answer.err
    for text in (answer.out, *(p.read_text() for p in place.glob("*.toml"))):
        assert secret not in text
    recipe = (place / "a-recipe.toml").read_text()
    assert "# hf_hub_token" in recipe and "a secret is never written" in recipe


def test_files_that_are_there_stay(place: Path) -> None:
    (place / "a.yaml").write_text(TRAINS)
    make.make("a.yaml", Options())
    before = (place / "a.toml").read_text()
    with pytest.raises(UsageError, match="--force replaces it"):
        make.make("a.yaml", Options())
    make.make("a.yaml", Options(name="b", folder=place / "new"))
    make.make("a.yaml", Options(force=True))
    assert (place / "a.toml").read_text() == before
    assert tomllib.loads((place / "new" / "b.toml").read_text())["data"] == "../data/alpaca.jsonl"


def test_nothing_is_written_where_a_value_is_refused(place: Path) -> None:
    (place / "a.yaml").write_text(f"{TRAINS}lr_scheduler_type: sawtooth\n")
    with pytest.raises((UsageError, RecipeError), match="lr_scheduler_type"):
        make.make("a.yaml", Options(folder=place / "new"))
    assert not (place / "new").exists()


def test_json_for_programs(place: Path, cli: CommandLine) -> None:
    (place / "a.yaml").write_text(f"{TRAINS}trust_remote_code: true\nnonsense: 1\n")
    found = json.loads(cli("import", "a.yaml", "--json").out)
    assert found["tool"] == "LLaMA-Factory" and found["recipe"]["lora"]["lora_alpha"] == 16
    left = {one["key"]: one for one in found["not_carried_over"]}
    assert left["nonsense"]["value"] == "1" and "no place" in left["nonsense"]["reason"]
    assert not any("--trust-remote-code" in command for command in found["commands"])


def test_paths_are_named_and_not_followed(place: Path) -> None:
    secret = place / "ds.json"
    secret.write_text('{"marker": "not to be read"}')
    (place / "a.yaml").write_text(f"{TRAINS}deepspeed: {secret}\nresume_from_checkpoint: {place}\n")
    found = make.make("a.yaml", Options())
    text = found.recipe.read_text() + found.task.read_text()
    assert "# deepspeed = " in text and "not to be read" not in text


# -- what is refused -------------------------------------------------------------------------------
REFUSED = {
    "stage: dpo": "DPO", "stage: ppo": "PPO", "stage: pt": "pretraining", "stage: rm": "reward",
    "finetuning_type: full": "LoRA alone", "finetuning_type: freeze": "LoRA alone",
    "do_train: false": "does not train", "quantization_bit: 3": "4 or 8 bits",
    "quantization_method: hqq\nquantization_bit: 4": "bitsandbytes",
    "dataset: preferences": "preferences", "dataset: pictures": "learns texts",
    "dataset: alpca_demo": "did you mean 'alpaca_demo'", "dataset_dir: elsewhere": "--dataset-info",
    "dataset_dir: REMOTE:some/set": "--dataset-info", "learning_rate: fast": "a number",
    "lora_rank: 1.5": "whole number", "bf16: perhaps": "true or false",
}  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), REFUSED.items())
def test_trainings_of_llama_factory_that_are_not_imported(
    line: str, sentence: str, place: Path, cli: CommandLine
) -> None:
    key = line.partition(":")[0]
    kept = [one for one in TRAINS.splitlines() if not one.startswith(f"{key}:")]
    (place / "a.yaml").write_text("\n".join([*kept, line]) + "\n")
    answer = cli("import", "a.yaml")
    assert answer.code == 2 and sentence in answer.err
    assert answer.err.startswith("Error: ") and "Traceback" not in answer.err
    assert not list(place.glob("*.toml"))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("adapter: lora", "rl: dpo", "reinforcement"),
        ("adapter: lora", "rl: dpo\nadapter: lora", "preference tuning"),
        ("adapter: lora", "reward_model: true\nadapter: lora", "reward model"),
        ("adapter: lora", "processor_type: AutoProcessor\nadapter: lora", "multimodal"),
        ("adapter: lora\n", "", "all parameters"),
        ("adapter: lora", "adapter: llama-adapter", "llama-adapter"),
        ("adapter: lora", "adapter: qlora", "load_in_4bit"),
        ("lora_r: 8\n", "", "lora_r is missing"),
        ("lora_target_linear: true\n", "", "lora_target_modules"),
        ("type: alpaca", "type: completion", "running text"),
        ("type: alpaca", "type: input_output", "masks"),
        ("type: alpaca", "type: alpaca:phi", "style"),
        ("type: alpaca", "type: my_module.load", "is not imported"),
        ("data/alpaca.jsonl", "data/absent.jsonl", "no file"),
        ("data/alpaca.jsonl", "s3://bucket/rows.jsonl", "another storage"),
        ("data/alpaca.jsonl", "data", "is a folder"),
        ("datasets:\n  - path: data/alpaca.jsonl\n    type: alpaca\n", "", "datasets is missing"),
        (
            "datasets:\n  - path: data/alpaca.jsonl\n    type: alpaca",
            "datasets: {path: a}",
            "a list",
        ),
    ],
)
def test_trainings_of_axolotl_that_are_not_imported(
    old: str, new: str, sentence: str, place: Path, cli: CommandLine
) -> None:
    assert old in AXOLOTL
    text = AXOLOTL.replace(old, new)
    (place / "a.yaml").write_text(text)
    answer = cli("import", "a.yaml")
    assert answer.code == 2 and sentence in answer.err, answer.err
    assert not list(place.glob("*.toml"))


def test_other_files_and_whole_trainings_of_trl(place: Path, cli: CommandLine) -> None:
    (place / "a.yaml").write_text("services:\n  web: {image: nginx}\n")
    answer = cli("import", "a.yaml")
    assert answer.code == 2 and "none of the tools" in answer.err
    (place / "b.yaml").write_text("model_name_or_path: a/b\ndataset_name: data/messages.jsonl\n")
    answer = cli("import", "b.yaml")
    assert answer.code == 2 and "all parameters" in answer.err
    assert cli("import", "b.yaml", "--from", "trll").code == 2
    assert "there is no file" in cli("import", "absent.yaml").err


# -- forms of data ---------------------------------------------------------------------------------
def test_the_prompt_of_axolotls_alpaca_is_its_own() -> None:
    task = imported.drafted("axolotl", "lora_1b").task
    assert task["prompt"].startswith("Below is an instruction that describes a task, paired with")
    assert task["prompt"].endswith("### Input:\n{input}\n\n### Response:\n")
    assert task["prompt_without"]["input"].endswith("{instruction}\n\n### Response:\n")


def test_columns_and_messages_of_llama_factory() -> None:
    task = imported.drafted("llamafactory", "fsdp_qlora").task
    assert task["columns"] == {"instruction": "{question}\n{context}", "output": "answer"}
    task = imported.drafted("llamafactory", "messages_early_stopping").task
    assert task["columns"] == {"conversations": "messages"}
    assert task["train"] == "data/messages.jsonl" and task["validation"]


def test_a_hub_data_set_is_named_as_it_is(place: Path) -> None:
    (place / "a.yaml").write_text(TRAINS.replace("alpaca_demo", "on_the_hub"))
    keys = make.read.read("a.yaml")[0]
    draft = make.drafted(keys, "llamafactory", make.Places(place, place))
    assert draft.task["data"] == "llamafactory/alpaca_en:small"


def test_of_two_warm_ups_the_share_goes_first() -> None:
    keys, _ = make.read.read(str(imported.FILES / "llamafactory" / "lora_sft.yaml"))
    places = make.Places(imported.FILES, imported.FILES)
    draft = make.drafted({**keys, "warmup_steps": 50}, "llamafactory", places)
    assert draft.sections["training"]["warmup_steps"] == 0.1
    assert any(one.key == "warmup_steps" for one in draft.left)


# -- a shell -------------------------------------------------------------------------------------
LINE = "--model_name_or_path a/b --use_peft --dataset_name data/messages.jsonl --lora_r 4"


@pytest.mark.parametrize(
    "script",
    [
        f"trl sft {LINE}",
        f"accelerate launch --num_processes 2 sft.py {LINE}",
        f"#!/bin/bash\nset -x\nMODEL=a/b\npython examples/sft.py \\\n  "
        f"{LINE.replace('a/b', '${MODEL}')} && echo done",
        f"CUDA_VISIBLE_DEVICES=0 python3 trl/scripts/sft.py {LINE.replace(' 4', '=4')}",
    ],
)
def test_arguments_of_trl_in_a_shell(script: str, place: Path) -> None:
    (place / "train.sh").write_text(script)
    found = make.make("train.sh", Options())
    assert found.tool == "TRL" and found.draft.model == "a/b"
    assert found.draft.sections["lora"]["r"] == 4
    assert found.draft.sections["training"]["learning_rate"] == 2e-5


def test_a_line_on_the_command_line_and_a_config_under_it(place: Path) -> None:
    (place / "c.yaml").write_text("use_peft: true\nlora_r: 64\nlearning_rate: 1e-3\n")
    line = "trl sft --config c.yaml --model_name_or_path a/b --dataset_name data/messages.jsonl"
    found = make.make(f"{line} --lora_r 2 --lora_target_modules q_proj v_proj", Options())
    assert found.task == Path("trl.toml")
    assert found.draft.sections["lora"] == {
        "r": 2, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": ["q_proj", "v_proj"],
    }  # fmt: skip
    assert found.draft.sections["training"]["learning_rate"] == 1e-3


def test_arguments_of_llama_factory_in_a_shell(place: Path) -> None:
    (place / "train.sh").write_text(
        "llamafactory-cli train --stage sft --do_train --model_name_or_path a/b "
        "--dataset alpaca_demo --lora_rank 4 --bf16 --save_only_model false"
    )
    draft = make.make("train.sh", Options()).draft
    assert draft.sections["training"]["bf16"] is True and draft.sections["lora"]["lora_alpha"] == 8


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (f"trl dpo {LINE}", "no supervised fine-tuning"),
        (f"trl sft {LINE}\ntrl sft {LINE}", "several training commands"),
        ("ls -l", "no training command"),
        (f"trl sft {LINE} --seed $(date +%s)", "needs a shell"),
        (f"trl sft {LINE} --output_dir $HOME/x", "needs a shell"),
        (f"trl sft {LINE} --lora_r 8", "given twice"),
        (f"trl sft {LINE} --run_name 'open", "cannot be read"),
    ],
)
def test_scripts_that_are_not_imported(script: str, sentence: str, place: Path) -> None:
    (place / "train.sh").write_text(script)
    with pytest.raises(UsageError, match=sentence):
        make.make("train.sh", Options())


def test_every_reason_is_written_for_people() -> None:
    """One line, no full stop, as the other cells of tables."""
    for tool, name in CASES:
        for one in (*imported.drafted(tool, name).left, *written.DECIDED):
            assert one.reason and "\n" not in one.reason and not one.reason.endswith(".")
