"""Tasks without a package: in a TOML file, in a Python file; mistakes are said in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from cli_runner import CommandLine, quick, write_csv
from toolkit.data.source import Source
from toolkit.errors import DataError, PluginError, ToolkitError, UsageError
from toolkit.plugins import discovery, fingerprint, lookup, task_file
from toolkit.plugins.contract import check
from toolkit.preparation.prepare import prepare

WORDS = ("cup", "lamp", "chair", "desk", "bed", "shelf")
TOML = """
kind = "causal-lm"
data = "mail.csv"
prompt = "Mail: {body}\\nSubject:"
target = "subject"
metrics = ["exact_match", "token_f1"]
"""
PYTHON = """
from toolkit import CausalLMTask
from toolkit.metrics.common import TOKEN_F1

class Subjects(CausalLMTask):
    name = "subjects"
    summary = "write the subject of a mail"
    columns = {"body": "the mail", "subject": "its subject"}
    answer = "subject"
    data = "mail.csv"
    metrics = (TOKEN_F1,)
    primary_metric = "token_f1"

    def format_example(self, row):
        return {"prompt": row["body"], "completion": row.get("subject", "")}

    def postprocess(self, output, row):
        return output.text or None

    def fallback(self):
        return ""

    def reference(self, row):
        return row["subject"]
