"""Input that once crashed: each ends in exit code 2 and one sentence, or it works.

Every case goes through the command line's own entry, in this process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from campaign import some
from cli_runner import Answer, CommandLine, goods, quick, write_csv

UNEXPECTED = "an error that the toolkit does not expect"


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(capsys, monkeypatch)


def is_refused(answer: Answer, *wanted: str) -> None:
    """The command ended in exit code 2 with one sentence, in which all of these stand."""
    said = answer.err.partition("Error: ")[2].strip()
    assert UNEXPECTED not in answer.err and "Traceback" not in answer.err, answer.err
    assert answer.code == 2, (answer.code, answer.err[-1500:])
    assert said and len(said.splitlines()) == 1 and len(said) < 1500, said[:3000]
    for part in wanted:
        assert part in said, said


# -- one class -------------------------------------------------------------------------------------
def reviews(labels: Sequence[str]) -> str:
    lines = [f"this strap number {i} is well made,{labels[i % len(labels)]}" for i in range(90)]
    return "review,sentiment\n" + "\n".join(lines) + "\n"


KIND = 'kind = "{kind}"\nsummary = "s"\ndata = "d.csv"\ntext = "{{review}}"\ntarget = "sentiment"\n'


ONE_CLASS = [
    ("review-sentiment", "run"), ("toml", "run"), ("review-rating", "run"), ("toml", "check"),
    ("toml with classes", "run"), ("toml with classes", "check"), ("review-sentiment", "check"),
    ("review-rating", "check"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "command"), some(ONE_CLASS, 4))
def test_data_of_one_class_are_refused(
    task: str, command: str, cli: CommandLine, tmp_path: Path, tiny_bert: Path
) -> None:
    label = "5" if task == "review-rating" else "positive"
    tmp_path.joinpath("d.csv").write_text(reviews([label]))
    options = ["--model", str(tiny_bert), "--set", "training.max_steps=1"]
    named = {"review-sentiment": task, "review-rating": task}.get(task)
    if named is None:
        classes = "" if task == "toml" else 'classes = ["positive", "negative"]\n'
        tmp_path.joinpath("t.toml").write_text(
            KIND.format(kind="sequence-classification") + classes
        )
    answer = cli(
        command, named or "t.toml", *(["--data", "d.csv"] if named else []),
        *(options if command == "run" else []),
    )  # fmt: skip
    if command == "run":
        is_refused(answer, "class")
    else:
        assert UNEXPECTED not in answer.err and answer.code in (1, 2), answer.err
        assert "the task raised" not in answer.out


# -- halves of characters --------------------------------------------------------------------------
HALF = "\ud83d"


def spoiled_goods(path: Path, form: str, where: str) -> Path:
    """Goods of which one value, or one column's name, has half of a character of two halves."""
    rows: list[dict[str, object]] = [dict(row) for row in goods(90)]
    if where == "values":
        for row in rows[::3]:
            row["title"] = f"{row['title']} {HALF}"
    else:
        rows = [{f"title{HALF}": row["title"], "price": row["price"]} for row in rows]
    if form == "json":
        path.write_text(json.dumps(rows))
    elif form == "json of columns":
        names = list(rows[0])
        path.write_text(json.dumps({n: {str(i): r[n] for i, r in enumerate(rows)} for n in names}))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


HALVES = [
    (form, where) for form in ("json", "json of columns", "jsonl") for where in ("values", "names")
]


@pytest.mark.parametrize(("form", "where"), some(HALVES, 3))
def test_halves_of_characters_are_replaced(
    form: str, where: str, cli: CommandLine, tmp_path: Path
) -> None:
    ending = "jsonl" if form == "jsonl" else "json"
    path = spoiled_goods(tmp_path / f"d.{ending}", form, where)
    answer = cli("show", "price-regression", "--data", path, "--rows", "3")
    assert answer.code == 0, answer.err
    assert "\ufffd" in answer.out
    if (form, where) == ("json", "values"):
        assert cli("init", path, "--yes", "--task", "price-regression").code == 0


def test_a_run_on_halves_of_characters_is_written_and_reported(
    cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    path = spoiled_goods(tmp_path / "d.jsonl", "jsonl", "values")
    answer = cli("run", "price-regression", "--data", path, "--no-store-data", *quick(tiny_llama))
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    "options",
    [
        ["--text", "ti\udcfftle"], ["--target", "\udcff"], ["--data", "\udcff.csv"],
        ["--group", "\udcff"], ["--encoding", "\udcff"], ["--recipe", "\udcff"],
        ["--labels", "\udcff=a"], ["--sheet", "\udcff"], ["--model", "\udcff"],
        ["--set", "task.decoder=\udcff"], ["--set", "lora.target_modules=\udcff"],
    ],
)  # fmt: skip
def test_options_that_are_not_text_are_refused(
    options: list[str], cli: CommandLine, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "d.csv", goods(90))
    given = [] if "--data" in options else ["--data", str(data)]
    answer = cli("run", "price-regression", *given, *options)
    if "--sheet" in options and answer.code == 0:
        return
    is_refused(answer)


