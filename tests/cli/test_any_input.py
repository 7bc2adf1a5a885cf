"""Any value of any option, and any content of any kind of file: never an unexpected error.

Hypothesis draws the values; each goes through the command line's own entry, in this process. What
is refused must end in exit code 2 and a sentence; what is accepted may work. ``run`` ends when
its data are split. ``.ci/campaign/inputs.py`` draws ten times as many (``TOOLKIT_EXAMPLES``).
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbooks
from campaign import FACTOR
from cli_runner import goods, write_csv
from toolkit.errors import ToolkitError
from toolkit.preparation import data_stage

UNEXPECTED = "an error that the toolkit does not expect"


def examples(number: int) -> Any:
    return settings(
        max_examples=number * FACTOR, derandomize=FACTOR == 1, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


class Ended(ToolkitError):
    """A run that has passed everything that is refused."""


def _end(*arguments: Any) -> None:
    raise Ended("the run would begin now")


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with good data, in which commands run; runs end when their data are split."""
    folder = tmp_path_factory.mktemp("any")
    write_csv(folder / "goods.csv", goods(60))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(data_stage, "look", _end)
        patch.setenv("TOOLKIT_RUNS", str(folder / "runs"))
        yield folder


def call(*arguments: str) -> str:
    """What a command says on its way; fails where the toolkit did not expect its input."""
    from toolkit.cli import main

    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["toolkit", *arguments])
        for name in ("TOOLKIT_DEBUG", "TOOLKIT_RUN"):
            patch.setenv(name, "")
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            pytest.raises(SystemExit) as stopped,
        ):
            main()
    text = said.getvalue()
    assert UNEXPECTED not in text, f"{arguments!r:.2000}\n{text[-2000:]}"
    assert "Traceback" not in text, f"{arguments!r:.2000}\n{text[-3000:]}"
    assert stopped.value.code in (0, 1, 2), (arguments, stopped.value.code)
    return text


# -- values ----------------------------------------------------------------------------------------
ODD = (
    "", " ", "0", "-1", "1", "1e400", "nan", "inf", "none", "true", "[]", "[1]", "{}", "{a=1}",
    "'['", "(", "*",
    "2020-01-01", "10:00:00", "x" * 300, "x" * 5000, "\0", "\udcff", "\n", "/", ".", "..", "a/b",
    "a/b:c", "~",
    "title", "price", "title,price", "{title}", "{title", "{}", "{nope}", "0=a,1=b", "1..5",
    "5..1", "0..0",
    "=", "a=", "=a", ",", ";", "auto", "all", "-", "--", "-h", "٣", "１", "é", "💥",
    "price-regression", "utf-8",
    "utf-16", "rot13", "idna", "cp1252", "9" * 400, "goods.csv", "goods", "train", "test", "null",
    "embedded:minilm",
    "embedded:nope", "goods.csv.gz", "x.parquet", "x.zip", "C:\\x", "%s", "{0}", "$HOME", "a\tb",
    "None",
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=12),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
)
SECTIONS = ("training", "lora", "quantization", "generation", "early_stopping", "task", "cost")
FIELDS = (
    "per_device_train_batch_size", "learning_rate", "max_length", "num_train_epochs", "max_steps",
    "optim",
    "lr_scheduler_type", "eval_strategy", "eval_steps", "packing", "report_to",
    "model_init_kwargs", "r", "bias",
    "lora_alpha", "lora_dropout", "target_modules", "modules_to_save", "rank_pattern",
    "init_lora_weights",
    "load_in_4bit", "bnb_4bit_quant_type", "bnb_4bit_compute_dtype", "max_new_tokens",
    "num_beams", "do_sample",
    "temperature", "early_stopping_patience", "minutes", "decoder", "mask_target", "watts",
    "currency", "nope", "",
)  # fmt: skip
SETS = st.builds(
    "{}.{}={}".format, st.sampled_from(SECTIONS), st.sampled_from(FIELDS), VALUES
) | VALUES  # fmt: skip

