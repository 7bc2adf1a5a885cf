"""Markdown of answers, and messages as they were written."""

from __future__ import annotations

import re

import pytest

from toolkit_playground.rendering.markdown import rendered
from toolkit_playground.rendering.transcript import transcript

CODE = "if a<b and c>d: List<String> x; <img src=http://192.0.2.1/x.png> & **bold**"


def test_markdown_is_drawn() -> None:
    page = rendered(
        "# Head\n\n**bold** `List<String>` [link](https://example.org)\n\n|a|\n|-|\n|1|"
    )
    for piece in ("<h1>Head</h1>", "<strong>bold</strong>", "<code>List&lt;String&gt;</code>",
                  "<td>1</td>"):  # fmt: skip
        assert piece in page
    link = re.search(r"<a [^>]*>", page)
    assert link and 'rel="noopener noreferrer nofollow"' in link[0] and '_blank"' in link[0]


@pytest.mark.parametrize(
    "text",
    ["<img src=http://192.0.2.1/x.png>", "![x](http://192.0.2.1/x.png)",
     "[x](javascript:alert(1))", "[x](data:text/html;base64,PGI+)", "<iframe src=//e.org></iframe>",
     "[x]: http://192.0.2.1/x.png\n\n![x]", "<style>@import 'http://192.0.2.1'</style>"],
)  # fmt: skip
def test_nothing_of_it_is_fetched_or_run(text: str) -> None:
    page = rendered(text)
    assert set(re.findall(r"<(\w+)", page)) <= {"p", "a"}
    assert not re.search(r"\b(?:src|srcset|style|on\w+)=", re.sub(r">[^<]*<", "><", page))
    assert not re.search(r'href="(?:javascript|data):', page)


def test_a_message_is_text_unless_markdown_is_asked_for() -> None:
    messages = [{"role": role, "content": CODE} for role in ("user", "assistant")]
    plain = transcript(messages, "base")
    assert "<img" not in plain and "<strong>" not in plain
    assert (
        plain.count("if a&lt;b and c&gt;d: List&lt;String&gt; x;") == 4
    )  # shown, and to be copied
    drawn = transcript(messages, "base", markdown=True)
    assert drawn.count("<strong>") == 1 and "<img" not in drawn
