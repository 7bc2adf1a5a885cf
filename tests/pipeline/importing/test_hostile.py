"""Files of settings that come from anybody: any text ends in a table or in one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import imported
from toolkit.errors import ToolkitError, UsageError
from toolkit.pipeline.importing import make, read, shell, written
from toolkit.pipeline.importing.places import Places
from toolkit.pipeline.importing.tools import TOOLS

NAMES = sorted(
    {name for tool in TOOLS.values() for name in (*tool.plain, *tool.special)}
    | {key for tool in TOOLS.values() for keys, _ in tool.left_out for key in keys.split()}
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30),
    st.sampled_from(["1e-4", "true", "all", "{a}", "\x1b[31m", "../..", "a,b"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)
QUIET = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUIET
@given(tool=st.sampled_from(sorted(TOOLS)), changes=st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_values_give_a_recipe_or_one_sentence(tool: str, changes: dict[str, Any]) -> None:
    keys, _ = read.read(str(imported.FILES / tool / "only_what_is_needed.yaml"))
    try:
        draft = make.drafted({**keys, **changes}, tool, Places(imported.FILES, imported.FILES))
        texts = written.texts(draft, "a.yaml", Path("a.toml"), Path("a-recipe.toml"))
    except ToolkitError as error:
        _check_sentence(error)
        return
    for text in texts:
        tomllib.loads(text)
    named = {one.key for one in draft.left}
    known = {*TOOLS[tool].plain, *TOOLS[tool].special}
    given_keys = {key for key, value in changes.items() if value is not None}
    assert {key for key in given_keys if key not in known} <= named


def _check_sentence(error: ToolkitError) -> None:
    assert str(error) and "\n" not in str(error)


@QUIET
@given(text=st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reader in (
        lambda: read.of_yaml(text, "a.yaml"),
        lambda: read.of_json(text, "a.json"),
        lambda: shell.arguments(text),
        lambda: shell.arguments(f"trl sft {text}"),
    ):
        try:
            reader()
        except UsageError as error:
            _check_sentence(error)


def test_tags_that_make_objects_are_refused(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    for tag in (
        f'!!python/object/apply:os.system ["touch {touched}"]',
        f'!!python/object/new:pathlib.Path.touch ["{touched}"]', "!!python/name:os.system",
    ):  # fmt: skip
        with pytest.raises(UsageError, match="not readable as YAML"):
            read.of_yaml(f"model_name_or_path: {tag}\n", "a.yaml")
    assert not touched.exists()


def test_bombs_are_refused(tmp_path: Path) -> None:
    lists = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
    )
    merges = "b0: &b0 {k0: 1}\n" + "".join(
        f"b{i}: &b{i} {{k{i}: 1, <<: [{', '.join([f'*b{i - 1}'] * 9)}]}}\n" for i in range(1, 9)
    )
    deep = "a: " + "[" * 5_000 + "]" * 5_000
    for text in (lists, merges, deep, "a: [" + "1, " * 50_000 + "1]"):
        with pytest.raises(UsageError, match=r"too many|not readable|more than"):
            read.of_yaml(text, "a.yaml")
    with pytest.raises(UsageError):
        read.of_json("[" * 100_000, "a.json")
    with pytest.raises(UsageError):
        read.of_json('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", "a.json")
    large = tmp_path / "large.yaml"
    large.write_text("a: " + "x" * read.LARGEST)
    with pytest.raises(UsageError, match="larger than"):
        read.read(str(large))


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        read.of_yaml("learning_rate: 1\nlearning_rate: 2\n", "a.yaml")
    with pytest.raises(UsageError, match="twice"):
        read.of_json('{"a": 1, "a": 2}', "a.json")


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "l.yaml").write_text("- 1\n- 2\n")
    for name in ("b.yaml", "l.yaml"):
        with pytest.raises(UsageError):
            read.read(str(tmp_path / name))
    for odd in ("a\0b", "x" * 5_000, ""):
        with pytest.raises(UsageError):
            read.read(odd)


def test_texts_of_the_file_stay_comments(tmp_path: Path) -> None:
    """A key or value with line breaks must not become a setting of the recipe."""
    keys, _ = read.read(str(imported.FILES / "trl" / "only_what_is_needed.yaml"))
    evil = {"x\n[task]\ny": "1\nmodel = 'other'", "run_name": "a\r\nmodel = 'other'"}
    draft = make.drafted({**keys, **evil}, "trl", Places(imported.FILES, imported.FILES))
    _, recipe = written.texts(draft, "a\nmodel = 'other'.yaml", Path("a.toml"), Path("r.toml"))
    found = tomllib.loads(recipe)
    assert found["model"] == keys["model_name_or_path"] and "task" not in found
