"""A payload in every text that the pages are made of: it stays text, in HTML and in Markdown."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import markdown as python_markdown
import pytest
from markdown_it import MarkdownIt

from hostile_run import PAYLOAD, injected, with_payloads
from judging_fixtures import make_run
from toolkit.evaluation.score import score
from toolkit.pipeline import compare as comparing
from toolkit.reporting import comparison, render, report, svg
from toolkit.runs.contents import RunContents, read_run
from toolkit.runs.files import write_json

FEW = 3
"""Rows and prediction lines of each kind that get a payload; the others are of the same form."""
COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable("table")


def read(pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The pages as HTML; Markdown as two readers of it see it."""
    for name, text in pages.items():
        if name.endswith(".html"):
            yield name, text
        elif name.endswith(".svg"):
            ElementTree.fromstring(text)  # a file of its own, which must be whole as XML
            yield name, text
        else:
            body = text.removeprefix("---\n").partition("\n---\n")[2] if "card" in name else text
            yield f"{name} by markdown-it", COMMONMARK.render(body)
            extensions = ["tables", "fenced_code", "attr_list", "def_list"]
            yield (
                f"{name} by Python-Markdown",
                python_markdown.markdown(body, extensions=extensions),
            )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any, RunContents]:
    sizes = {"validation": 30, "calibration": 30, "test": 40}
    run, task = make_run(tmp_path_factory.mktemp("escaping"), sizes=sizes)
    document = score(run, task)
    write_json(run.path / "metrics.json", document)
    run.info["options"] = {"seed": 0}
    run.info["stages"] = {"data": {"state": "done", "seconds": 1.0}}
    return run, task, document, read_run(run)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg, "left_out", lambda: "not in this test")


def test_every_text_of_every_file(
    written: tuple[Any, Any, Any, RunContents], no_charts: None
) -> None:
    _, task, document, contents = written
    parts: dict[str, Any] = {
        "metrics.json": document,
        "run.json": dict(contents.info),
        "preflight.json": dict(contents.preflight),
        "heldout.jsonl": [dict(row) for row in contents.heldout[:FEW]],
        "remarks": {"together.json": "a", "forgetting.json": "b", "sheet.json": "c"},
        "absent": {"left-out": "a reason"},
    }
    tried, seen = {}, 0
    for name, content in parts.items():

        def show(changed: Any, name: str = name) -> None:
            nonlocal seen
            for page, html in read(render_with(name, changed, task, document, contents)):
                assert not injected(html), (name, page, injected(html))
                seen += html.count("window.hit")

        tried[name] = with_payloads(content, show)
    # All but names that others refer to; and it is not that nothing was shown.
    assert all(tried.values()) and sum(tried.values()) > 80, tried
    assert seen > 200


def test_every_key(written: tuple[Any, Any, Any, RunContents], no_charts: None) -> None:
    """Names of metrics, slices and systems are keys of ``metrics.json``."""
    _, task, document, contents = written
    for kind in ("slices", "absent", "timings"):
        changed = copy.deepcopy(document)
        entries = changed.get(kind) or {}
        changed[kind] = {f"{key}{PAYLOAD}": value for key, value in entries.items()}
        changed[kind].setdefault(PAYLOAD, "x" if kind == "absent" else {})
        try:
            pages = render_with("metrics.json", changed, task, document, contents)
        except Exception:
            continue
        for page, html in read(pages):
            assert not injected(html), (kind, page)
    info = {**contents.info, "recipe": {**contents.info["recipe"], "task": {PAYLOAD: PAYLOAD}}}
    for page, html in read(render_with("run.json", info, task, document, contents)):
        assert not injected(html), page
        assert "window.hit" in html or page.startswith(("report.md", "badge.svg"))


def render_with(
    name: str, changed: Any, task: Any, document: Any, contents: RunContents
) -> dict[str, str]:
    from dataclasses import replace

    if name == "metrics.json":
        document = changed
    else:
        field = {"run.json": "info", "preflight.json": "preflight", "remarks": "remarks",
                 "heldout.jsonl": "heldout", "absent": "absent"}[name]  # fmt: skip
        contents = replace(contents, **{field: changed})
        if name == "absent":
            document = {**document, "absent": changed}
    pages = report.pages(document, contents, task)
    return {"card.md" if page == "README.md" else page: text for page, text in pages.items()}


def test_charts_show_names_as_texts(written: tuple[Any, Any, Any, RunContents]) -> None:
    pytest.importorskip("matplotlib")
    _, task, document, contents = written
    text = copy.deepcopy(document)
    new = '<img src=x onerror=window.hit=1>$x$"><script>window.hit=1</script>'
    text = json.loads(json.dumps(text).replace('"ridge-log"', json.dumps(f"ridge-log{new}")))
    for metric in text["metrics"]:
        metric["label"] += new
    html = report.pages(text, contents, task)["report.html"]
    assert "<svg" in html and not injected(html)


def test_the_comparison(written: tuple[Any, Any, Any, RunContents], no_charts: None) -> None:
    run, task, _, _ = written
    document = comparing.compare([run, run], [task, task])

    def shown(changed: Any) -> None:
        pages = {"a.html": comparison.html(changed), "a.md": comparison.markdown(changed)}
        for page, html in read(pages):
            assert not injected(html), (page, injected(html))

    assert with_payloads(document, shown) > 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [("# no heading", "<p># no heading</p>"), ("- no item", "<p>- no item</p>"),
     ("1. no item", "<p>1. no item</p>"), ("a\n===", "<p>a ===</p>"), ("---", "<p>---</p>"),
     ("[x](javascript:1)", "<p>[x](javascript:1)</p>"), ("<b>", "<p>&lt;b&gt;</p>"),
     ("&lt;", "<p>&amp;lt;</p>"), ("a_b_c *d*", "<p>a_b_c *d*</p>"), ("`x`", "<p>`x`</p>"),
     ("![x](y)", "<p>![x](y)</p>"), ("    code", "<p>code</p>"), ("a\\", "<p>a\\</p>"),
     ("-0.5 to 1.2", "<p>-0.5 to 1.2</p>"), ("> no quote", "<p>&gt; no quote</p>")],
)  # fmt: skip
def test_markdown_signs_are_texts(text: str, expected: str) -> None:
    written = str(render.markdown(text))
    assert COMMONMARK.render(written).strip() == expected
    page = python_markdown.markdown(written, extensions=["tables", "attr_list"])
    assert page == expected


@pytest.mark.parametrize("text", ["a", "`", "``", "a`b``c", " ", "x|y", "```\n# b"])
def test_code_cannot_be_left(text: str) -> None:
    for written in (str(render.code(text)), str(render.fenced(text))):
        html = COMMONMARK.render(f"{written}\n")
        assert html.count("<code") == 1 and "<h1" not in html
        assert html.rstrip().endswith(("</code></p>", "</code></pre>"))
