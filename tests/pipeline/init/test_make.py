"""toolkit init: the task that a file of each shape gets, what is asked, and what is written."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli_runner import goods, write_csv
from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.pipeline.init import languages, make, seen
from toolkit.pipeline.init.candidates import candidates
from toolkit.pipeline.init.make import Outcome, Wanted
from toolkit.pipeline.init.summary import document, file_lines, task_lines
from toolkit.plugins import task_file
from toolkit.plugins.contract import check as checking

WORDS = ("cup", "lamp", "chair", "desk", "bed", "shelf")
MOODS = {"fine": "it was a really lovely stay", "poor": "it was a really awful stay"}


def reviews(labels: Sequence[Any], number: int = 120) -> list[dict[str, Any]]:
    return [
        {"id": i, "review": f"{list(MOODS.values())[i % 2]} in room {i} of the {WORDS[i % 6]}",
         "rating": labels[i % len(labels)], "guest": f"guest {i % 40}"}
        for i in range(number)
    ]  # fmt: skip


def tickets(number: int = 120) -> list[dict[str, Any]]:
    return [
        {"ticket_id": f"T{i:08}", "opened": f"2024-01-{i % 28 + 1:02}",
         "message": f"my {WORDS[i % 6]} number {i} is broken and I want help with it",
         "department": ("billing", "repair", "sales")[i % 3]}
        for i in range(number)
    ]  # fmt: skip


def pairs(number: int = 120) -> list[dict[str, Any]]:
    return [
        {"question": f"where does the {WORDS[i % 6]} number {i} stand",
         "answer": f"the {WORDS[i % 6]} stands in room number {i}"}
        for i in range(number)
    ]  # fmt: skip


def measured(number: int = 120) -> list[dict[str, Any]]:
    return [
        {"comment": f"a walk of {i} steps past the {WORDS[i % 6]}", "duration": 3.5 + (i * 7) % 90}
        for i in range(number)
    ]  # fmt: skip


def articles(number: int = 80) -> list[dict[str, Any]]:
    draw = random.Random(0)
    made = []
    for i in range(number):
        word = draw.choice(WORDS)
        rest = " ".join(f"Nobody knew of the {draw.choice(WORDS)} in hall {n}." for n in range(6))
        made.append({"source": "the daily post", "content": f"A {word} {i} was found. {rest}",
                     "summary": f"A {word} {i} was found."})  # fmt: skip
    return made


def questions(number: int = 80) -> list[dict[str, Any]]:
    return [
        {"question": f"who owns house {i}?", "context": f"The {WORDS[i % 6]} is in house {i}. "
         f"House {i} is owned by Ann {i}, who lives in it.", "answer": f"Ann {i}"}
        for i in range(number)
    ]  # fmt: skip


def chats(number: int = 60) -> list[dict[str, Any]]:
    return [
        {"messages": [{"role": "user", "content": f"say {i} of the {WORDS[i % 6]}"},
                      {"role": "assistant", "content": f"{i} {WORDS[i % 6]}"}]}
        for i in range(number)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the contract, which fits baselines, is left to the tests that are about it."""
    if "contract" not in request.node.name:
        monkeypatch.setattr(make.checking, "check", lambda task, source: [])


SHAPES: dict[str, tuple[list[dict[str, Any]], str, Any, str | None]] = {
    "prices": (goods(120), "price-regression", None, "price"),
    "stars": (reviews([1, 5, 4, 2, 3]), "review-rating", "review", "rating"),
    "tickets": (tickets(), "sequence-classification", "message", "department"),
    "pairs": (pairs(), "causal-lm", None, "answer"),
    "numbers": (measured(), "sequence-regression", "comment", "duration"),
    "news": (articles(), "summarization", "content", "summary"),
    "answers": (questions(), "question-answering", ["question", "context"], "answer"),
    "chats": (chats(), "causal-lm", None, None),
}


