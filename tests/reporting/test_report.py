"""The pages: complete, self-contained, safe with strangers' texts, and robust to other tasks."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from judging_fixtures import NOISES, FakePrices, finish, make_run
from toolkit import formatting
from toolkit.errors import UsageError
from toolkit.evaluation.score import score
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.pipeline import compare
from toolkit.reporting import comparison, render, report, run_details, svg
from toolkit.runs.files import read_json, read_jsonl, write_json, write_jsonl
from toolkit.runs.run import Run

SECTIONS = [
    *("verdict", "ladder", "comparisons", "decoders", "intervals", "learning", "predicted"),
    *("slices", "rows", "prompt", "data", "machine", "settings", "use", "repeat"),
]


class Page(html.parser.HTMLParser):
    """Ids, resources and script-like elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.resources: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"]] if found.get("id") else []
        for name in ("src", "srcset", "xlink:href", "data", "poster"):
            self.resources += [found[name] or ""] if name in found else []
        if tag == "link":
            self.resources.append(found.get("href") or "")


def judged(folder: Path, **changes: Any) -> tuple[Run, FakePrices]:
    run, task = make_run(folder, **changes)
    finish(run)
    write_json(run.path / "metrics.json", score(run, task))
    return run, task


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    run, task = judged(tmp_path_factory.mktemp("runs"))
    return run, report.write(run, task).read_text(encoding="utf-8")


def test_all_sections_are_there_in_order(written: tuple[Run, str]) -> None:
    ids = [i for i in Page(written[1]).ids if i in SECTIONS]
    assert ids == SECTIONS


def test_the_page_needs_no_network_and_no_script(written: tuple[Run, str]) -> None:
    page = Page(written[1])
    assert "script" not in page.tags
    assert all(r.startswith(("data:", "#")) for r in page.resources)
    assert "http" not in re.sub(r"<a [^>]*>", "", written[1])
    assert not re.search(r"url\((?!#)", written[1])
    assert "@import" not in written[1]


def test_the_page_is_small(written: tuple[Run, str]) -> None:
    assert len(written[1].encode()) < 1_000_000


def test_texts_of_rows_are_escaped(written: tuple[Run, str]) -> None:
    text = written[1]
    assert "<script" not in text
    assert "&lt;script&gt;alert" in text
    assert "<b>18 V</b>" not in text
    assert "<b>lamp" not in text  # nor may a token of the prompt open an element


def test_ids_are_unique(written: tuple[Run, str]) -> None:
    ids = Page(written[1]).ids
    assert len(ids) == len(set(ids))


def test_the_loss_mask_is_shown_token_by_token(written: tuple[Run, str]) -> None:
    assert '<span class="loss">48</span><span class="loss">&lt;/s&gt;</span>' in written[1]
    assert "<span>Price:</span>" in written[1]


@pytest.mark.parametrize("share", [0.912, 0.9931])
def test_the_report_says_what_a_distribution_covers(tmp_path: Path, share: float) -> None:
    run, task = judged(tmp_path)
    doc = read_json(run.path / "metrics.json")
    doc["decoders"]["adapter"][1]["covered"] = share
    write_json(run.path / "metrics.json", doc)
    text = report.write(run, task).read_text(encoding="utf-8")
    for page in (text, (run.path / "report.md").read_text(encoding="utf-8")):
        assert page.count(f"decoders know cover {share:.1%} of what the model may write") == 1
        assert ("below 98% none of them is chosen" in page) == (share < 0.98)


def test_synthetic_data_is_called_so(written: tuple[Run, str], tmp_path: Path) -> None:
    run, text = written
    assert text.count("SYNTHETIC DATA") >= 3
    assert "Mean absolute error, $, SYNTHETIC data" in text
    for page in ("report.md", "README.md"):
        assert "SYNTHETIC" in (run.path / page).read_text(encoding="utf-8")
    noises = {**NOISES, "adapter-seed-1": ("adapter", 0.16)}
    real, task = judged(tmp_path, synthetic=False, noises=noises)
    page = report.write(real, task).read_text(encoding="utf-8")
    assert "Trained 2 times with different seeds" in page
    for page in report.PAGES:
        assert "SYNTHETIC" not in (real.path / page).read_text(encoding="utf-8")