# -- numbers that are none -------------------------------------------------------------------------
STARTS = (
    "1" + 30 * "0", "-1" + 30 * "0", "9" * 5000, "-1", "true", "1.5", '"five"', "null", "[]", "{}",
    "1e400", "NaN", f'"{10**30}"', "[1]",
)  # fmt: skip
"""What stands at ``answer_start``, as JSON."""


PLACES = [(start, form) for start in STARTS for form in ("squad", "flat", "lines")]


@pytest.mark.parametrize(("start", "form"), some(PLACES, 14), ids=lambda value: value[:12])
def test_starts_of_answers_that_are_no_places(
    start: str, form: str, cli: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / ("d.jsonl" if form == "lines" else "d.json")
    path.write_text(_questions(form).replace('"START"', start))
    answer = cli("show", "question-answering", "--data", path, "--rows", "1")
    if answer.code:
        is_refused(answer)


def _questions(form: str) -> str:
    rows = []
    for i in range(90):
        context = f"The strap number {i} was made in Ulm by hand."
        at: object = "START" if i == 3 else context.index("Ulm")
        rows.append((str(i), f"Where was strap {i} made?", context, [("Ulm", at)]))
    if form == "squad":
        paragraphs = [
            {"context": c, "qas": [{"id": i, "question": q,
             "answers": [{"text": t, "answer_start": s} for t, s in a]}]}
            for i, q, c, a in rows
        ]  # fmt: skip
        return json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]})
    flat = [
        {"id": i, "question": q, "context": c,
         "answers": {"text": [t for t, _ in a], "answer_start": [s for _, s in a]}}
        for i, q, c, a in rows
    ]  # fmt: skip
    return json.dumps(flat) if form == "flat" else "".join(json.dumps(row) + "\n" for row in flat)


@pytest.mark.parametrize("seed", ["-1", str(2**32), str(10**30), "1.5", "x"])
@pytest.mark.parametrize("command", ["run", "show"])
def test_seeds_that_no_generator_takes(
    seed: str, command: str, cli: CommandLine, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "d.csv", goods(90))
    answer = cli(command, "price-regression", "--data", data, "--seed", seed)
    assert answer.code == 2 and "--seed" in answer.err and UNEXPECTED not in answer.err


# -- names -----------------------------------------------------------------------------------------
LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "price-regression", "--data", f"{LONG}.csv"],
        ["run", "price-regression", "--data", "a\0b.csv"],
        ["run", "price-regression", "--train", f"{LONG}.csv"],
        ["run", "price-regression", "--data", "d.csv", "--test", f"{LONG}.csv"],
        ["run", "price-regression", "--data", "d.csv", "--recipe", f"{LONG}.toml"],
        ["run", "price-regression", "--data", "d.csv", "--recipe", LONG],
        ["run", "price-regression", "--data", "d.csv", "--model", f"./{LONG}"],
        ["run", "price-regression", "--data", "d.csv", "--model", f"a/{LONG}"],
        ["run", "price-regression", "--data", "d.csv", "--runs", LONG],
        ["run", LONG], ["run", "n" * 3_000], ["run", f"{LONG}.toml"], ["run", f"./{LONG}.py"],
        ["run", "a\0b"], ["run", "a\0b.toml"], ["run", ""], ["run", "."], ["run", "/"],
        ["check", LONG], ["show", "n" * 3_000], ["recipes", "n" * 3_000],
        ["init", f"{LONG}.csv"], ["init", "n" * 5_000],
        ["init", "d.csv", "--yes", "--task", "price-regression", "--output", f"{LONG}.toml"],
        ["new", "n" * 3_000], ["new", LONG], ["new", "my-task", "--folder", LONG],
        ["resume", LONG], ["report", "n" * 5_000], ["predict", LONG], ["compare", LONG, LONG],
        ["resume", "a\0b"], ["runs", "--runs", "n" * 5_000],
    ],
    ids=lambda arguments: " ".join(a[:12].replace("\0", "NUL") for a in arguments),
)  # fmt: skip
def test_names_that_no_file_can_have(
    arguments: list[str], cli: CommandLine, tmp_path: Path
) -> None:
    write_csv(tmp_path / "d.csv", goods(90))
    answer = cli(*arguments)
    if arguments[0] == "runs":
        assert answer.code in (0, 2) and UNEXPECTED not in answer.err
    else:
        is_refused(answer)