def made(folder: Path, rows: list[dict[str, Any]], **options: Any) -> Outcome:
    if "messages" in rows[0]:
        path = folder / "rows.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        path = folder / "rows.csv"
        write_csv(path, rows)
    wanted = options.pop("wanted", Wanted())
    return make.make(str(path), wanted, folder / "mine.toml", **options)


@pytest.mark.parametrize("task", ["causal-lm", "seq2seq-lm"])
@pytest.mark.parametrize("target", [None, "department"])
def test_few_different_answers_are_written_where_the_user_asks_for_it(
    task: str, target: str | None, tmp_path: Path
) -> None:
    outcome = made(tmp_path, tickets(), wanted=Wanted(task=task, target=target))
    content = tomllib.loads((tmp_path / "mine.toml").read_text(encoding="utf-8"))
    assert content["kind"] == task and outcome.tried.candidate.text == ("message",)
    assert content["target"] == "department"
    assert task_file.load(tmp_path / "mine.toml").kind == task


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_gets_a_task_file(shape: str, tmp_path: Path) -> None:
    rows, task, text, target = SHAPES[shape]
    outcome = made(tmp_path, rows)
    content = tomllib.loads((tmp_path / "mine.toml").read_text(encoding="utf-8"))
    assert content.get("task", content.get("kind")) == task
    assert content.get("target") == target and Path(content["data"]).name == content["data"]
    if text is not None:
        assert content["text"] == text
    found = task_file.load(tmp_path / "mine.toml")
    assert found.source_options["data"] == str((tmp_path / content["data"]).resolve())
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    json.dumps(document(outcome))
    assert any(task in line for line in task_lines(outcome)) and file_lines(outcome.seen)


def test_a_code_an_id_or_a_date_is_never_the_target(tmp_path: Path) -> None:
    rows = [
        {"order id": 10_000 + i, "code": f"AB{i:08}", "day": f"2024-01-{i % 28 + 1:02}",
         "words": f"the {WORDS[i % 6]} of number {i} is here"}
        for i in range(120)
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"no task goes with .* name them with --text and --target"):
        made(tmp_path, rows)
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]