def test_twenty_worst_and_best_with_their_texts(written: tuple[Run, str]) -> None:
    run, text = written
    rows = [r for r in read_jsonl(run.predictions / "adapter.jsonl") if r["split"] == "test"]
    worst = max(rows, key=lambda row: row["metrics"]["mae"])
    first = text[text.index("<h3>Worst 20</h3>") :]
    assert f"number {worst['row_id']}<" in first[:1500]
    assert text.count('class="prediction"') == 40


def test_markdown_and_card(written: tuple[Run, str]) -> None:
    run, _ = written
    text = (run.path / "report.md").read_text(encoding="utf-8")
    assert read_json(run.path / "metrics.json")["verdict"]["sentence"] in text
    card = (run.path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: peft\n")
    snippet = card.split("```python\n")[1].split("\n```")[0]
    assert len(snippet.splitlines()) == 5
    compile(snippet, "card", "exec")
    for page in (text, card):
        widths = {
            len(re.findall(r"(?<!\\)\|", line))
            for table in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE)
            for line in table.splitlines()[:1]
        }
        assert widths
        for table in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
            columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(columns) == 1, table


@pytest.mark.parametrize("missing", ["preflight.json", "heldout.jsonl", "history.json"])
def test_a_report_without_some_file(tmp_path: Path, missing: str) -> None:
    run, task = make_run(tmp_path)
    for place in (run.data / missing, run.path / missing):
        place.unlink(missing_ok=True)
    write_json(run.path / "metrics.json", score(run, task))
    text = report.write(run, task).read_text(encoding="utf-8")
    gone = {"preflight.json": "prompt", "heldout.jsonl": "none", "history.json": "learning"}
    assert f'id="{gone[missing]}"' not in text


def test_a_run_of_which_little_is_known_has_a_report(tmp_path: Path) -> None:
    run, task = judged(tmp_path)
    for name in ("versions", "hardware", "training", "command", "plugin", "task_state", "created"):
        del run.info[name]
    run.info["recipe"] = {"model": "embedded:tiny"}
    run.info["data"] = {}
    text = report.write(run, task).read_text(encoding="utf-8")
    assert 'id="repeat"' in text


def test_a_run_that_trained_nothing_has_a_report(tmp_path: Path) -> None:
    noises = {name: noise for name, noise in NOISES.items() if name not in ("adapter", "base")}
    run, task = judged(tmp_path, noises=noises)
    text = report.write(run, task).read_text(encoding="utf-8")
    assert "<h1>Nothing was trained</h1>" in text
    assert 'id="ladder"' in text


class Answers(FakePrices):
    """A task whose answers are texts, judged by a share that needs no numbers."""

    name = "answers"
    metrics = (Metric("exact", lambda p, r: float(p == r), label="Exact match", format=".1%"),)
    primary_metric = "exact"

    def interval(self, prediction: Any, width: float) -> tuple[float, float]:
        raise AssertionError("texts have no interval")


def test_answers_that_are_no_numbers(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path)
    task = Answers()
    for entry in read_json(run.predictions / "systems.json"):
        place = run.predictions / entry["file"]
        rows = read_jsonl(place)
        for row in rows:
            row["reference"] = "yes" if row["reference"] > 60 else "<i>no</i>"
            row["prediction"] = "yes" if row["prediction"] > 60 else "<i>no</i>"
            row |= {"low": None, "high": None, "decoders": None}
            row["metrics"] = {"exact": float(row["prediction"] == row["reference"])}
        write_jsonl(place, rows)
    doc = score(run, task)
    write_json(run.path / "metrics.json", doc)
    text = report.write(run, task).read_text(encoding="utf-8")
    ids = Page(text).ids
    assert "predicted" not in ids
    assert "intervals" not in ids
    assert "&lt;i&gt;no&lt;/i&gt;" in text
    assert "<i>no" not in text
    assert "Higher is better" in text