def test_a_task_of_3000_letters_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv", goods(90))
    name = "n" * 3_000
    tmp_path.joinpath("t.toml").write_text(
        f'task = "price-regression"\nname = "{name}"\ndata = "d.csv"\n'
    )
    is_refused(cli("run", "t.toml"), "name")


# -- recipes ---------------------------------------------------------------------------------------
SETS = [
    "task.decoder=2020-01-01", "training.run_name=2020-01-01", "lora.r=2020-01-01T10:00:00",
    "training.max_steps=10:00:00", "cost.watts=2020-01-01", "generation.max_new_tokens=2020-01-01",
    "early_stopping.minutes=2020-01-01", "training.model_init_kwargs.x=2020-01-01",
    "training.per_device_train_batch_size=0", "training.per_device_train_batch_size=-3",
    "training.per_device_train_batch_size=1.5", "training.per_device_train_batch_size=true",
    "training.per_device_train_batch_size=four", "training.per_device_eval_batch_size=0",
    "training.gradient_accumulation_steps=0", "training.gradient_accumulation_steps=-1",
    "training.max_length=abc", "training.max_length=0", "training.max_length=-5",
    "training.max_length=[1]", "training.max_length=1e400", "training.learning_rate=x",
    "training.learning_rate=-1", "training.learning_rate=nan", "training.learning_rate=inf",
    "training.learning_rate=[1]", "training.num_train_epochs=x", "training.num_train_epochs=-2",
    "training.num_train_epochs=0", "training.num_train_epochs=nan", "training.max_steps=x",
    "training.max_steps=0", "training.max_steps=-7", "training.max_steps=1.5",
    "training.eval_steps=0", "training.eval_steps=-1", "training.eval_steps=x",
    "training.logging_steps=0", "training.logging_steps=-1", "training.save_steps=x",
    "training.save_steps=0", "training.warmup_steps=x", "training.warmup_steps=-1",
    "training.optim=nope", "training.lr_scheduler_type=nope", "training.eval_strategy=nope",
    "training.save_strategy=nope", "training.save_strategy=no", "training.max_grad_norm=x",
    "training.max_grad_norm=-1", "training.weight_decay=x", "training.bf16=maybe",
    "training.gradient_checkpointing=x", "training.gradient_checkpointing_kwargs=1",
    "training.model_init_kwargs=1", "training.model_init_kwargs.dtype=nope",
    "training.report_to=nope", "training.save_total_limit=x", "training.save_total_limit=0",
    "training.packing=x", "training.dataloader_num_workers=-1", "training.lr_scheduler_kwargs=1",
    "training.adam_beta1=2", "training.adam_beta1=x", "training.adam_epsilon=x",
    "training.label_smoothing_factor=7", "training.neftune_noise_alpha=x",
    "training.torch_compile=x",
    "training.group_by_length=x", "training.train_sampling_strategy=x", "training.debug=x",
    "lora.r=x", "lora.r=0", "lora.r=-1", "lora.r=1.5", "lora.r=true", "lora.r=[1]",
    "lora.r=10000000000000",
    "lora.bias=nope", "lora.bias=1", "lora.target_modules='['", "lora.target_modules='('",
    "lora.target_modules=1", "lora.target_modules=[1]", "lora.target_modules=[]",
    "lora.target_modules=nope", "lora.target_modules=['nope']", "lora.target_modules=''",
    "lora.modules_to_save=[1]", "lora.modules_to_save=1", "lora.modules_to_save=nope",
    "lora.modules_to_save=['nope']", "lora.lora_alpha=x", "lora.lora_alpha=nan",
    "lora.lora_dropout=x", "lora.lora_dropout=2", "lora.lora_dropout=-1", "lora.lora_dropout=nan",
    "lora.init_lora_weights=nope", "lora.init_lora_weights=1", "lora.task_type=nope",
    "lora.use_rslora=x", "lora.rank_pattern=1", "lora.rank_pattern.q_proj=x",
    "lora.layers_to_transform=x",
    "lora.exclude_modules='['", "lora.layers_pattern='['", "lora.fan_in_fan_out=x",
    "lora.peft_type=nope",
    "lora.rank_pattern.'('=4", "lora.alpha_pattern.'['=4", "lora.loftq_config=1",
    "lora.runtime_config=1",
    "quantization.load_in_4bit=x", "quantization.bnb_4bit_quant_type=1",
    "quantization.bnb_4bit_quant_type=nope", "quantization.bnb_4bit_compute_dtype=nope",
    "quantization.load_in_8bit=1", "quantization.llm_int8_threshold=x",
    "generation.max_new_tokens=0", "generation.max_new_tokens=-1", "generation.max_new_tokens=x",
    "generation.num_beams=0", "generation.num_beams=x", "generation.temperature=x",
    "generation.temperature=-1", "generation.top_p=x", "generation.top_p=7", "generation.top_k=-3",
    "generation.do_sample=maybe", "generation.repetition_penalty=x",
    "generation.repetition_penalty=0", "generation.num_return_sequences=2",
    "generation.penalty_alpha=0.6", "generation.num_beam_groups=2", "generation.output_scores=true",
    "generation.prompt_lookup_num_tokens=3", "generation.dola_layers=high",
    "generation.return_dict_in_generate=true", "generation.assistant_early_exit=2",
    "early_stopping.early_stopping_patience=x", "early_stopping.early_stopping_patience=0",
    "early_stopping.early_stopping_patience=-1", "early_stopping.early_stopping_threshold=x",
    "early_stopping.minutes=x", "early_stopping.minutes=0", "early_stopping.minutes=-1",
    "early_stopping.minutes=nan", "early_stopping.minutes=true",
    "cost.watts=x", "cost.watts=nan", "cost.watts=-1", "cost.watts=[1]", "cost.currency=1",
    "task.k=0", "task.sigma=0", "task.readings=-1", "task.rank_weight=-1", "task.loss=nope",
    "task.decoder=nope", "task.decoder=1", "task.mask_target=x", "task.mask_target=1",
    "lora", "lora.", ".r=1", "=", "", "lora.r", "lora..r=1", "nope.r=1", "lora.r=", "lora.r.x=1",
    "training.=1", "training..x=1", "name.x=1", "model.x=1", "sources.x=1",
]  # fmt: skip