OF_SYSTEMS = (
    "--system", "--max-cost", "--price-in", "--price-out", "--parallel", "--answer-tokens",
    "--answers",
)  # fmt: skip
OPTIONS: dict[str, tuple[str, ...]] = {
    "run": (
        "--data", "--text", "--target", "--train", "--validation", "--test", "--encoding",
        "--labels", "--sheet",
        "--limit", "--group", "--recipe", "--model", "--set", "--seed", "--seeds", "--backend",
        "--minutes",
        "--runs", *OF_SYSTEMS,
    ),
    "show": (
        "--rows", "--split", "--data", "--text", "--target", "--labels", "--limit", "--group",
        "--seed",
    ),
    "init": (
        "--task", "--text", "--target", "--labels", "--group", "--validation", "--encoding",
        "--output",
    ),
    "recipes": ("--rows",),
    "new": ("--kind", "--folder"),
    "predict": ("--data", "--text", "--encoding", "--sheet", "--out", "--runs"),
    "report": ("--sample", "--url", "--out", "--runs"),
    "forgetting": ("--text", "--on", "--rows", "--runs"),
    "compare": ("--out", "--runs"),
    "resume": (
        "--data", "--train", "--validation", "--test", "--model", "--task", "--runs", "--set",
    ),
    "runs": ("--runs",),
    "evaluate": (
        "--task", "--data", "--base", "--train", "--validation", "--prompt", "--text", "--target",
        "--encoding", "--labels", "--sheet", "--limit", "--group", "--recipe", "--set", "--seed",
        "--runs", *OF_SYSTEMS,
    ),
    "import": ("--from", "--dataset-info", "--name", "--folder"),
    "export": ("--to", "--type", "--out", "--margin", "--converter", "--runs"),
    "gate": ("--against", "--margin", "--markdown", "--junit", "--runs"),
}  # fmt: skip
"""Commands → options of theirs that take a value."""
GIVEN = {
    "run": ["price-regression"], "show": ["price-regression"], "new": ["my-task"],
    "predict": ["nope"], "report": ["--badge"],
    "evaluate": ["nope", "--task", "price-regression", "--data", "goods.csv"],
    "import": ["goods.csv"],
    "export": ["nope", "--to", "merged"], "gate": ["nope", "--against", "nope"],
    "forgetting": ["nope"], "compare": ["nope", "nope"], "init": ["goods.csv", "--yes", "--force"],
}  # fmt: skip


def test_every_option_that_takes_a_value_is_fed() -> None:
    import typer

    from toolkit.cli import app

    group: Any = typer.main.get_command(app)
    of_data = {
        "--train",
        "--validation",
        "--test",
        "--encoding",
        "--sheet",
        "--recipe",
        "--model",
        "--set",
    }
    other = {"check": of_data, "playground": set(), "doctor": set()}  # as show; a server; no input
    for name, command in group.commands.items():
        if name in other or not getattr(command.callback, "__module__", "").startswith(
            "toolkit.cli"
        ):
            continue
        takes = {p.opts[0] for p in command.params if p.opts[0].startswith("--") and not p.is_flag}
        left = of_data if name in ("show", "init") else set()  # read as those of run
        assert takes - left <= set(OPTIONS.get(name, ())), name


WRITTEN = ("--runs", "--folder", "--output", "--out", "--markdown", "--junit")
"""Options that name what is written, which stays in the folder."""


@pytest.mark.parametrize(
    ("command", "option"), [(c, o) for c, options in OPTIONS.items() for o in options],
    ids=lambda value: value,
)  # fmt: skip
def test_an_option_takes_any_value(command: str, option: str) -> None:
    strategy = SETS if option == "--set" else VALUES
    if option in WRITTEN:
        strategy = VALUES.filter(lambda value: not value.startswith("/") and ".." not in value)
    if option == "--data":  # the Hub is asked for others
        strategy = VALUES.filter(lambda value: "/" not in value)
    costly = command in ("show", "init")

    @examples(20 if option == "--set" else 1 if costly else 3)
    @given(strategy)
    def feed(value: str) -> None:
        data = ["--data", "goods.csv"] if command in ("run", "show") and option != "--data" else []
        call(command, *GIVEN.get(command, []), *data, f"{option}={value}")

    feed()


@examples(20)
@given(
    st.sampled_from(("run", "check", "show", "recipes", "resume", "report", "predict", "new")),
    VALUES,
)
def test_an_argument_may_be_anything(command: str, value: str) -> None:
    call(command, value)


# -- files -----------------------------------------------------------------------------------------
KEYS = ("title", "price", "row_id", "", "a", "data", "\ud83d")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\ud83d", 10**400, "$12", "x" * 500, "1,5", -0.0]),
    lambda inside: st.lists(inside, max_size=4)
    | st.dictionaries(st.sampled_from(KEYS), inside, max_size=4),
    max_leaves=12,
)  # fmt: skip
CELLS = st.one_of(
    st.text(max_size=10),
    st.sampled_from(['"', '""', "a\nb", "\\", '\\"', ",", ";", "$1", "", "\ud83d", "a,b", "\x00"]),
)  # fmt: skip
NAMES = st.sampled_from(
    ["title", "price", "text", "row_id", "", "row_id (file)", "title (2)", "a", "sep=;"]
)