"""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"body": f"the {word} number {i} is broken, please help", "subject": f"broken {word}"}
        for i in range(12)
        for word in WORDS
    ]
    write_csv(tmp_path / "mail.csv", rows)
    (tmp_path / "mail.toml").write_text(TOML)
    (tmp_path / "mail.py").write_text(PYTHON)
    return tmp_path


def broken_rules(path: Path) -> list[str]:
    results = check.check(task_file.load(path)(), Source())
    return [f"{r.rule}: {r.message}" for r in results if not r.passed]


@pytest.mark.parametrize("name", ["mail.toml", "mail.py"])
def test_a_file_is_a_task_that_keeps_the_contract(folder: Path, name: str) -> None:
    assert broken_rules(folder / name) == []


def test_a_toml_file_says_what_a_row_becomes(folder: Path) -> None:
    task = task_file.load(folder / "mail.toml")()
    row = {"body": "hello", "subject": "greeting"}
    example = {"prompt": "Mail: hello\nSubject:", "completion": " greeting"}
    assert task.name == "mail" and task.primary_metric == "exact_match"
    assert task.format_example(row) == example
    assert task.format_example({"body": "hello"})["completion"] == ""


def test_an_encoder_decoder_reads_a_text_of_columns(folder: Path) -> None:
    path = folder / "short.toml"
    path.write_text(
        'kind = "seq2seq-lm"\ndata = "mail.csv"\ntext = "Mail: {body}"\ntarget = "subject"\n'
    )
    task = task_file.load(path)()
    row = {"body": "hello", "subject": "greeting"}
    assert task.format_example(row) == {"text": "Mail: hello", "text_target": "greeting"}
    assert task.truncate == "body" and task.primary_metric == "token_f1"
    assert broken_rules(path) == []


@pytest.mark.parametrize("form", ["alpaca", "chat", "plain", "pairs"])
def test_an_encoder_decoder_takes_the_known_forms_too(tmp_path: Path, form: str) -> None:
    if form == "pairs":
        rows = [{"text": f"{w} {i}", "target": f"the {w}"} for i in range(14) for w in WORDS]
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    else:
        chat_file(tmp_path, form)
    path = tmp_path / "pairs.toml"
    path.write_text('kind = "seq2seq-lm"\ndata = "rows.jsonl"\n')
    assert broken_rules(path) == []
    task = task_file.load(path)()
    example = task.format_example(prepare(task, Source()).splits["train"][0])
    assert example["text"] and example["text_target"].lower().startswith("the ")


def test_the_baselines_of_classes_are_tuned_and_keep_the_tasks_groups(tmp_path: Path) -> None:
    rows = [
        {"note": f"{'fine' if i % 2 else 'poor'} {WORDS[i % 6]}", "stars": i % 2} for i in range(12)
    ]
    (tmp_path / "notes.toml").write_text(
        'kind = "sequence-classification"\ndata = "rows.jsonl"\ntarget = "stars"\n'
        'text = "A note: {note}"\nclasses = [0, 1]\n'
    )
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = lookup.find(str(tmp_path / "notes.toml"))()
    ladder = task.baselines()
    assert list(ladder) == ["most-frequent", "tfidf-logistic", "embeddings-logistic"]
    for number in (2, 5, 12):
        train = Dataset.from_list(rows[:number])
        assert ladder["tfidf-logistic"](train)(train) == train["stars"][:]


def test_classes_are_read_in_their_own_type(tmp_path: Path) -> None:
    rows = [{"text": f"{i} {word}", "stars": i % 3 + 1} for i in range(15) for word in WORDS]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "stars.toml").write_text(
        'kind = "sequence-classification"\ndata = "rows.jsonl"\ntarget = "stars"\n'
        "classes = [1, 2, 3]\n"
    )
    task = task_file.load(tmp_path / "stars.toml")()
    assert [m.name for m in task.metrics] == ["accuracy", "macro_f1"]
    assert set(prepare(task, Source()).splits["train"]["stars"]) == {1, 2, 3}
    assert broken_rules(tmp_path / "stars.toml") == []


CHAT = {
    "alpaca": {"instruction": "Name a {0}.", "input": "", "output": "The {0} of {1}."},
    "chat": {"messages": [{"role": "user", "content": "Name a {0}, number {1}."},
                          {"role": "assistant", "content": "The {0}."}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hello {1}."},
                                   {"from": "gpt", "value": "Hello."},
                                   {"from": "human", "value": "Name a {0}."},
                                   {"from": "gpt", "value": "The {0}."}]},
    "plain": {"prompt": "{0} {1}: ", "completion": "the {0}"},
}  # fmt: skip


def filled(value: Any, *words: object) -> Any:
    if isinstance(value, str):
        return value.format(*words)
    if isinstance(value, list):
        return [filled(one, *words) for one in value]
    return {key: filled(one, *words) for key, one in value.items()}


def chat_file(folder: Path, form: str) -> Path:
    rows = [filled(CHAT[form], word, i) for i in range(14) for word in WORDS]
    if form == "alpaca":
        rows = [{**row, "input": str(i)} for i, row in enumerate(rows)]
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    path = folder / f"{form}.toml"
    path.write_text('kind = "causal-lm"\ndata = "rows.jsonl"\n')
    return path


@pytest.mark.parametrize("form", CHAT)
def test_rows_in_a_known_form_need_no_prompt(tmp_path: Path, form: str) -> None:
    path = chat_file(tmp_path, form)
    assert broken_rules(path) == []
    prepared = prepare(task_file.load(path)(), Source())
    assert any("in the form of" in note for note in prepared.notes)


def test_a_conversation_goes_through_the_chat_template_whole(tmp_path: Path) -> None:
    task = task_file.load(chat_file(tmp_path, "sharegpt"))()
    train = prepare(task, Source()).splits["train"]
    task.load_state(task.fit(train))
    example = task.format_example(train[0])
    assert [m["role"] for m in example["prompt"]] == ["user", "assistant", "user"]
    assert example["completion"][0]["content"].startswith("The ")


def test_rows_in_no_known_form_are_refused_with_the_known_ones(folder: Path) -> None:
    (folder / "mail.toml").write_text('kind = "causal-lm"\ndata = "mail.csv"\n')
    with pytest.raises(DataError, match=r"body, subject.*in no form.*Alpaca.*prompt with"):
        prepare(task_file.load(folder / "mail.toml")(), Source())


CLASSES = 'kind = "sequence-classification"\nclasses = ["ham", "spam"]\n'
COSTS = f'{CLASSES}metrics = ["accuracy", "expected_cost"]\n[costs]\n'


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Rows whose columns have names of their own, with an empty one in every other row."""
    rows = [
        {"ask": f"Say {i}.", "context": "twice" if i % 2 else "", "reply": f"{i} {i}",
         "input": "not meant"}
        for i in range(60)
    ]  # fmt: skip
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_known_form_may_have_other_columns(asked: Path) -> None:
    (asked / "a.toml").write_text(
        'kind = "causal-lm"\ndata = "asked.jsonl"\n[columns]\n'
        'instruction = "{ask}\\n{context}"\noutput = "reply"\n'
    )
    task = task_file.load(asked / "a.toml")
    found: Any = task().load_rows(Source(data=str(asked / "asked.jsonl")))
    assert [row["prompt"] for row in found.select(range(2))] == ["Say 0.", "Say 1.\ntwice"]
    assert found[1]["completion"] == "1 1"
    assert [
        r.message for r in check.check(task(), Source(**task.source_options)) if not r.passed
    ] == []
    (asked / "new.jsonl").write_text('{"ask": "Say 7.", "context": "now"}\n')
    inputs = task().load_inputs(Source(data=str(asked / "new.jsonl"), chosen={"form": "Alpaca"}))
    assert inputs["prompt"][:] == ["Say 7.\nnow"]