NAMED = [
    "training.per_device_train_batch_size=0", "lora.r=x", "lora.bias=nope",
    "training.max_length=abc",
    "lora.target_modules='['", "lora.modules_to_save=[1]", "task.decoder=2020-01-01",
    "training.lr_scheduler_type=cosin", "task.decoder=nope", "task.sigma=-1",
    "training.learning_rate=nan", "generation.num_return_sequences=2",
    "generation.prompt_lookup_num_tokens=3", "generation.output_scores=true",
]  # fmt: skip
"""Those that were found first."""


@pytest.mark.parametrize("item", [*NAMED, *some([item for item in SETS if item not in NAMED], 45)])
def test_settings_that_no_library_takes(
    item: str, cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    data = write_csv(tmp_path / "d.csv", goods(90))
    answer = cli(
        "run", "price-regression", "--data", data, *quick(tiny_llama),
        "--set", "training.max_steps=1", "--set", item,
    )  # fmt: skip
    is_refused(answer)
    named = item.partition("=")[0].split(".")
    if all(named) and len(named) == 2 and "target_modules=" not in item:  # PEFT names the modules
        assert named[1] in answer.err
    assert not list(tmp_path.glob("runs/*/*")), "what is refused at once is no run"


def test_a_best_checkpoint_must_be_saved_when_it_is_evaluated(
    cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    data = write_csv(tmp_path / "d.csv", goods(90))
    answer = cli(
        "run", "price-regression", "--data", data, *quick(tiny_llama),
        "--set", "training.eval_strategy=steps", "--set", "training.eval_steps=7",
        "--set", "training.save_strategy=steps", "--set", "training.save_steps=10",
    )  # fmt: skip
    is_refused(answer, "save")
    assert not list(tmp_path.glob("runs/*/*"))


# -- task files ------------------------------------------------------------------------------------
FILES = {
    "ends the program": ("import sys\nsys.exit(3)\n", "line 2 ends the program"),
    "ends it well": ("raise SystemExit\n", "line 1 ends the program"),
    "reads what is typed": ("name = input('name: ')\n", "nothing can be typed"),
    "reads it all": ("import sys\nsys.stdin.read()\n", "defines no task"),
    "raises": ("x = {}['nope']\n", "line 1 raised KeyError"),
    "raises lines": ("raise ValueError('a\\nb\\nc')\n", "line 1 raised ValueError: a b c"),
    "no Python": ("class (:\n", "not valid Python"),
    "bytes": (b"\xff\xfe\x00", "source code"),
    "hook raises": ("def register_tasks(register):\n    1 / 0\n", "line 2 raised ZeroDivision"),
    "hook ends": ("def register_tasks(register):\n    raise SystemExit(1)\n", "ends the program"),
    "hook gives a text": ("def register_tasks(register):\n    register('x')\n", "task"),
    "misspelt hook": ("def register_task(register):\n    pass\n", "did you mean 'register_tasks'"),
    "recursion": ("def f():\n    f()\nf()\n", "RecursionError"),
    "nothing": ("", "defines no task"),
}


@pytest.mark.parametrize("name", FILES)
def test_task_files_that_do_other_things_than_define_a_task(
    name: str, cli: CommandLine, tmp_path: Path
) -> None:
    content, wanted = FILES[name]
    place = tmp_path / "t.py"
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    is_refused(cli("check", place), wanted)