def test_a_task_without_slices_has_no_section_of_them(tmp_path: Path) -> None:
    run, task = judged(tmp_path)
    doc = read_json(run.path / "metrics.json")
    write_json(run.path / "metrics.json", doc | {"slices": {}})
    text = report.write(run, task).read_text(encoding="utf-8")
    assert "slices" not in Page(text).ids and "#slices" not in text


def test_without_matplotlib_a_report_has_its_tables_and_names_the_missing_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "Drawing charts needs an extra: pip install 'adapter-toolkit[charts]'"
    monkeypatch.setattr(svg, "left_out", lambda: reason)
    run, task = judged(tmp_path)
    text = report.write(run, task).read_text(encoding="utf-8")
    drawn_alone = {"predicted", "slices"}
    assert set(SECTIONS) - drawn_alone <= set(Page(text).ids) and "<svg" not in text
    assert text.count("adapter-toolkit[charts]") == 1
    assert not drawn_alone & set(Page(text).ids)
    plain = (run.path / "report.md").read_text(encoding="utf-8")
    assert "## Intervals" in plain and "## By kind of row" in plain
    other, _ = judged(tmp_path, seed=1, rows=read_jsonl(run.data / "heldout.jsonl"))
    page = comparison.html(compare.compare([run, other], [task, task]))
    assert page.count("adapter-toolkit[charts]") == 1 and "<svg" not in page


# -- comparing runs ------------------------------------------------------------------------------
def test_runs_on_the_same_rows_are_compared_row_by_row(tmp_path: Path) -> None:
    first, task = judged(tmp_path)
    rows = read_jsonl(first.data / "heldout.jsonl")
    second, _ = judged(tmp_path, rows=rows, noises={**NOISES, "adapter": ("adapter", 0.3)}, seed=1)
    doc = compare.compare([first, second], [task, task])
    (pair,) = doc["pairs"]
    assert pair["row_by_row"]
    assert pair["low"] > 0
    assert "same test rows" in doc["statement"]
    assert "< 0.001" in comparison.text(doc)
    # Two tables: a line a run, and one ladder of all systems.
    assert comparison.markdown(doc).count("\n| ") == 3 + 2 + len(doc["ladder"])
    assert doc["ladder"][0]["name"] == f"adapter of {first.id}"
    assert doc["ladder"][0]["compared"] is None
    values = [system["value"] for system in doc["ladder"]]
    assert values == sorted(values)
    theirs = next(r for r in doc["ladder"] if r["name"] == f"adapter of {second.id}")
    assert theirs["compared"]["high"] < 0 and theirs["runs"] == [second.id]
    assert "<svg" in comparison.html(doc)
    json.dumps(doc, allow_nan=False)


def test_a_baseline_that_two_runs_added_up_in_another_order_is_listed_once(tmp_path: Path) -> None:
    first, task = judged(tmp_path)
    rows = read_jsonl(first.data / "heldout.jsonl")
    second, _ = judged(tmp_path, rows=rows)
    baseline = next(x["name"] for x in read_json(first.predictions / "systems.json")
                    if x["role"] == "baseline")  # fmt: skip
    place = second.predictions / f"{baseline}.jsonl"
    for factor, listed in ((1 + 1e-14, 1), (1.01, 2)):
        lines = read_jsonl(place)
        write_jsonl(place, [{**x, "prediction": x["prediction"] * factor} for x in lines])
        doc = compare.compare([first, second], [task, task])
        assert len([r for r in doc["ladder"] if r["name"].startswith(baseline)]) == listed


