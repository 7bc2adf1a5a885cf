"""What a run records of its files and systems, and who may record anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.runs import record
from toolkit.runs.files import write_json, write_text
from toolkit.runs.run import Run

INFO = {"task": "t", "recipe": {}, "source": {}, "seed": 0}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.create(tmp_path, INFO)
    for name in ("ridge", "adapter"):
        write_text(made.predictions / f"{name}.jsonl", "one\ntwo\nthree\nfour\n")
    write_json(
        made.path / record.SYSTEMS,
        [{"name": n, "role": n, "file": f"{n}.jsonl"} for n in ("ridge", "adapter")],
    )
    record.stage_ended(made, ("predictions/*",))
    made.save()
    return Run.open(made.path)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("one\nTWO\nthree\nfour\n", "line 2 changed"),
        ("one\nfour\n", "lines 2–3 removed"),
        ("one\ntwo\nmore\nthree\nfour\n", "line 3 added"),
        ("zero\none\ntwo\nthree\nfour!\n", "line 1 added; line 5 changed"),
        ("one\r\ntwo\r\nthree\r\nfour\r\n", "its line ends"),
        ("", "lines 1–4 removed"),
    ],
)
def test_the_lines_that_changed_are_named(run: Run, content: str, where: str) -> None:
    (run.predictions / "ridge.jsonl").write_bytes(content.encode())
    (sentence,) = record.changed(run).values()
    assert sentence.startswith(f"predictions/ridge.jsonl ({where})")


def test_many_changes_are_counted(run: Run) -> None:
    before = "".join(f"{i}\n" for i in range(40))
    write_text(run.path / "data" / "rows.jsonl", before)
    record.stage_ended(run, ("data/*",))
    write_text(
        run.path / "data" / "rows.jsonl", "".join(f"{i}{'!' * (i % 4 == 0)}\n" for i in range(40))
    )
    assert "and 5 more places" in record.changed(run)["data/rows.jsonl"]


def test_lines_that_cannot_be_located_still_count(run: Run) -> None:
    write_text(run.predictions / "ridge.jsonl", "one\n")
    (run.path / record.LINES).write_text("[")
    assert set(record.changed(run)) == {"predictions/ridge.jsonl", record.LINES}


def test_a_later_stage_does_not_record_earlier_predictions_anew(run: Run) -> None:
    write_text(run.predictions / "ridge.jsonl", "worse\n")
    write_text(run.predictions / "more.jsonl", "one\n")
    record.stage_ended(run, ("predictions/*.jsonl",))
    assert set(record.changed(run)) == {"predictions/ridge.jsonl"}


def test_a_system_that_is_added_is_recorded_alone(run: Run) -> None:
    write_text(run.predictions / "ridge.jsonl", "worse\n")
    with record.adding(run, "human"):
        write_text(run.predictions / "human.jsonl", "one\n")
        write_json(
            run.path / record.SYSTEMS,
            [*record.entries(run), {"name": "human", "role": "human", "file": "human.jsonl"}],
        )
    again = Run.open(run.path)
    assert set(record.changed(again)) == {"predictions/ridge.jsonl"}
    assert record.other_systems(again) == []
    assert [entry["name"] for entry in record.of(again)["systems"]] == ["ridge", "adapter", "human"]


def test_a_system_that_is_added_hides_no_other_change_of_the_list(run: Run) -> None:
    write_json(run.path / record.SYSTEMS, record.entries(run)[1:])
    with record.adding(run, "human"):
        write_text(run.predictions / "human.jsonl", "one\n")
        write_json(
            run.path / record.SYSTEMS,
            [*record.entries(run), {"name": "human", "role": "human", "file": "human.jsonl"}],
        )
    assert set(record.changed(run)) == {record.SYSTEMS}
    (sentence,) = record.other_systems(run)
    assert "'ridge' (ridge) was removed" in sentence


def test_what_is_replaced_stays_changed_where_it_was_changed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(run.predictions / "ridge.jsonl", "worse\n")
    names = [f"predictions/{name}.jsonl" for name in ("ridge", "adapter")]
    record.replace(run, dict.fromkeys(names, b"new\n"))
    assert set(record.changed(Run.open(run.path))) == {names[0]}

    def die(place: Path, content: bytes) -> None:
        place.write_bytes(content)
        raise KeyboardInterrupt

    monkeypatch.setattr(record, "write_bytes", die)
    with pytest.raises(KeyboardInterrupt):
        record.replace(run, {names[1]: b"newer\n"})
    assert set(record.changed(Run.open(run.path))) == {names[0]}


def test_a_run_of_an_earlier_version_gets_no_record(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    write_text(run.path / "report.md", "# Report\n")
    record.rewrote(run, record.REWRITTEN)
    record.replace(run, {"predictions/a.jsonl": b"one\n"})
    assert record.of(Run.open(run.path)) == {} and not (run.path / record.LINES).exists()