def test_messages_under_another_name_keep_their_group(tmp_path: Path) -> None:
    def turns(i: int) -> list[dict[str, str]]:
        return [{"from": "human", "value": f"Hi {i}"}, {"from": "gpt", "value": "Ho"}]

    rows = [{"talk": turns(i), "who": f"w{i // 2}", "system": "unread"} for i in range(200)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.toml").write_text(
        'kind = "causal-lm"\ndata = "t.jsonl"\ngroup = "who"\ncolumns = {conversations = "talk"}\n'
    )
    task = task_file.load(tmp_path / "t.toml")
    prepared = prepare(task(), Source(**task.source_options))
    assert prepared.grouped_by == "who"
    assert "unread" not in prepared.splits["train"][0]["before"]


def test_a_prompt_without_an_empty_column(asked: Path) -> None:
    (asked / "a.toml").write_text(
        'kind = "causal-lm"\ndata = "asked.jsonl"\nprompt = "Q {ask}\\nC {context}\\nA\\n"\n'
        'target = "reply"\n[prompt_without]\ncontext = "Q {ask}\\nA:"\n'
    )
    task = task_file.load(asked / "a.toml")
    source = Source(**task.source_options)
    found: Any = task().load_rows(source)
    examples = [task().format_example(row) for row in found.select(range(2))]
    assert examples[0] == {"prompt": "Q Say 0.\nA:", "completion": " 0 0"}
    assert examples[1] == {"prompt": "Q Say 1.\nC twice\nA\n", "completion": "1 1"}
    assert len(found) == 60 and not source.left_out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('columns = {instructions = "ask"}', "did you mean 'instruction'"),
        ('columns = {output = 1}', "a column or a template"),
        ('prompt = "{ask}"\ntarget = "reply"\ncolumns = {output = "a"}', "a prompt does not have"),
        ('prompt_without = {ask = "x"}', "needs a prompt"),
        ('prompt = "{ask}"\ntarget = "reply"\nprompt_without = {context = "{ask}"}', "not show"),
        ('prompt = "{ask}{context}"\ntarget = "reply"\nprompt_without = {ask = "{ask}"}', "shows"),
        ('prompt = "{ask}"\ntarget = "reply"\nprompt_without = {ask = "none"}', "no column"),
    ],
)  # fmt: skip
def test_columns_and_prompts_that_do_not_go_together(asked: Path, more: str, said: str) -> None:
    (asked / "a.toml").write_text(f'kind = "causal-lm"\ndata = "asked.jsonl"\n{more}\n')
    with pytest.raises(UsageError, match=said):
        task_file.load(asked / "a.toml")


