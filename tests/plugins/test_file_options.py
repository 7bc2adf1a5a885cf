"""Task files that set an installed task up, and the data options that a task file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runner import CommandLine, quick, write_csv
from toolkit.data.source import Source
from toolkit.errors import DataError, UsageError
from toolkit.plugins import file_options, lookup, task_file
from toolkit.plugins.contract import data_rules
from toolkit.plugins.contract.checked_task import Subject
from toolkit.preparation.prepare import prepare
from toolkit.runs.run import Run
from toolkit.task import Task

WORDS = ("cup", "lamp", "chair", "desk", "bed", "shelf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"maker": w, "size": str(i), "cost": f"${10 + i}.00", "seller": f"s{i % 15}"}
        for i in range(20)
        for w in WORDS
    ]
    write_csv(tmp_path / "goods.csv", rows)
    write_csv(tmp_path / "later.csv", [{**r, "size": f"{r['size']} cm"} for r in rows[:20]])
    return tmp_path


def loaded(path: Path, text: str) -> type[Task]:
    path.write_text(text, encoding="utf-8")
    return task_file.load(path)


def test_a_file_sets_an_installed_task_up(folder: Path) -> None:
    task = loaded(
        folder / "goods.toml",
        'task = "price-regression"\ndata = "goods.csv"\ntext = ["maker", "size"]\n'
        'target = "cost"\ngroup = "seller"\n[recipe.task]\nrows = 80\n',
    )
    installed = lookup.find("price-regression")
    assert issubclass(task, installed) and task.name == "goods" != installed.name
    assert task.kind == installed.kind and task.metrics == installed.metrics
    assert task.recipes[0].task["rows"] == 80 and task.recipes[1:] == installed.recipes
    source = file_options.merged(task, {})
    assert source == Source(
        data=str(folder / "goods.csv"), text=("maker", "size"), target="cost", group="seller"
    )
    prepared = prepare(task(), source)
    assert prepared.grouped_by == "seller" and sum(prepared.sizes.values()) == 120
    assert Source.from_dict(source.as_dict()) == source


def test_groups_that_share_a_text_break_no_rule(folder: Path) -> None:
    rows = [
        {
            "words": f"the {WORDS[i % 6]} number {i % 240}",
            "kind": WORDS[i % 6],
            "user": f"u{i % 210}",
        }
        for i in range(500)
    ]
    write_csv(folder / "rows.csv", rows)
    task = loaded(
        folder / "rows.toml",
        'kind = "sequence-classification"\ndata = "rows.csv"\ntext = "words"\n'
        'target = "kind"\ngroup = "user"\n',
    )
    subject = Subject(task(), file_options.merged(task, {}))
    data_rules.duplicates(subject)
    data_rules.splits(subject)


def test_the_command_line_goes_before_the_file_and_replaces_its_files_as_a_whole(
    folder: Path,
) -> None:
    task = loaded(
        folder / "goods.toml",
        'task = "price-regression"\ntrain = "goods.csv"\ntest = "later.csv"\n'
        'text = "maker,size"\ntarget = "cost"\nheader = true\nnear_duplicates = true\n',
    )
    assert file_options.merged(task, {}).test == str(folder / "later.csv")
    other = file_options.merged(
        task, {"data": "other.csv", "target": "price", "near_duplicates": False, "text": None}
    )
    assert other == Source(data="other.csv", text=("maker", "size"), target="price", header=True)


def test_columns_that_a_kind_s_file_names_are_read_though_others_look_better(
    tmp_path: Path,
) -> None:
    rows = [
        {"text": f"a long text of number {i} that looks like one", "code": f"{w} {i}",
         "label": "x" if i % 2 else "y", "topic": w}
        for i in range(20)
        for w in WORDS
    ]  # fmt: skip
    write_csv(tmp_path / "rows.csv", rows)
    task = loaded(
        tmp_path / "topics.toml",
        'kind = "sequence-classification"\ndata = "rows.csv"\ntext = "code"\ntarget = "topic"\n',
    )
    row = prepare(task(), file_options.merged(task, {})).splits["train"][0]
    assert row["code"].split()[0] == row["topic"] and row["topic"] in WORDS


def test_several_columns_are_one_text_without_those_that_are_empty(tmp_path: Path) -> None:
    rows = [
        {"make": w, "note": "" if i % 2 else "as new", "years": i} for i in range(20) for w in WORDS
    ]
    write_csv(tmp_path / "rows.csv", rows)
    task = loaded(
        tmp_path / "years.toml",
        'kind = "sequence-regression"\ndata = "rows.csv"\ntext = ["make", "note"]\n'
        'target = "years"\n',
    )
    made = task()
    prepared = prepare(made, file_options.merged(task, {}))
    assert sum(prepared.sizes.values()) == 120
    made.load_state(made.fit(prepared.splits["train"]))
    texts = {made.format_example(row)["text"] for row in prepared.splits["train"]}
    assert "cup" in texts and "cup\nnote: as new" in texts
    assert {m.name for m in task.metrics} == {"mae", "rmse"}
    row = prepared.splits["train"][0]
    scale = made.state["scale"]
    label = made.format_example(row)["label"]
    assert label * scale["deviation"] + scale["mean"] == pytest.approx(made.reference(row))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('task = "price-regresion"', "did you mean 'price-regression'"),
        ('task = "goods.py"', "no task 'goods.py'"),
        ('task = "os:system"', "no task 'os:system'"),
        ('task = "price-regression"\nkind = "causal-lm"', "kind does not go with task"),
        ('task = "price-regression"\nclasses = ["a"]', "classes does not go with task"),
        ('task = "price-regression"\nprompt = "{a}"', "prompt does not go with task"),
        ('task = "price-regression"\ntrain = "none.csv"', "there is no file"),
        ('task = "price-regression"\ntext = []', "text must be a text or a list of columns"),
        ('task = "price-regression"\ntext = [1]', "text must be a text or a list of columns"),
        ('task = "price-regression"\ntext = ","', "text names no column"),
        ('task = "price-regression"\nheader = "no"', "header must be true or false"),
        ('task = "price-regression"\ngroup = 3', "group must be a text"),
        ('task = "price-regression"\ntarget = " "', "target is empty"),
        ('task = "review-sentiment"\nlabels = "4"', "'4' is no LABEL=MEANING"),
        ('task = "review-sentiment"\n[labels]\n4 = "a=b"', "is no label with its meaning"),
        ('task = "price-regression"\ntest = "goods.csv"', "validation and test go with data"),
        (
            'task = "price-regression"\ndata = "goods.csv"\ntrain = "goods.csv"',
            "data and train both name training rows",
        ),
        ('task = "price-regression"\n[recipe]\nbase = "nope"', "nope"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_file(folder: Path, line: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        loaded(folder / "wrong.toml", line + "\n")
    assert "wrong.toml" in str(error.value) and said in str(error.value)
    assert "\n" not in str(error.value) and error.value.exit_code == 2


def test_labels_are_a_text_or_a_table(folder: Path) -> None:
    for labels in ('labels = "0=negative,4=positive"', '[labels]\n0 = "negative"\n4 = "positive"'):
        task = loaded(folder / "moods.toml", f'task = "review-sentiment"\n{labels}\n')
        meanings = file_options.merged(task, {}).meanings()
        assert meanings.meaning("0") == "negative" and meanings.meaning("4.0") == "positive"


def test_the_task_of_a_file_is_never_set_up_by_another_file(folder: Path) -> None:
    loaded(folder / "mine.toml", 'task = "price-regression"\n')
    with pytest.raises(UsageError, match="no task 'mine' is installed"):
        loaded(folder / "other.toml", 'task = "mine"\n')
    again = loaded(folder / "again.toml", 'task = "price-regression"\nname = "price-regression"\n')
    assert loaded(folder / "third.toml", 'task = "price-regression"\n').__bases__ == again.__bases__


def test_made_up_rows_that_a_file_names_as_its_own_are_said_to_be(folder: Path) -> None:
    task = loaded(
        folder / "made.toml",
        'kind = "sequence-classification"\ndata = "goods.csv"\ntext = "size"\ntarget = "maker"\n'
        "synthetic = true\n",
    )
    assert prepare(task(), file_options.merged(task, {})).synthetic
    other = file_options.merged(task, {"data": str(folder / "later.csv")})
    with pytest.raises(DataError, match="too few"):  # 20 rows
        prepare(task(), other)
    assert not other.synthetic


def test_a_run_of_such_a_file_stores_all_options_and_is_read_again(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    tiny_llama: Path,
) -> None:
    cli = CommandLine(capsys, monkeypatch)
    (folder / "goods.toml").write_text(
        'task = "price-regression"\ndata = "goods.csv"\ntext = ["maker", "size"]\n'
        'target = "cost"\ngroup = "seller"\n'
    )
    runs = folder / "runs"
    answer = cli("run", folder / "goods.toml", "--limit", 100, "--runs", runs, *quick(tiny_llama))
    assert answer.code == 0, answer.err
    (run,) = Run.all(runs)
    source = run.info["source"]
    assert source["data"] == str(folder / "goods.csv") and source["group"] == "seller"
    assert source["text"] == ["maker", "size"] and source["target"] == "cost"
    assert source["limit"] == 100
    (folder / "goods.toml").write_text('task = "price-regression"\n')  # the run holds them all
    answer = cli("report", "--runs", runs, "--verify", "--sample", 2)
    assert answer.code == 0, answer.out + answer.err
    write_csv(folder / "new.csv", [{"maker": "lamp", "size": "7"}])
    assert cli("predict", run.path, "--data", folder / "new.csv").code == 0
