"""``toolkit report RUN --verify`` on a run that was changed: what, where, and never a traceback."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_runner import CommandLine
from judging_fixtures import METRICS, FakePrices, finish, make_run
from toolkit.pipeline import restore, stages, verify
from toolkit.plugins import discovery, fingerprint
from toolkit.reporting import page_charts, report
from toolkit.runs import record
from toolkit.runs.files import read_json, read_jsonl, write_json, write_jsonl
from toolkit.runs.run import Run

SIZES = {"validation": 20, "calibration": 20, "test": 40}
Change = Callable[[Path], None]


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    """The made-up task, found by its name; without what takes seconds."""
    origin = discovery.Plugin("fake", "fake-prices", "1.0", "judging_fixtures")
    with discovery.load().provided(FakePrices, origin), pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_charts, "draw", lambda *arguments: {})
        patch.setattr(FakePrices, "metrics", (METRICS[0], METRICS[4]))  # the quick ones
        yield


@pytest.fixture(scope="module")
def finished(registered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run as its stages leave it: scored, with a report and a record; nothing was trained."""
    run, task = make_run(tmp_path_factory.mktemp("runs"), sizes=SIZES)
    run.info |= {"code": fingerprint.of_task(FakePrices)}
    finish(run)
    write_json(run.path / "metrics.json", restore_score(run, task))
    (run.path / "adapter").mkdir()
    (run.path / "adapter" / "adapter_model.safetensors").write_bytes(bytes(64))
    report.write(run, task)
    for stage in stages.STAGES:
        record.stage_ended(run, stage.writes)
    run.info["record"]["pages"] = fingerprint.of_pages()
    run.save()
    return run.path


