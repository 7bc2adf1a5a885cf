"""Language models that plain TRL and PEFT scripts left, judged without training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

import evaluations as judging
from cli_runner import ROOT, CommandLine
from toolkit.errors import ModelError, RunError, UsageError
from toolkit.pipeline import load_task, make_kind, training_rows
from toolkit.runs.run import Run

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
"""The other tools' own scripts raise them."""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task and its rows: 200 test rows, and 160 training rows of other numbers."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "q.toml").write_text(judging.PROMPTS)
    judging.questions(folder / "test.csv", range(100, 150))
    judging.questions(folder / "train.csv", range(40))
    return folder


@pytest.fixture(scope="module", params=["llama", "qwen"])
def here(
    request: pytest.FixtureRequest, place: Path, tiny_llama: Path, tiny_qwen: Path
) -> tuple[Path, judging.Judged]:
    """A base, and a run that trained an adapter on it."""
    tiny = {"llama": tiny_llama, "qwen": tiny_qwen}[request.param]
    base = judging.lively(tiny, place / f"lively-{request.param}")
    run = judging.trained_here(
        place / "q.toml", base, place / "train.csv", place / "test.csv",
        place / f"here-{request.param}",
    )  # fmt: skip
    return base, run


def test_an_adapter_without_toolkit_json_has_the_figures_of_its_run(
    here: tuple[Path, judging.Judged], place: Path, tmp_path: Path
) -> None:
    base, run = here
    plain = judging.stripped(run.path, tmp_path / "plain")
    found = judging.judge(
        place / "q.toml", [plain], place / "test.csv", tmp_path / "runs", base=base,
        train=place / "train.csv", prompt="task",
    )  # fmt: skip
    assert len(found.predictions("adapter")) == 200
    assert len(set(found.predictions("adapter").values())) > 20
    for system in ("adapter", "base", "few-shot", "most-frequent", "nearest"):
        assert found.predictions(system) == run.predictions(system)
        assert (
            found.metrics["systems"][system]["metrics"]
            == (run.metrics["systems"][system]["metrics"])
        )
    assert found.metrics["comparisons"] == run.metrics["comparisons"]
    assert found.predictions("adapter") != found.predictions("base")


def test_an_adapter_of_a_run_is_judged_where_it_lies(
    here: tuple[Path, judging.Judged], place: Path, tmp_path: Path
) -> None:
    _, run = here
    found = judging.judge(
        place / "q.toml", [run.path], place / "test.csv", tmp_path / "runs",
    )  # fmt: skip
    assert found.predictions("adapter") == run.predictions("adapter")
    assert found.figure("adapter") == run.figure("adapter")


def test_an_adapter_of_a_run_is_refused_where_the_task_asks_otherwise(
    here: tuple[Path, judging.Judged], place: Path, tmp_path: Path
) -> None:
    _, run = here
    other = tmp_path / "q.toml"
    other.write_text(judging.PROMPTS.replace("{q}", "How many? {q}"))
    with pytest.raises(ModelError, match="was trained on another prompt"):
        judging.judge(other, [run.path], place / "test.csv", tmp_path / "runs")


def test_a_merged_model_answers_as_its_adapter(
    tiny_llama: Path, place: Path, tmp_path: Path
) -> None:
    adapter = judging.plain_peft(tiny_llama, tmp_path / "lora", scale=0.05)
    whole = judging.merged(tiny_llama, adapter, tmp_path / "whole")
    found = judging.judge(
        place / "q.toml", [adapter, whole], place / "test.csv", tmp_path / "runs", base=tiny_llama,
    )  # fmt: skip
    mine, theirs = found.predictions("lora"), found.predictions("whole")
    same = sum(mine[row] == theirs[row] for row in mine)
    assert same >= 0.97 * len(mine), same  # rounding decides where two tokens are as likely
    assert found.predictions("base") != mine
    assert found.metrics["systems"]["whole"]["role"] == "full"


