"""Texts of runs, rows and models stay texts in the playground's HTML."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from hostile_run import PAYLOAD, injected, with_payloads
from judging_fixtures import make_run
from toolkit.evaluation.score import score
from toolkit.panels import VIEWS
from toolkit.runs.files import read_json, write_json
from toolkit.runs.run import STAGES, Run
from toolkit_playground.rendering import (
    html,
    markdown,
    marked_text,
    panels,
    runs,
    transcript,
    votes,
)
from toolkit_playground.state.pairs import Pair
from toolkit_playground.state.store import Vote

PACKAGE = Path(html.__file__).parents[1]
TAG = ("</", "<p", "<div", "<span", "<b>", "<h", "<li", "<ul", "<ol", "<section", "<em", "<mark",
       "<small", "<table", "<t", "<i", "<a ")  # fmt: skip


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            yield (function.id if isinstance(function, ast.Name) else name), node


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: file.stem)
def test_html_is_written_in_templates_alone(file: Path) -> None:
    """``fill`` is given literal templates, and there is no HTML in a text that is put together."""
    tree = ast.parse(file.read_text())
    for name, call in calls(tree):
        if name == "fill" and call.args:
            template = call.args[0]
            known = isinstance(template, ast.Constant | ast.IfExp) or (
                isinstance(template, ast.Name) and template.id in ("between", "HEADING")
            ) or (isinstance(template, ast.Name) and template.id.isupper())  # fmt: skip
            assert known, f"line {call.lineno}"
        if name == "Markup" and call.args:
            assert file.name == "html.py", f"line {call.lineno}"
    if file.name in ("theme.py", "head.py"):
        return  # styles and scripts of the package itself, nobody else's texts
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = [v.value for v in node.values if isinstance(v, ast.Constant)]
            assert not [p for p in pieces if any(tag in str(p) for tag in TAG)], node.lineno


def test_fill_escapes_what_is_no_html() -> None:
    made = html.fill("<p title='{}'>{}{:.1f}</p>", PAYLOAD, html.fill("<b>{}</b>", PAYLOAD), 1.25)
    assert not injected(made) and "<b>" in made and made.endswith("1.2</p>")
    assert not injected(html.joined([html.fill("{}", PAYLOAD), made], "<br>"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    sizes = {"validation": 30, "calibration": 30, "test": 40}
    run, task = make_run(tmp_path_factory.mktemp("escaping"), sizes=sizes)
    run.info["stages"] = {name: {"state": "done", "seconds": 1.0} for name in STAGES}
    run.save()
    write_json(run.path / "metrics.json", score(run, task))
    (run.path / "report.html").write_text(f"<p>{PAYLOAD.replace('<', '&lt;')}</p>")
    return run


def test_a_page_of_a_run(run: Run) -> None:
    seen = 0

    def show(info: Any) -> None:
        nonlocal seen
        found = Run(run.path, info)
        page = runs.one(found) + html.fill("{}", runs.described(found))
        assert isinstance(page, Markup) and not injected(page), injected(page)
        seen += page.count("window.hit")

    assert with_payloads(dict(run.info), show) > 10
    assert seen > 10


def test_the_verdict_of_a_run(run: Run) -> None:
    place = run.path / "metrics.json"
    before = read_json(place)

    def show(metrics: Any) -> None:
        place.write_text(json.dumps(metrics))
        assert not injected(runs.one(run))

    try:
        assert with_payloads(before, show) > 50
    finally:
        write_json(place, before)


def test_a_run_worth_it_says_how_to_use_it(run: Run) -> None:
    place = run.path / "metrics.json"
    before = read_json(place)
    try:
        for worth in (True, False, None):
            write_json(place, {**before, "verdict": {**before["verdict"], "worth_it": worth}})
            assert (f"toolkit serve {run.id}" in runs._verdict(run)) == bool(worth)
    finally:
        write_json(place, before)


def test_states_of_stages_are_known_ones(run: Run, tmp_path: Path) -> None:
    info = {**run.info, "stages": {name: {"state": PAYLOAD, "seconds": 1} for name in STAGES}}
    page = runs.one(Run(tmp_path, info))
    assert not injected(page) and "tk-unknown" in page


def test_pairs_votes_and_marks() -> None:
    pair = Pair(**{
        name: (PAYLOAD, PAYLOAD) if name in ("left", "right") else PAYLOAD
        for name in Pair.__dataclass_fields__
    })  # fmt: skip
    vote = Vote(PAYLOAD, True, 1, *[PAYLOAD] * 2, "a" + PAYLOAD, "b" + PAYLOAD, *[PAYLOAD] * 2,
                "left")  # fmt: skip
    marks = [{"start": 0, "end": 5, "kind": PAYLOAD, "note": PAYLOAD}]
    order = [vote.left_side, vote.right_side]
    for page in (
        votes.pair(pair, named=True), votes.thanks(pair, "left"), votes.summary([vote], order),
        marked_text.marked(PAYLOAD, marks), marked_text.notes(PAYLOAD, marks),
        html.notice(PAYLOAD, PAYLOAD), html.failure(ValueError(PAYLOAD), PAYLOAD),
        html.card(0, PAYLOAD, PAYLOAD, PAYLOAD), html.prompt(PAYLOAD, 3),
        html.table([PAYLOAD], [[PAYLOAD, PAYLOAD]], PAYLOAD), html.differences(PAYLOAD, "x"),
        html.download(PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD), html.empty(PAYLOAD, PAYLOAD),
        html.verdict(True, PAYLOAD), html.asked(PAYLOAD), markdown.rendered(PAYLOAD),
        markdown.rendered(f"# {PAYLOAD}\n\n- {PAYLOAD}\n\n|a|b|\n|-|-|\n|{PAYLOAD}|2|\n"),
        *(transcript.transcript([{"role": role, "content": PAYLOAD}], PAYLOAD, markdown=drawn)
          for role in ("user", "assistant") for drawn in (False, True)),
    ):  # fmt: skip
        assert isinstance(page, Markup) and not injected(page), injected(page)


DATA: dict[str, dict[str, Any]] = {
    "number-distribution": {"values": [1.0, 2.0], "probabilities": [0.5, 0.4]},
    "labels": {"labels": {PAYLOAD: 0.5}},
    "numbers": {"numbers": {PAYLOAD: 0.5}},
    "spans": {
        "context": PAYLOAD, "spans": [{"start": 0, "end": 9, "probability": 0.5}], "no_answer": 0.1,
    },
    "text": {
        "text": PAYLOAD, "marks": [{"start": 0, "end": 9, "note": PAYLOAD}], "source": PAYLOAD,
        "source_marks": [{"start": 0, "end": 9, "kind": "missing"}],
    },
}  # fmt: skip


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_panels(view: str) -> None:
    prediction = 1.5 if view == "number-distribution" else PAYLOAD
    shown = [panels.Shown(PAYLOAD, prediction, 1.0, 2.0, DATA[view], parsed=False)]
    page = panels.draw(view, shown, truth=PAYLOAD, others={PAYLOAD: PAYLOAD}, unit=PAYLOAD)
    assert isinstance(page, Markup) and "window.hit" in page and not injected(page)