def test_a_column_for_each_label_is_refused_in_a_sentence(tmp_path: Path) -> None:
    rows = [
        {"comment_text": f"a comment on the {WORDS[i % 6]} of number {i}",
         "rude": i % 2, "loud": i % 3 // 2, "late": i % 5 // 4}
        for i in range(120)
    ]  # fmt: skip
    with pytest.raises(DataError, match="3 columns hold 0 and 1"):
        made(tmp_path, rows)
    assert not (tmp_path / "mine.toml").exists()
    outcome = made(tmp_path, rows, wanted=Wanted(target="rude"))
    assert outcome.tried.used["target"] == "rude"


def test_a_task_that_refuses_the_file_is_not_chosen_and_its_sentence_is_kept(
    tmp_path: Path,
) -> None:
    outcome = made(tmp_path, reviews([0, 1, 2, 3, 4, 5]))
    assert "--labels" in outcome.refused["review-rating"]
    assert outcome.tried.candidate.name != "review-rating"


def test_what_labels_mean_is_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(question: str, offered: Sequence[str], default: str) -> str:
        asked.append(question)
        assert default in offered
        return default

    outcome = made(tmp_path, reviews([0, 1, 2, 3, 4, 5]), ask=ask)
    content = tomllib.loads((tmp_path / "mine.toml").read_text(encoding="utf-8"))
    assert outcome.tried.candidate.name == "review-rating" and content["labels"]
    assert "What do the labels mean?" in asked[0] and len(asked) <= 5


def test_answers_change_task_target_text_and_group(tmp_path: Path) -> None:
    answers = {"Which task": "sequence-classification", "belong together": "guest"}

    def ask(question: str, offered: Sequence[str], default: str) -> str:
        return next((a for q, a in answers.items() if q in question), default)

    outcome = made(tmp_path, reviews([1, 5, 4, 2, 3]), ask=ask)
    content = tomllib.loads(outcome.text)
    assert content["kind"] == "sequence-classification" and content["group"] == "guest"
    assert outcome.tried.prepared.grouped_by == "guest" and outcome.assumed == []


def test_without_a_terminal_the_defaults_are_taken_and_said(tmp_path: Path) -> None:
    rows = [{**row, "user_id": f"u{i % 300}"} for i, row in enumerate(tickets(600))]
    outcome = made(tmp_path, rows)
    assert any("--task names another" in sentence for sentence in outcome.assumed)
    assert any("'user_id' stay in one split" in sentence for sentence in outcome.assumed)
    assert tomllib.loads(outcome.text)["group"] == "user_id"
    few = [{**row, "user_id": f"u{i % 40}"} for i, row in enumerate(tickets())]
    outcome = made(tmp_path, few, force=True)
    assert any("--group user_id keeps them together" in said for said in outcome.assumed)
    assert "group" not in tomllib.loads(outcome.text) and "group = " in outcome.text
    outcome = made(tmp_path, tickets(), force=True, wanted=Wanted(group="none"))
    assert "group" not in tomllib.loads(outcome.text)


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("old")
    with pytest.raises(UsageError, match="--force"):
        made(tmp_path, tickets())
    assert (tmp_path / "mine.toml").read_text() == "old"
    made(tmp_path, tickets(), force=True)
    assert (tmp_path / "mine.toml").read_text() != "old"


def test_a_target_that_stands_in_its_text_is_masked(tmp_path: Path) -> None:
    rows = [{"title": f"oak {w} {i}, Price: ${50 + i}", "price": f"${50 + i}"}
            for i in range(20) for w in WORDS]  # fmt: skip
    outcome = made(tmp_path, rows)
    assert tomllib.loads(outcome.text)["recipe"] == {"task": {"mask_target": True}}
    assert not outcome.tried.found.leak or not outcome.tried.found.leak["serious"]


def test_a_file_without_column_names_is_read_by_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text("".join(f"{MOODS[m]} in hall number {i}\t{int(m == 'fine')}\n"
                            for i in range(60) for m in MOODS))  # fmt: skip
    outcome = make.make(str(path), Wanted(), tmp_path / "mine.toml")
    content = tomllib.loads(outcome.text)
    assert content["header"] is False and (content["text"], content["target"]) == ("1", "2")
    assert sum(outcome.tried.prepared.sizes.values()) == 120


def test_a_test_file_of_one_s_own_is_written_too(tmp_path: Path) -> None:
    write_csv(tmp_path / "later.csv", [{**r, "title": f"new {r['title']}"} for r in goods(60, 1)])
    outcome = made(tmp_path, goods(120), wanted=Wanted(test=str(tmp_path / "later.csv")))
    assert tomllib.loads(outcome.text)["test"] == "later.csv"
    assert outcome.tried.prepared.sizes["test"] == 60


def test_a_plugin_that_fails_recognises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.plugins import discovery

    def fails(found: Any) -> float:
        raise RuntimeError("broken")

    for task in discovery.load().tasks.values():
        monkeypatch.setattr(task, "recognises", fails)
    write_csv(tmp_path / "rows.csv", tickets())
    found = candidates(seen.look(str(tmp_path / "rows.csv")))
    assert [c.name for c in found] == ["sequence-classification"]


def test_a_wrong_task_target_or_folder_is_one_sentence(tmp_path: Path) -> None:
    for wanted, said in (
        (Wanted(task="price-regresion"), "did you mean"),
        (Wanted(target="departmnt"), "did you mean 'department'"),
        (Wanted(text="mesage"), "did you mean 'message'"),
        (Wanted(task="price-regression"), "no task can read"),
        (Wanted(group="nobody"), "there is no column 'nobody'"),
    ):
        with pytest.raises(ToolkitError, match=said) as error:
            made(tmp_path, tickets(), wanted=wanted)
        assert error.value.exit_code == 2 and not (tmp_path / "mine.toml").exists()


def test_languages_are_found_or_else_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    english = ["the house at the end of the road was sold to a family from the city"] * 20
    german = ["das Haus am Ende der Straße wurde an eine Familie aus der Stadt verkauft"] * 20
    assert set(languages.of(english + german)) == {"English", "German"}
    monkeypatch.setattr(languages, "find_spec", lambda name: None)
    assert languages.of([*english[:10], *["дом в конце улицы"] * 10]) == {
        "Latin script": 0.5,
        "Cyrillic script": 0.5,
    }
    assert languages.of(["12", ""]) == {}


@pytest.mark.parametrize("shape", ["pairs", "answers"])
def test_the_written_file_passes_the_check_of_the_contract(shape: str, tmp_path: Path) -> None:
    made(tmp_path, SHAPES[shape][0])
    task = task_file.load(tmp_path / "mine.toml")
    from toolkit.plugins.file_options import merged

    assert [r.rule for r in checking.check(task(), merged(task, {})) if not r.passed] == []


def test_rows_that_training_would_refuse_are_said_with_the_option_that_takes_them(
    tmp_path: Path,
) -> None:
    rows = articles(80)
    assert made(tmp_path, rows).refusal == ""
    rows[3]["summary"] = " ".join(f"{word} {n}" for n in range(400) for word in WORDS)
    outcome = made(tmp_path, rows, force=True)
    assert "would be cut" in outcome.refusal
    assert document(outcome)["command"].endswith("mine.toml --allow-truncation")
    assert any("without a further option it is not trained" in line for line in task_lines(outcome))


@pytest.mark.parametrize("number", [77, 150])
def test_many_classes_of_a_few_words_are_classes(tmp_path: Path, number: int) -> None:
    intents = [
        {"text": f"please tell me of {WORDS[i % 6]} {i} and of what was asked",
         "category": f"about_{WORDS[i % number % 6]}_{i % number}"}
        for i in range(2_000)
    ]  # fmt: skip
    outcome = made(tmp_path, intents)
    assert (outcome.tried.candidate.name, outcome.tried.used["target"]) == (
        "sequence-classification", "category",
    )  # fmt: skip


def test_numbers_that_come_again_are_no_classes(tmp_path: Path) -> None:
    rows = [{"comment": f"a walk of {i} steps past the {WORDS[i % 6]}", "score": i % 90}
            for i in range(1_200)]  # fmt: skip
    assert made(tmp_path, rows).tried.candidate.name == "sequence-regression"


def test_of_two_readings_of_a_task_that_surely_goes_with_it_one_is_taken(tmp_path: Path) -> None:
    rows = [
        {"author": f"{WORDS[i % 6].title()} Smith", "headlines": f"{WORDS[i % 6]} {i} is found now",
         "text": " ".join(f"the {WORDS[n % 6]} {i} {n} stood" for n in range(18)),
         "ctext": " ".join(f"they say the {WORDS[n % 5]} {i} {n} stood" for n in range(60))}
        for i in range(120)
    ]  # fmt: skip
    outcome = made(tmp_path, rows)
    assert outcome.tried.candidate.name == "summarization" and not outcome.refused
    assert outcome.tried.used["target"] in ("headlines", "text")
    assert "of several readings" in outcome.assumed[0]


def test_numbers_of_a_tweets_class_are_no_sentiments(tmp_path: Path) -> None:
    rows = [{"tweet": f"a remark on the {WORDS[i % 6]} number {i} of today", "class": i % 3}
            for i in range(150)]  # fmt: skip
    assert made(tmp_path, rows).tried.candidate.name == "sequence-classification"
    rows = [{"review": row["tweet"], "label": row["class"]} for row in rows]
    assert made(tmp_path, rows, force=True).tried.candidate.name == "review-sentiment"