def restore_score(run: Run, task: FakePrices) -> Any:
    from toolkit.evaluation.score import score

    return score(run, task)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    target = tmp_path / "run"
    shutil.copytree(finished, target)
    return target


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up run has no model that could predict again."""
    monkeypatch.setattr(verify, "predict_again", lambda *arguments: 0)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


# -- ways to change a run --------------------------------------------------------------------------
def replaced(name: str, old: str, new: str) -> Change:
    def change(run: Path) -> None:
        text = (run / name).read_text()
        assert old in text
        (run / name).write_text(text.replace(old, new, 1))

    return change


def edited(name: str, edit: Callable[[list[dict[str, Any]]], Any]) -> Change:
    """A file of lines, with an edit of its list of objects."""

    def change(run: Path) -> None:
        rows = read_jsonl(run / name)
        edit(rows)
        write_jsonl(run / name, rows)

    return change


def listed(edit: Callable[[list[dict[str, Any]]], Any]) -> Change:
    """``systems.json``, with an edit of its list."""

    def change(run: Path) -> None:
        entries = read_json(run / record.SYSTEMS)
        edit(entries)
        write_json(run / record.SYSTEMS, entries)

    return change


def worse(rows: list[dict[str, Any]]) -> None:
    """Predictions twice as large, with metrics, intervals and decoders that agree with them."""
    task = FakePrices()
    for row in rows:
        row["prediction"] *= 2
        row["metrics"] = {
            m.name: m.per_example(row["prediction"], row["reference"]) for m in task.metrics
        }
        low, high = row["low"], row["high"]
        row["low"], row["high"] = 2 * low, 2 * high


def one(rows: list[dict[str, Any]]) -> None:
    """The prediction of the row on line 60, and all that follows from it."""
    kept = [dict(row) for row in rows]
    worse(rows)
    rows[:] = [*kept[:59], rows[59], *kept[60:]]


def refreshed(change: Change) -> Change:
    """A change that ``toolkit report`` follows, which writes figures and pages again."""

    def both(run: Path) -> None:
        change(run)
        opened = Run.open(run)
        restore.refresh(opened, restore.load_task(opened))

    return both


def everywhere(run: Path) -> None:
    """Three test rows taken out of the data and of all predictions."""
    for place in [run / "data" / "heldout.jsonl", *(run / "predictions").glob("*.jsonl")]:
        write_jsonl(place, [r for r in read_jsonl(place) if r["row_id"] not in (50, 51, 52)])


def made_control(entries: list[dict[str, Any]]) -> None:
    next(e for e in entries if e["name"] == "ridge-log")["role"] = "control"


def no_strong_baseline(entries: list[dict[str, Any]]) -> None:
    entries[:] = [e for e in entries if e["name"] not in ("ridge-log", "random-forest")]


RIDGE, HELD = "predictions/ridge-log.jsonl", "data/heldout.jsonl"

TAMPERED: dict[str, tuple[Change, list[str]]] = {
    "report.html": (replaced("report.html", "</h2>", " </h2>"), ["report.html", "line"]),
    "report.md": (replaced("report.md", "| adapter |", "| Adapter |"), ["report.md", "line"]),
    "model card": (replaced("README.md", "\n#", "\n##"), ["README.md", "line"]),
    "raw": (
        edited("predictions/adapter.jsonl", lambda rows: rows[59].update(raw="99")),
        ["predictions/adapter.jsonl (line 60 changed)"],
    ),
    "a repeated line": (
        edited(RIDGE, lambda rows: rows.append(rows[59])),
        [f"{RIDGE} (line 81 added)", f"{RIDGE} line 81, row 60 (test) repeats the row of line 60"],
    ),
    "a removed line": (
        edited(RIDGE, lambda rows: rows.pop(59)),
        [f"{RIDGE} (line 60 removed)", f"{RIDGE} has no line for row 60 (test) of {HELD}"],
    ),
    "a row that was not held out": (
        edited(RIDGE, lambda rows: rows.append({**rows[59], "row_id": 4711})),
        [f"{RIDGE} line 81, row 4711 (test) is not a row of {HELD}"],
    ),
    "one row of a baseline": (edited(RIDGE, one), [f"{RIDGE} (line 60 changed)"]),
    "one row, and a new report": (
        refreshed(edited(RIDGE, one)),
        [f"{RIDGE} (line 60 changed)"],
    ),
    "a worse baseline, and a new report": (
        refreshed(edited(RIDGE, worse)),
        [f"{RIDGE} (lines 1–80 changed)"],
    ),
    "removed baselines, and a new report": (
        refreshed(listed(no_strong_baseline)),
        ["the system 'ridge-log' (baseline) was removed", record.SYSTEMS, "'random-forest'"],
    ),
    "a baseline as a control, and a new report": (
        refreshed(listed(made_control)),
        [f"{record.SYSTEMS}: the role of 'ridge-log' is 'control', run.json lists 'baseline'"],
    ),
    "a system more": (
        listed(lambda entries: entries.append({**entries[0], "name": "weak"})),
        ["the system 'weak' (baseline) was added"],
    ),
    "rows removed everywhere": (
        everywhere,
        [f"{HELD} (lines 50–52 removed)", f"{HELD} has 37 test rows, run.json counts 40"],
    ),
    "rows removed everywhere, and a new report": (
        refreshed(everywhere),
        [f"{HELD} (lines 50–52 removed)", f"{HELD} has 37 test rows, run.json counts 40"],
    ),
    "held-out data": (
        edited(HELD, lambda rows: rows[59].update(price=1.0)),
        [f"{HELD} (line 60 changed)", "line 60, row 60 (test): reference is"],
    ),
    "the learning curve": (
        replaced("history.json", '"loss": ', '"loss": 1'), ["history.json", "metrics.json: history"]
    ),
    "a figure": (
        replaced("metrics.json", '"n": 40', '"n": 400'),
        ["metrics.json (line", "metrics.json: n is 400"],
    ),
    "weights": (
        lambda run: (run / "adapter" / "adapter_model.safetensors").write_bytes(bytes(65)),
        ["adapter/adapter_model.safetensors"],
    ),
    "a removed file": (lambda run: (run / RIDGE).unlink(), [f"{RIDGE} is missing"]),
    "no list of systems": (
        lambda run: (run / record.SYSTEMS).unlink(), [f"{record.SYSTEMS} is missing"]
    ),
    "no record": (
        lambda run: edit_run(run, lambda info: info.pop("record")), ["run.json has lost its record"]
    ),
    "the setting of a run": (
        lambda run: edit_run(run, lambda info: info["training"].update(seconds=1.0)),
        ["metrics.json: training.seconds", "report.html line"],
    ),
}  # fmt: skip


def edit_run(run: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    info = json.loads((run / "run.json").read_text())
    edit(info)
    (run / "run.json").write_text(json.dumps(info))


def test_an_unchanged_run_is_verified_and_the_limit_of_that_is_stated(
    cli: CommandLine, finished: Path
) -> None:
    answer = cli("report", finished, "--verify")
    assert answer.code == 0, answer.err
    assert "16 files are as the run recorded them" in " ".join(answer.out.split())
    assert " ".join(answer.out.split()).endswith(verify.LIMIT)


@pytest.mark.parametrize("name", TAMPERED)
def test_a_change_is_named_with_its_file_and_line(cli: CommandLine, copy: Path, name: str) -> None:
    change, wanted = TAMPERED[name]
    change(copy)
    answer = cli("report", copy, "--verify", "--json")
    assert answer.code == 1
    listed = "\n".join(json.JSONDecoder().raw_decode(answer.out)[0]["differences"])
    assert not [part for part in wanted if part not in listed], listed
    assert "cannot be used" not in listed and "does not expect" not in answer.err
    assert answer.err.strip().endswith(verify.LIMIT)


@pytest.mark.parametrize("name", [name for name in TAMPERED if "new report" in name])
def test_a_report_of_changed_files_says_so(cli: CommandLine, copy: Path, name: str) -> None:
    TAMPERED[name][0](copy)
    answer = cli("report", copy)
    assert answer.code == 0 and "--verify" in answer.err + answer.out
    caveats = read_json(copy / "metrics.json")["verdict"]["caveats"]
    assert [c for c in caveats if c.startswith(record.CAVEAT)]
    for page in ("report.html", "report.md"):
        assert record.CAVEAT in (copy / page).read_text()


def test_a_new_report_of_an_unchanged_run_is_verified_and_has_no_caveat(
    cli: CommandLine, copy: Path
) -> None:
    assert cli("report", copy).code == 0
    assert cli("report", copy, "--verify").code == 0
    caveats = read_json(copy / "metrics.json")["verdict"]["caveats"]
    assert not [c for c in caveats if c.startswith(record.CAVEAT)]


def test_a_run_without_a_record_says_what_cannot_be_checked(cli: CommandLine, copy: Path) -> None:
    edit_run(copy, lambda info: [info.pop("record"), info.pop("code")])
    (copy / record.LINES).unlink()
    answer = cli("report", copy, "--verify")
    out = " ".join(answer.out.split())
    assert answer.code == 0
    assert "no hashes and no systems" in out and "pages cannot be seen" in out
    edited(RIDGE, lambda rows: rows[59].update(prediction=1.0))(copy)
    answer = cli("report", copy, "--verify")
    assert answer.code == 1 and f"{RIDGE} line 60, row 60 (test): mae is" in answer.err
    edited(RIDGE, lambda rows: rows.pop(59))(copy)
    assert f"{RIDGE} has no line for row 60" in cli("report", copy, "--verify").err


def test_pages_of_other_code_are_not_compared(cli: CommandLine, copy: Path) -> None:
    edit_run(copy, lambda info: info["record"]["pages"].update(toolkit="0.0.9"))
    answer = cli("report", copy, "--verify")
    assert answer.code == 0
    assert "rendered by adapter-toolkit 0.0.9" in " ".join(answer.out.split())
    replaced("report.md", "| adapter |", "| Adapter |")(copy)
    assert cli("report", copy, "--verify").code == 1


def test_a_remark_that_is_newer_than_the_report_is_a_note(cli: CommandLine, copy: Path) -> None:
    write_json(copy / "together.json", {"sentence": "Together they give the same."})
    answer = cli("report", copy, "--verify")
    assert answer.code == 0 and "together.json is newer than the report" in answer.out
    assert cli("report", copy).code == 0
    assert "newer" not in cli("report", copy, "--verify").out
    replaced("together.json", "the same", "others")(copy)
    assert cli("report", copy, "--verify").code == 1


def test_all_rows_go_with_verify(cli: CommandLine, finished: Path) -> None:
    answer = cli("report", finished, "--all")
    assert answer.code == 2 and "--verify" in answer.err
    assert " ".join(cli("report", finished, "--verify", "--all").out.split()).endswith(
        verify.ALL_LIMIT
    )


def test_a_consistent_rewrite_needs_all_rows(cli: CommandLine, copy: Path) -> None:
    """What the closing sentence says: predictions, figures, pages and hashes in agreement pass."""
    edited(RIDGE, worse)(copy)
    run = Run.open(copy)
    entries = read_json(copy / record.SYSTEMS)
    run.info["record"] = {"files": {}, "systems": [], "pages": fingerprint.of_pages()}
    for entry in entries:
        if entry["name"] == "ridge-log":
            rows = read_jsonl(copy / RIDGE)
            for row in rows:
                row["low"], row["high"] = FakePrices().interval(row["prediction"], width(rows))
            write_jsonl(copy / RIDGE, rows)
            entry["interval_width"] = width(rows)
    write_json(copy / record.SYSTEMS, entries)
    for stage in stages.STAGES:
        record.stage_ended(run, stage.writes)
    run.save()
    restore.refresh(run, restore.load_task(run))
    assert cli("report", copy, "--verify").code == 0


def width(rows: list[dict[str, Any]]) -> Any:
    from toolkit.evaluation.recompute import interval_width

    return interval_width(FakePrices(), rows)


# -- anything at all -------------------------------------------------------------------------------
FILES = (
    "run.json", "metrics.json", "history.json", "data/preflight.json", HELD, record.SYSTEMS, RIDGE,
    "predictions/adapter.jsonl", "report.html", "report.md", "README.md", "lines.json",
)  # fmt: skip
VALUES = (None, True, -1, 10**400, 0.5, "", "x", [], [[]], {}, {"x": 1}, float("nan"))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inside:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def spoil(document: Any, draw: Callable[[Any], Any]) -> None:
    """Delete, repeat or replace one value of a document."""
    paths = list(places(document))
    # Few of thousands of places lie near the top, where most code reads.
    near = [path for path in paths if len(path) <= draw(st.integers(1, 4))]
    *path, last = draw(st.sampled_from(near))
    for key in path:
        document = document[key]
    how = draw(st.sampled_from(("delete", "repeat", "replace", "rename")))
    if how == "delete":
        del document[last]
    elif how == "repeat" and isinstance(document, list):
        document.append(document[last])
    elif how == "rename" and isinstance(document, dict):
        document["x"] = document.pop(last)
    else:
        document[last] = draw(st.sampled_from(VALUES))


def spoilt(content: str, name: str, draw: Callable[[Any], Any]) -> str:
    """A file's text with one change, of a line or of a value in it."""
    lines = content.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    how = draw(st.sampled_from(("delete", "repeat", "cut", "value", "value", "value")))
    if how == "value" and name.endswith(".json"):
        document = json.loads(content)
        spoil(document, draw)
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if how == "value" and name.endswith(".jsonl"):
        row = json.loads(lines[at])
        spoil(row, draw)
        lines[at] = json.dumps(row, ensure_ascii=False) + "\n"
    elif how == "delete":
        del lines[at]
    elif how == "repeat":
        lines.insert(at, lines[at])
    else:
        lines[at] = lines[at][: len(lines[at]) // 2] + "…\n"
    return "".join(lines)


@pytest.mark.parametrize("recorded", [True, False], ids=["with a record", "without"])
@settings(max_examples=60)
@given(data=st.data())
def test_whatever_is_changed_ends_in_a_sentence_that_names_the_file(
    finished: Path, tmp_path_factory: pytest.TempPathFactory, recorded: bool, data: st.DataObject
) -> None:
    run = tmp_path_factory.mktemp("spoilt") / "run"
    shutil.copytree(finished, run)
    if not recorded:
        edit_run(run, lambda info: [info.pop("record"), info.pop("code")])
        (run / record.LINES).unlink()
    name = data.draw(st.sampled_from([f for f in FILES if recorded or f != record.LINES]))
    before = (run / name).read_text()
    (run / name).write_text(spoilt(before, name, data.draw))
    changed = (run / name).read_text() != before
    found = verified(run)
    if recorded and changed and name != "run.json":
        assert found and any(name in sentence for sentence in found), found
    for sentence in found:
        assert "does not expect" not in sentence
    shutil.rmtree(run)


def verified(run: Path) -> list[str]:
    """The differences of a run; an error that ends the command is one of them.

    An exception that is no error of the toolkit's is a fault.
    """
    from toolkit.errors import ToolkitError

    try:
        return verify.verify(Run.open(run)).differences
    except ToolkitError as error:
        return [str(error)]


def test_the_digest_of_each_line_is_that_of_the_file(finished: Path) -> None:
    lines = read_json(finished / record.LINES)
    for name, digests in lines.items():
        content = (finished / name).read_bytes().splitlines()
        assert digests == "".join(hashlib.sha256(line).hexdigest()[:8] for line in content)