def test_a_column_of_a_form_that_is_not_there_is_said(asked: Path) -> None:
    (asked / "a.toml").write_text(
        'kind = "causal-lm"\ndata = "asked.jsonl"\n'
        'columns = {instruction = "aks", output = "reply"}'
    )
    task = task_file.load(asked / "a.toml")
    with pytest.raises(DataError, match="did you mean 'ask'"):
        task().load_rows(Source(**task.source_options))


def test_a_file_may_say_what_mistakes_cost(tmp_path: Path) -> None:
    path = tmp_path / "spam.toml"
    path.write_text(f"{COSTS}ham = {{spam = 20}}\nspam = {{ham = 1}}\n")
    cost = task_file.load(path)().metrics[1]
    pairs = [("ham", "ham"), ("spam", "ham"), ("ham", "spam"), (None, "ham")]
    assert [cost.per_example(p, r) for p, r in pairs] == [0, 20, 1, 20]
    assert not cost.greater_is_better


def test_costs_of_classes_that_are_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "stars.toml"
    path.write_text(
        'kind = "sequence-classification"\nclasses = [1, 2]\nmetrics = ["expected_cost"]\n'
        "[costs]\n1 = {2 = 3}\n2 = {1 = 4}\n"
    )
    cost = task_file.load(path)().metrics[0]
    assert [cost.per_example(p, r) for p, r in [(2, 1), (1, 2), (1, 1)]] == [3, 4, 0]


@pytest.mark.parametrize("name", ["macro_precision", "macro_recall", "macro_f1"])
def test_figures_of_classes_are_the_ready_made_ones(tmp_path: Path, name: str) -> None:
    path = tmp_path / "spam.toml"
    path.write_text(f'{CLASSES}metrics = ["{name}"]\n')
    metric = task_file.load(path)().metrics[0]
    assert metric.value([metric.per_example("ham", "ham")]) == 1.0
    assert metric.value([metric.per_example(None, "ham")]) == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "kind is missing; there are causal-lm"),
        ('kind = "causal"', "no kind 'causal' – did you mean 'causal-lm'"),
        ('kind = "causal-lm"\npromt = "x"', "unknown key 'promt' – did you mean 'prompt'"),
        ('kind = "causal-lm"\nprompt = 3', "prompt must be a text, not 3"),
        ('kind = "causal-lm"\nprompt = "x"\ntarget = "y"', "prompt names no column"),
        ('kind = "causal-lm"\nprompt = "{x}"', "target is missing"),
        ('kind = "causal-lm"\nprompt = "{x}"\ntarget = "x"', "which is the target"),
        ('kind = "causal-lm"\ntext = "x"', "text does not go with kind causal-lm"),
        ('kind = "seq2seq-lm"\nprompt = "x"', "prompt does not go with kind seq2seq-lm"),
        ('kind = "seq2seq-lm"\ntarget = "x"', "target needs a text: a column, or a template"),
        ('kind = "seq2seq-lm"\ntext = "x"', "target is missing"),
        ('kind = "causal-lm"\ndata = "no.csv"', "there is no file"),
        ('kind = "causal-lm"\nmetrics = ["token-f1"]', "no metric 'token-f1' – did you mean"),
        ('kind = "sequence-classification"\nmetrics = ["macro_f1"]', "macro_f1 needs classes"),
        (CLASSES + 'metrics = ["expected_cost"]', "expected_cost needs classes and a table costs"),
        (CLASSES + "[costs]\nham = {spam = 1}\nspam = {ham = 1}", "name it in metrics"),
        (COSTS + "ham = {spma = 1}\nspam = {ham = 1}", "no class 'spma' – did you mean 'spam'"),
        (COSTS + "ham = {spam = 1}", "predicting 'ham' for 'spam' has no cost"),
        (COSTS + 'ham = {spam = "1"}\nspam = {ham = 1}', "must be a number, not '1'"),
        (COSTS + "ham = 3", "costs of 'ham' must be a table"),
        ('kind = "causal-lm"\nmetrics = [["x"]]', "there is no metric ['x']"),
        ('kind = "causal-lm"\n[recipe]\nmodle = "x"', "unknown key 'modle'"),
        ('kind = "causal-lm"\n[recipe.lora', "is not a readable TOML file"),
        ('kind = "causal-lm"\nsynthetic = 1', "synthetic must be true or false"),
    ],
)
def test_a_mistake_in_a_toml_file_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "task.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        task_file.load(path)
    assert str(path) in str(error.value) and said in str(error.value)