def test_runs_on_other_rows_stand_side_by_side(tmp_path: Path) -> None:
    first, task = judged(tmp_path)
    second, _ = judged(tmp_path, seed=1)
    doc = compare.compare([first, second], [task, task])
    assert doc["pairs"][0]["why"] == "their test rows differ"
    second.info["data"]["fingerprint"] = "cafe"
    doc = compare.compare([first, second], [task, task])
    assert not doc["pairs"][0]["row_by_row"]
    assert "difference" not in doc["pairs"][0]
    assert "Not comparable row by row" in doc["statement"]
    assert "other rows" in comparison.text(doc)
    assert doc["ladder"] == []


def test_one_run_cannot_be_compared(tmp_path: Path) -> None:
    run, task = judged(tmp_path)
    with pytest.raises(UsageError, match="at least two runs"):
        compare.compare([run], [task])


# -- words ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (-1.25, ".1f", "−1.2"),
        (-0.04, ".1f", "0.0"),
        (None, ".1f", "–"),
        (float("nan"), ".1f", "–"),
        (1234, "", "1,234"),
        (187.25, "", "187.2"),
        (0.5, ".1%", "50.0%"),
    ],
)
def test_numbers(value: Any, spec: str, expected: str) -> None:
    assert formatting.number(value, spec) == expected


def test_a_small_difference_is_not_written_as_zero() -> None:
    assert formatting.finer(".1f", 0.034, 2.0) == ".2f"
    assert formatting.finer(".1%", 0.00004) == ".3%"
    assert formatting.finer(".1f", 12.0, 0.0) == ".1f"
    assert formatting.finer(",.0f", 0.3) == ",.1f"


def test_labels_in_sentences() -> None:
    assert formatting.in_sentence("Mean absolute error") == "mean absolute error"
    assert formatting.in_sentence("RMSE") == "RMSE"
    assert formatting.in_sentence("R²") == "R²"
    assert formatting.about(5432) == "5,500"
    assert formatting.duration(3725) == "1 h 02 min"
    assert formatting.p_equals(0.0002) == "p < 0.001"
    assert formatting.p_equals(0.0123) == "p = 0.012"
    assert formatting.grouped_rows(1200, 240) == "1,200 rows of 240 groups"
    assert formatting.grouped_rows(1, None, "test row") == "1 test row"


def test_a_figure_without_an_interval_has_a_dash() -> None:
    assert formatting.span(None, None, ".1f") == formatting.NOTHING
    assert formatting.span(float("nan"), float("nan"), ".1f") == formatting.NOTHING
    assert formatting.signed_span(None, None, ".1f") == formatting.NOTHING
    assert formatting.signed_span(-1, 2, ".1f") == "−1.0 to +2.0"
    assert formatting.p_value(float("nan")) == formatting.NOTHING


def test_figures_and_differences_without_intervals_are_shown_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = statistics.interval, statistics.paired
    why = "a few rows decide the figure"

    def no_interval(*args: Any, **options: Any) -> Any:
        bare: Any = {"low": math.nan, "high": math.nan, "note": why}
        return dataclasses.replace(real[0](*args, **options), **bare)

    def no_difference(*args: Any, **options: Any) -> Any:
        return dataclasses.replace(real[1](*args, **options), low=math.nan, high=math.nan, note=why)

    monkeypatch.setattr(statistics, "interval", no_interval)
    monkeypatch.setattr(statistics, "paired", no_difference)
    run, task = judged(tmp_path)
    doc = read_json(run.path / "metrics.json")
    assert doc["verdict"]["worth_it"] is None
    assert "no interval" in doc["verdict"]["sentence"]
    text = report.write(run, task).read_text(encoding="utf-8")
    plain = (run.path / "report.md").read_text(encoding="utf-8")
    assert "Mean absolute error of all systems: A few rows decide the figure." in text
    assert "Mean absolute error of all systems: A few rows decide the figure." in plain
    assert "<small>a few rows decide the figure</small>" in text
    assert "– to –" not in text + plain and "nan" not in plain and "None" not in plain
    assert "no clear difference" in text and ">better<" not in text
    other, _ = judged(tmp_path, seed=1, rows=read_jsonl(run.data / "heldout.jsonl"))
    found = compare.compare([run, other], [task, task])
    assert "(–)" in comparison.text(found) and "<svg" in comparison.html(found)