GOOD = 60
"""Rows that can be used, which are enough for all splits."""


def tabular(draw: Any) -> list[list[str]]:
    """Cells with their names: mostly goods, among them some that are odd."""
    more = draw(st.lists(NAMES, max_size=2))
    head = draw(st.sampled_from([["title", "price"]] * 4 + [["", "price"], ["title", "title"]]))
    good = [[f"thing {i}", f"{i + 5}", "x", "y"][: 2 + len(more)] for i in range(GOOD)]
    odd = draw(st.lists(st.lists(CELLS, max_size=5), max_size=2))
    return [[*head, *more], *good, *odd]


def seldom(draw: Any, *others: Any) -> Any:
    """``None``, and sometimes one of the others."""
    return draw(st.sampled_from([None] * 4 * len(others) + list(others)))


@st.composite
def csv_bytes(draw: Any) -> bytes:
    mark = draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n", f"{mark}\n", "\r"]))
    quoted = draw(st.booleans())
    first = draw(st.sampled_from(["", "", "sep=;\n", "\ufeff", "\n\n"]))
    rows = tabular(draw)
    lines = [
        mark.join('"' + c.replace('"', '""') + '"' if quoted else c for c in row) for row in rows
    ]
    text = first + end.join(lines) + end
    content = text.encode(draw(st.sampled_from(["utf-8"] * 4 + ["utf-16", "latin-1"])), "replace")
    cut = seldom(draw, len(content) // 2, 3)
    return content[:cut]


@st.composite
def json_bytes(draw: Any) -> bytes:
    good: list[Any] = [{"title": f"thing {i}", "price": i + 5} for i in range(GOOD)]
    odd = draw(st.lists(JSON, max_size=3))
    form = draw(st.sampled_from(["list", "lines", "columns", "split", "nested", "bare"]))
    if form == "lines":
        return "\n".join(json.dumps(row) for row in [*good, *odd]).encode()
    names = ["title", "price"]
    made: dict[str, Any] = {
        "list": [*good, *odd],
        "columns": {
            **{n: {str(i): row[n] for i, row in enumerate(good)} for n in names},
            **({"a": odd[0]} if odd else {}),
        },
        "split": {
            "columns": names, "index": odd, "data": [[r["title"], r["price"]] for r in good] + odd,
        },
        "nested": {"data": [*good, *odd], "more": odd},
        "bare": odd[0] if odd else {},
    }  # fmt: skip
    return json.dumps(made[form]).encode()[: seldom(draw, 50)]


@st.composite
def parquet_bytes(draw: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    good = {
        "title": pa.array([f"thing {i}" for i in range(GOOD)]),
        "price": pa.array([float(i + 5) for i in range(GOOD)]),
        "dictionary": pa.array(["a", "b"] * (GOOD // 2)).dictionary_encode(),
        "list": pa.array([[1], None] * (GOOD // 2)),
        "struct": pa.array([{"a": 1}] * GOOD), "bytes": pa.array([b"\xff"] * GOOD),
        "null": pa.nulls(GOOD),
        "date": pa.array([0] * GOOD, pa.date32()), "time": pa.array([0] * GOOD, pa.time64("us")),
        "duration": pa.array([0] * GOOD, pa.duration("s")),
        "decimal": pa.array([1] * GOOD, pa.decimal128(30, 2)),
        "large": pa.array(["x"] * GOOD, pa.large_string()),
        "half": pa.array([1.0] * GOOD, pa.float32()).cast(pa.float16()),
        "map": pa.array([[("a", 1)]] * GOOD, pa.map_(pa.string(), pa.int64())),
    }  # fmt: skip
    columns = draw(st.lists(st.sampled_from(sorted(good)), max_size=4))
    named = draw(st.lists(NAMES, min_size=len(columns), max_size=len(columns)))
    arrays = [good["title"], good["price"], *(good[name] for name in columns)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names=["title", "price", *named]), sink)
    return bytes(sink.getvalue().to_pybytes())[: seldom(draw, 200)]


@st.composite
def workbook_bytes(draw: Any) -> bytes:
    write = draw(st.sampled_from([workbooks.xlsx, workbooks.ods]))
    drawn = [[re.sub("[\x00-\x1f\ud800-\udfff]", "", c) for c in row] for row in tabular(draw)]
    with tempfile.TemporaryDirectory() as folder:
        content = write(Path(folder) / "x", {"one": drawn}).read_bytes()
    return content[: seldom(draw, 40, len(content) // 2)]


@st.composite
def zip_bytes(draw: Any) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in draw(
            st.lists(
                st.sampled_from(["a.csv", "b.txt", "../c.csv", "d/e.json"]), max_size=2, unique=True
            )
        ):
            archive.writestr(name, draw(json_bytes() if name.endswith("json") else csv_bytes()))
    return packed.getvalue()[: seldom(draw, 30)]


FILES: dict[str, Any] = {
    ".csv": csv_bytes(), ".tsv": csv_bytes(), ".json": json_bytes(), ".jsonl": json_bytes(),
    ".parquet": parquet_bytes(), ".xlsx": workbook_bytes(), ".ods": workbook_bytes(),
    ".csv.gz": csv_bytes().map(gzip.compress) | csv_bytes(), ".zip": zip_bytes(),
}  # fmt: skip


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("task", ["price-regression", "question-answering"])
def test_a_file_of_rows_may_hold_anything(ending: str, task: str, place: Path) -> None:
    @examples(8 if task == "price-regression" else 3)
    @given(FILES[ending])
    def feed(content: bytes) -> None:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            file = Path(folder) / f"x{ending}"
            file.write_bytes(content)
            call("show", task, "--data", str(file), "--rows", "1")

    feed()


TOML_VALUES = st.sampled_from(
    ["1", "-1", "0.5", "nan", "true", '""', '"x"', '"goods.csv"', '"{title}"', '"price"', "[]",
     "[1]", '["a", "b"]',
     "2020-01-01", "{}", "{a = 1}", '"\\u0000"', '"../x"', '"' + "n" * 3000 + '"', '"causal-lm"',
     "[[1]]",
     '"sequence-classification"', '"accuracy"', '["accuracy"]', '["nope"]', '"1..5"', "10:00:00"]
)  # fmt: skip
TOML_KEYS = (
    "kind", "task", "name", "summary", "data", "text", "target", "labels", "group", "metrics",
    "classes", "costs",
    "recipe", "margin", "api_version", "synthetic", "prompt", "encoding", "header", "sheet",
    "train", "test", "nope",
)  # fmt: skip
RECIPE_KEYS = (*SECTIONS, "name", "base", "model", "summary", "nope")
GOOD_TOML = {"kind": '"causal-lm"', "data": '"goods.csv"', "text": '"{title}"', "target": '"price"'}


@examples(25)
@given(st.dictionaries(st.sampled_from(TOML_KEYS), TOML_VALUES, max_size=3), st.booleans())
def test_a_task_file_may_hold_anything(changes: dict[str, str], whole: bool) -> None:
    keys = {**(GOOD_TOML if whole else {}), **changes}
    Path("t.toml").write_text("".join(f"{k} = {v}\n" for k, v in keys.items()), encoding="utf-8")
    call("show", "t.toml", "--rows", "1")


@examples(25)
@given(
    st.dictionaries(st.sampled_from(RECIPE_KEYS), TOML_VALUES, max_size=2),
    st.dictionaries(
        st.tuples(st.sampled_from(SECTIONS), st.sampled_from(FIELDS[:-1])), TOML_VALUES, max_size=2
    ),
)  # fmt: skip
def test_a_recipe_file_may_hold_anything(
    keys: dict[str, str], fields: dict[tuple[str, str], str]
) -> None:
    fields = {k: v for k, v in fields.items() if k[0] not in keys}
    lines = {"base": '"embedded"', **keys}
    text = "".join(f"{k} = {v}\n" for k, v in lines.items())
    text += "".join(f"{section}.{field} = {v}\n" for (section, field), v in fields.items())
    Path("r.toml").write_text(text, encoding="utf-8")
    call("run", "price-regression", "--data", "goods.csv", "--recipe", "r.toml")


@examples(10)
@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
)
def test_a_file_of_settings_may_be_any_bytes(content: bytes) -> None:
    for name in ("t.toml", "t.py"):
        if name == "t.py":  # only what cannot be run is drawn: a task file is code
            content = b"(" + content.replace(b")", b"")
        Path(name).write_bytes(content)
        call("show", name)