def test_a_recipe_in_the_file_changes_the_kinds_own(folder: Path) -> None:
    (folder / "mail.toml").write_text(f"{TOML}\n[recipe.training]\nlearning_rate = 0.5\n")
    recipe, first, *_ = task_file.load(folder / "mail.toml").recipes
    assert recipe.training["learning_rate"] == 0.5
    assert {**recipe.training, "learning_rate": 2e-3} == {**first.training}


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("def", PluginError, "line 1 is not valid Python"),
        ("\nimport no_such_module_here", PluginError, "line 2 raised ModuleNotFoundError"),
        ("x = 1", UsageError, "defines no task"),
        (PYTHON + PYTHON.replace("Subjects", "Other"), UsageError, "several tasks; name one"),
        (PYTHON.replace('answer = "subject"', ""), PluginError, "does not implement load_rows"),
        (PYTHON.replace('answer = "subject"', 'answer = "x"'), PluginError, "not among its col"),
    ],
)
def test_a_mistake_in_a_python_file_is_one_sentence(
    tmp_path: Path, text: str, error: type[ToolkitError], said: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(error, match=said):
        task_file.load(path)


def test_one_of_several_tasks_is_named_behind_a_colon(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text(PYTHON + PYTHON.replace("Subjects", "Other").replace('"subjects"', '"other"'))
    assert lookup.find(f"{path}:Other").name == "other"
    with pytest.raises(UsageError, match="did you mean 'Other'"):
        lookup.find(f"{path}:Othr")


def test_a_file_that_is_not_there_is_said_with_the_nearest(folder: Path, cli: CommandLine) -> None:
    answer = cli("run", folder / "mial.toml")
    assert answer.code == 2 and "did you mean 'mail.toml'" in answer.err


@pytest.mark.slow
def test_a_file_runs_and_its_run_finds_it_again(
    folder: Path, cli: CommandLine, tiny_llama: Path
) -> None:
    arguments = ["--runs", folder / "runs", *quick(tiny_llama)]
    answer = cli("run", folder / "mail.toml", *arguments, "--json")
    assert answer.code == 0, answer.err
    metrics = json.loads(answer.out)
    assert {"adapter", "base", "nearest", "most-frequent"} <= set(metrics["systems"])
    discovery.load.cache_clear()  # as another process would
    assert cli("report", metrics["run_path"], "--verify", "--sample", "4").code == 0
    predicted = cli("predict", metrics["run_path"], "the bed is broken", "--json")
    assert json.loads(predicted.out)[0]["input"] == "the bed is broken"
    (folder / "mail.toml").unlink()
    discovery.load.cache_clear()
    gone = cli("report", metrics["run_path"])
    assert gone.code == 2 and "there is no file" in gone.err


def test_an_installed_task_that_is_hidden_keeps_its_code_and_origin(tmp_path: Path) -> None:
    """A run of it in the same process, such as the playground's, is not taken for other code."""
    found = discovery.load()
    task = found.task("price-regression")
    before = fingerprint.of_task(task)
    file = tmp_path / "mine.py"
    file.write_text(
        "from toolkit_price_regression.task import PriceRegression\n\n"
        'class Mine(PriceRegression):\n    name = "price-regression"\n'
    )
    try:
        mine = task_file.load(file)
        assert found.task("price-regression") is mine
        assert found.installed("price-regression") is task
        assert fingerprint.of_task(task) == before != fingerprint.of_task(mine)
    finally:
        found.tasks["price-regression"] = task
        found.origins["price-regression"] = found.hidden_origins.pop("price-regression")
        del found.hidden["price-regression"]