def test_training_that_ended_early_is_the_headline(tmp_path: Path) -> None:
    run, task = make_run(tmp_path, noises={**NOISES, "adapter": ("adapter", 0.5)})
    early = {"share": 0.14, "minutes_needed": 24.0, "reason": "the limit of 4 minutes"}
    run.info["training"]["unfinished"] = early
    finish(run)
    write_json(run.path / "metrics.json", score(run, task))
    verdict = read_json(run.path / "metrics.json")["verdict"]
    assert verdict["worth_it"] is None and verdict["unfinished"].startswith(
        "Training ended after 14"
    )
    text = report.write(run, task).read_text(encoding="utf-8")
    assert "<h1>Cannot tell yet</h1>" in text
    assert (
        '<p class="sentence">On SYNTHETIC data, training ended after 14 % of its schedule' in text
    )
    assert (run.path / "report.md").read_text("utf-8").startswith("# Cannot tell yet: fake-prices")


def test_markdown_cells_stay_cells() -> None:
    assert render.markdown("a|b\n<script>") == "a\\|b &lt;script&gt;"


def test_the_length_histogram_may_be_absent() -> None:
    histogram = {"lengths": {"edges": [0, 8, 16], "counts": [5, 2], "limit": 16}}
    assert run_details.lengths(histogram) == ([0, 8, 16], [5, 2], 16)
    assert run_details.lengths({"lengths": {}}) is None
    assert run_details.lengths({}) is None


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("embedded:causal-lm", 'from_pretrained(models.path("causal-lm")), "adapter")'),
        ("meta-llama/Llama-3.1-8B", 'from_pretrained("meta-llama/Llama-3.1-8B")'),
        ("smollm2-135m", 'from_pretrained(models.model_path("smollm2-135m")), "adapter")'),
    ],
)
def test_the_adapter_loads_in_five_lines(model: str, line: str) -> None:
    snippet = run_details.load_snippet({"recipe": {"model": model, "lora": {"r": 16}}})
    assert line in snippet
    assert len(snippet.splitlines()) == 5
    compile(snippet, "snippet", "exec")


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("embedded:minilm", "sentence-transformers/all-MiniLM-L6-v2"),
        ("embedded:causal-lm", None),
        ("smollm2-135m", None),
        ("./models/mine", None),
        ("models/mine", None),
    ],
)
def test_the_card_names_a_base_that_is_on_the_hub_and_no_folder(
    model: str, named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models/mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    card = run_details.front_matter({"recipe": {"model": model}}, {"task": "prices"})
    assert (f'base_model: "{named}"' in card) if named else ("base_model" not in card)


def test_the_card_says_what_a_name_of_ours_means() -> None:
    note = run_details.base_note({"recipe": {"model": "smollm2-135m"}})
    assert note.startswith("`smollm2-135m`: ") and "4 bits" in note
    assert run_details.base_note({"recipe": {"model": "some/model"}}) == ""
    assert run_details.base_note({}) == ""


def test_a_system_that_could_not_be_had_is_named(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    entries = read_json(run.predictions / "systems.json")
    absent = {"name": "embeddings", "role": "baseline", "file": None, "note": "needs an extra"}
    write_json(run.predictions / "systems.json", [absent, *entries])
    doc = score(run, task)
    assert doc["absent"] == {"embeddings": "needs an extra"}
    write_json(run.path / "metrics.json", doc)
    text = report.write(run, task).read_text(encoding="utf-8")
    assert "<b>embeddings</b> is not on the ladder: needs an extra" in text


def test_settings_are_flat_and_nothing_is_lost() -> None:
    found = run_details.flat(
        {"name": "x", "lora": {"r": 16, "target_modules": ["q", "v"]}, "q": None}
    )
    assert found == [("name", "x"), ("lora.r", "16"), ("lora.target_modules", '["q", "v"]')]