@pytest.fixture(scope="module")
def by_trl(place: Path, tiny_qwen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = judging.lively(tiny_qwen, place / "lively")
    return judging.plain_trl(base, tmp_path_factory.mktemp("trl") / "sft", chat=True)


def test_where_templates_differ_the_user_chooses_after_seeing_both(
    by_trl: Path, place: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        judging.judge(place / "q.toml", [by_trl], place / "test.csv", tmp_path / "runs")
    said = str(refused.value)
    assert "--prompt task is 'how many red in 100\\n'" in said
    assert "--prompt adapter is '<|im_start|>user\\nhow many red in 100" in said


def test_prompts_are_those_that_were_chosen(by_trl: Path, place: Path, tmp_path: Path) -> None:
    found = {
        way: judging.judge(
            place / "q.toml", [by_trl], place / "test.csv", tmp_path / way, prompt=way
        )
        for way in ("task", "adapter")
    }  # fmt: skip
    expected = _generated(by_trl, place / "lively", place)
    for way, texts in expected.items():
        got = found[way].predictions("adapter")
        rows = list(got)[: len(texts)]
        assert [got[row] for row in rows] == texts
    # The untouched base is asked as the base itself would be, whatever the adapter's prompts.
    assert found["task"].predictions("base") == found["adapter"].predictions("base")
    assert expected["task"] != expected["adapter"]


def _generated(adapter: Path, base: Path, place: Path, rows: int = 12) -> dict[str, list[str]]:
    """What plain transformers and PEFT write with either prompt."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(adapter)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter))
    model.eval()
    texts: dict[str, list[str]] = {"task": [], "adapter": []}
    for row in judging.read(place / "test.csv")[:rows]:
        prompt = f"{row['q']}\n"
        chat = [{"role": "user", "content": prompt}]
        asked = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        for way, text in (("task", prompt), ("adapter", asked)):
            ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)
            with torch.inference_mode():
                out = model.generate(**ids, max_new_tokens=8, do_sample=False)
            answer = out[0][ids["input_ids"].shape[1] :]
            texts[way].append(tokenizer.decode(answer, skip_special_tokens=True).strip())
    return texts


@pytest.fixture(scope="module")
def two(place: Path, tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> judging.Judged:
    """Two adapters judged at once, without training rows."""
    folder = tmp_path_factory.mktemp("two")
    adapters = [
        judging.plain_trl(tiny_llama, folder / "first", chat=False),
        judging.plain_peft(tiny_llama, folder / "second"),
    ]
    return judging.judge(place / "q.toml", adapters, place / "test.csv", folder / "runs")


def test_several_adapters_are_systems_of_their_own(two: judging.Judged) -> None:
    roles = {name: system["role"] for name, system in two.metrics["systems"].items()}
    assert roles == {"base": "base", "first": "adapter", "second": "adapter"}
    assert two.metrics["seeds"] is None
    assert set(two.metrics["verdict"]["models"]) == {"first", "second"}
    assert {"a": "first", "b": "second"}.items() <= (
        {k: c[k] for c in two.metrics["comparisons"] if c["b"] == "second" for k in ("a", "b")}
    ).items()
    schema = json.loads((ROOT / "toolkit/evaluation/metrics.schema.json").read_text())
    jsonschema.validate(two.metrics, schema)


def test_without_training_rows_what_needs_them_is_named(two: judging.Judged) -> None:
    assert set(two.metrics["absent"]) == {"most-frequent", "nearest", "few-shot"}
    assert all("--train" in why for why in two.metrics["absent"].values())
    page = (two.path / "report.html").read_text()
    assert "training rows are needed, and none were given" in page


def test_without_training_rows_none_are_shown_and_the_reason_is_said(two: judging.Judged) -> None:
    run = Run.open(two.path)
    task = load_task(run)
    with pytest.raises(RunError, match="was given no training rows"):
        training_rows(run, task, make_kind(run, task))


def test_the_other_commands_take_the_run(two: judging.Judged, cli: CommandLine) -> None:
    assert cli("report", two.path, "--verify", "--all").code == 0
    answer = cli("predict", two.path, "--json", "--data", two.path.parents[2] / "no.csv")
    assert answer.code == 2
    assert cli("compare", two.path, two.path, "--json").code == 0


def test_the_playground_shows_what_is_judged(two: judging.Judged) -> None:
    from toolkit_playground.state.engine import Engine

    engine = Engine(Run.open(two.path))
    row = {"row_id": 1, "q": "how many red in 100", "a": ""}
    first = {r.side.label: r.answer["prediction"] for r in engine.predict(row, list(engine.sides))}
    assert set(first) == {"base", "first", "second"}
    assert first["first"] == two.predictions("first")[1]
    assert first["second"] == two.predictions("second")[1]


def test_a_stopped_evaluation_goes_on(
    two: judging.Judged, tmp_path: Path, cli: CommandLine
) -> None:
    run = shutil.copytree(two.path, tmp_path / "runs" / "q" / two.path.name)
    info = json.loads((run / "run.json").read_text())
    info["stages"] = {"data": info["stages"]["data"]}
    info.pop("record", None)
    (run / "run.json").write_text(json.dumps(info))
    shutil.rmtree(run / "predictions")
    assert cli("resume", run).code == 0
    again = judging.Judged(run, json.loads((run / "metrics.json").read_text()))
    assert again.predictions("second") == two.predictions("second")
    assert again.metrics["verdict"] == two.metrics["verdict"]


def test_training_rows_that_are_test_rows_are_named(
    two: judging.Judged, tiny_llama: Path, place: Path, tmp_path: Path
) -> None:
    both = judging.questions(tmp_path / "both.csv", range(50, 102))
    found = judging.judge(
        place / "q.toml", [two.path / "adapter"], place / "test.csv", tmp_path / "runs", train=both
    )
    said = found.warnings()
    assert "8 of 200 test rows (4.0%) stand in the training file, as they are or nearly" in said
    assert "test row 1 is training row 201, 'red in 100'" in said
    counted = found.metrics["contamination"]
    assert (counted["exact"], counted["test_rows"], counted["train_rows"]) == (8, 200, 208)
    assert any("may know them by heart" in text for text in found.metrics["verdict"]["caveats"])
    stored = json.loads((found.path / "data" / "preflight.json").read_text())["contamination"]
    assert [(c["test_row"], c["train_row"]) for c in stored["exact"]] == [
        (row, row + 200) for row in range(1, 9)
    ]
    schema = json.loads((ROOT / "toolkit/evaluation/metrics.schema.json").read_text())
    jsonschema.validate(found.metrics, schema)
    assert "training file, as they are or nearly" in (found.path / "report.html").read_text()


def test_a_large_whole_model_stays_where_it_is(
    tiny_llama: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.models import foreign
    from toolkit.pipeline import open_run

    monkeypatch.setattr(foreign, "LARGEST_COPY", 1000)
    adapter = judging.plain_peft(tiny_llama, tmp_path / "lora")
    whole = judging.merged(tiny_llama, adapter, tmp_path / "whole")
    found = judging.judge(
        place / "q.toml", [whole], place / "test.csv", tmp_path / "runs", base=tiny_llama
    )
    assert not list((found.path / "adapter").glob("*.safetensors"))
    assert found.predictions("full") != found.predictions("base")
    judging.merged(tiny_llama, judging.plain_peft(tiny_llama, tmp_path / "b", scale=1.0), whole)
    with pytest.raises(ModelError, match="has other weights now"):
        open_run(Run.open(found.path))
