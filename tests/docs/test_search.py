"""Strangers' questions: the search of the pages finds the page that answers each, by their words.

The pages are searched as the theme does it in the browser (its ``workers/search.js``): with lunr,
over titles and texts, each word of the query as the beginning of a word, stop words as well, the
sections of a page together.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
QUESTIONS = tomllib.loads((HERE / "questions.toml").read_text("utf-8"))["question"]
TOOLS = ("hiyouga/LlamaFactory", "axolotl-ai-cloud/axolotl", "unslothai/unsloth", "huggingface/trl",
         "huggingface/peft", "huggingface/transformers", "h2oai/h2o-llmstudio",
         "huggingface/autotrain-advanced")  # fmt: skip
FIRST = 3
"""How far down a page may stand among what is found."""


class Texts(HTMLParser):
    """The text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def text(html: str) -> str:
    reader = Texts()
    reader.feed(html)
    return " ".join(reader.found)


class Search:
    """The theme's search over the file that MkDocs writes for it."""

    def __init__(self, written: dict[str, Any]) -> None:
        import lunr
        from lunr.stop_word_filter import stop_word_filter

        self.separator = re.compile(written["config"]["separator"])
        self.documents = [
            {
                "id": each["location"],
                "title": self.words(each["title"]),
                "text": self.words(text(each["text"])),
                "boost": each.get("boost", 1),
            }
            for each in written["docs"]
        ]
        boosts = written["config"]["fields"]
        builder = lunr.get_default_builder()
        builder.pipeline.reset()
        builder.pipeline.add(stop_word_filter)  # words are not stemmed
        builder.b(0)  # the length of a section is left out, as in the theme
        builder.ref("id")
        for name in ("title", "text"):
            builder.field(name, boost=boosts[name]["boost"])
        for each in self.documents:
            builder.add(each, {"boost": each["boost"]})
        self.index = builder.build()

    def words(self, given: str) -> str:
        return " ".join(part for part in self.separator.split(given) if part)

    def pages(self, asked: str) -> list[str]:
        """The addresses of pages, the best first; that of a page is its best section's."""
        from lunr.query import QueryPresence
        from lunr.stop_word_filter import WORDS

        terms = [word.lower().strip("~^*+'’") for word in self.words(asked).split()]
        terms = list(dict.fromkeys(term for term in terms if term))
        query = self.index.create_query()
        for term in terms:
            query.term(f"{term}*", use_pipeline=False, presence=QueryPresence.OPTIONAL)
        best: dict[str, float] = {}
        for hit in self.index.query(query):
            matched = hit["match_data"].metadata
            there = [any(word.startswith(term) for word in matched) for term in terms]
            absent = [t for t, is_there in zip(terms, there, strict=True) if not is_there]
            wanted = sum(there) + sum(term not in WORDS for term in absent)
            share = sum(there) / wanted
            page, _, section = hit["ref"].partition("#")
            score = hit["score"] * (1 + (share + (not section)) ** 2)
            best[page] = max(best.get(page, 0.0), score)
        return sorted(best, key=lambda page: -best[page])


@pytest.fixture(scope="session")
def search(site: Path) -> Search:
    pytest.importorskip("lunr", reason="needs the extra dev")
    return Search(json.loads((site / "search" / "search_index.json").read_text("utf-8")))


def address(page: str) -> str:
    return page.removesuffix("index.md") if page.endswith("index.md") else f"{page[:-3]}/"


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["asked"][:40])
def test_a_question_is_found_by_its_words(search: Search, question: dict[str, str]) -> None:
    found = search.pages(question["asked"])[:FIRST]
    assert address(question["page"]) in found, found


@pytest.mark.slow
def test_words_that_no_page_has_find_nothing(search: Search) -> None:
    assert search.pages("zymurgy quokka") == []


def test_twenty_questions_each_with_its_thread() -> None:
    links = [question["link"] for question in QUESTIONS]
    assert len(links) >= 20 and len(set(links)) == len(links)
    form = re.compile(rf"https://github\.com/(?:{'|'.join(TOOLS)})/issues/\d+")
    assert [link for link in links if not form.fullmatch(link)] == []


def pages_of(questions: Sequence[dict[str, str]]) -> set[str]:
    return {question["page"] for question in questions}


@pytest.mark.parametrize("page", sorted(pages_of(QUESTIONS)))
def test_the_answering_pages_are_there(page: str) -> None:
    assert (DOCS / page).is_file()
