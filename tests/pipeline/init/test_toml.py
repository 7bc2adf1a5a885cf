"""Task files as text: whatever columns are called, what is read back is what was meant."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.data.columns import rendering, resolve
from toolkit.data.profiles import profile
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit.pipeline.init.candidates import Candidate
from toolkit.pipeline.init.seen import Seen
from toolkit.pipeline.init.toml import plain, written
from toolkit.pipeline.init.trying import contents, name_of
from toolkit.plugins import toml_task
from toolkit.plugins.registration import KEBAB

NASTY = st.sampled_from(
    ['"', "'", "\\", "\n", "\r", "]", "[", "=", "#", "\x00", "\x7f", "\x1b", "\u2028", '"""',
     "{", "}", "{a}", ",", " ", "\ttarget = 1", '\ntask = "os"\n', "é", "语", "🙂", "1"]
)  # fmt: skip
NAMES = st.lists(
    st.one_of(NASTY, st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6
).map("".join)


@given(st.dictionaries(NAMES, st.one_of(NAMES, st.booleans(), st.lists(NAMES)), max_size=5),
       st.lists(NAMES, max_size=3))  # fmt: skip
@settings(deadline=None)
def test_keys_and_values_are_read_back_as_they_were(
    keys: dict[str, object], head: list[str]
) -> None:
    text = written(keys, head, dict.fromkeys(keys, head) | {"not a key": head})
    assert tomllib.loads(text) == keys


def numbered(names: list[str], name: str) -> str:
    return resolve(names, str(names.index(name) + 1), "text")


@given(st.lists(NAMES.filter(str.strip), min_size=2, max_size=5, unique_by=str.strip), st.data())
@settings(deadline=None)
def test_columns_of_any_name_are_found_again(names: list[str], data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(names))
    text = tuple(name for name in names if name != target)[: data.draw(st.integers(1, 4))]
    seen = Seen("owner/name", Source(), [], {n: profile(n, ["a"]) for n in names}, 0, (), {})  # type: ignore[arg-type]
    for candidate in (
        Candidate("price-regression", 1.0, False, text, target),
        Candidate("sequence-classification", 1.0, True, text, target),
        Candidate("causal-lm", 1.0, True, text, target),
    ):
        if any(set("{}") & set(n) and numbered(names, n) != n for n in (*text, target)):
            with pytest.raises(DataError, match="rename the column"):
                contents(seen, candidate, Path("mine.toml"))
            continue
        content = contents(seen, candidate, Path("mine.toml"))
        read_back = tomllib.loads(written(content))
        assert read_back == {k: list(v) if isinstance(v, tuple) else v for k, v in content.items()}
        options = toml_task.of_content(Path("mine.toml"), read_back).source_options
        assert set(options) <= {"data", "text", "target", "header"}
        assert resolve(names, options["target"], "target") == target
        if candidate.name != "causal-lm":
            assert set(rendering(names, options["text"]).columns) == set(text)


def test_half_a_character_is_refused_in_a_sentence() -> None:
    with pytest.raises(DataError, match="half a character"):
        written({"target": "\ud800"})


def test_a_comment_is_one_line() -> None:
    assert plain("a\nb\x00\u2028c") == "a b c"


@pytest.mark.parametrize("stem", ["goods", "2020 Sales (final)", "____", "Größe", "价格", "A"])
def test_the_task_s_name_can_be_registered(stem: str) -> None:
    assert KEBAB.fullmatch(name_of(Path(f"{stem}.toml")))
