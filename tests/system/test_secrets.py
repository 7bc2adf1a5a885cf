"""Secrets by name and by form: refused as settings, taken out of what is written and printed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.runs.files import write_json, write_jsonl, write_text
from toolkit.system import secrets
from toolkit.system.console import Console, emit

FORMS = (
    "hf_" + "aB3" * 11,
    "sk-" + "a1" * 24,
    "sk-ant-api03-" + "Zz9_" * 8,
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2_" * 12,
    "glpat-" + "a1B2-" * 5,
    "AKIA" + "ABCD2345" * 2,
    "AIza" + "Sy_a1" * 7,
    "xoxb-" + "123456789-abcdef",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dBjftJeZ4CVPmB92K27uhbUJ",
    "-----BEGIN RSA PRIVATE KEY-----",
)
VALUE = "planted-4Ever-in-the-environment"


@pytest.mark.parametrize(
    "name",
    ["hub_token", "training.hub_token", "token", "api_key", "apiKey", "OPENAI_API_KEY", "password",
     "db-password", "client_secret", "aws_secret_access_key", "private_key", "auth", "hf_token"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert secrets.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_new_tokens", "pad_token", "eos_token", "lora.trainable_token_indices", "author", "key",
     "training.dataloader_num_workers", "tokenizer", "secretary", "primary_key", "length", ""],
)  # fmt: skip
def test_names_of_other_settings(name: str) -> None:
    assert not secrets.is_secret_name(name)


def test_a_variable_may_hold_one_by_a_shorter_name() -> None:
    assert secrets.is_secret_name("CI_JOB_TOKEN", variable=True)
    assert secrets.is_secret_name("WANDB_KEY", variable=True)
    assert not secrets.is_secret_name("TOKENIZERS_PARALLELISM", variable=True)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form[:6])
def test_forms_are_refused_and_hidden(form: str) -> None:
    with pytest.raises(UsageError, match=r"training\.anything.*environment") as refused:
        secrets.refuse({"training": {"anything": form}})
    assert form not in str(refused.value)
    hidden = secrets.redacted(f"before {form} after")
    assert form not in hidden and hidden.startswith("before ") and hidden.endswith(" after")


@pytest.mark.parametrize(
    "text",
    ["a task-force of thirty-two desk-lamps-and-chairs", "hf_hub_download", "sk-learn-pipelines-of",
     "https://example.org/a:b@c", "AKIA", "eyJ", "price: 5 @ 3", "mailto:a@example.org"],
)  # fmt: skip
def test_common_texts_stay(text: str) -> None:
    assert secrets.redacted(text) == text


def test_the_password_of_an_address_is_hidden() -> None:
    shown = secrets.redacted("no answer at https://user:pa55@example.org/v1?x=1")
    assert shown == "no answer at https://[secret]@example.org/v1?x=1"
    with pytest.raises(UsageError):
        secrets.refuse({"source": {"data": "https://user:pa55@example.org/rows.csv"}})


@pytest.mark.parametrize(
    "settings",
    [{"training": {"hub_token": "anything"}}, {"a": [{"password": "x"}]}, {"a": {"b": VALUE}}],
)
def test_settings_are_refused(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", VALUE)
    secrets.read_environment()
    with pytest.raises(UsageError) as refused:
        secrets.refuse(settings)
    assert VALUE not in str(refused.value) and "hf auth login" in str(refused.value)


def test_settings_that_hold_none_are_not() -> None:
    secrets.refuse({"training": {"hub_token": None, "use_auth": False, "learning_rate": 1e-3}})


def test_nothing_written_or_printed_holds_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_TOKEN", VALUE)
    secrets.read_environment()
    text = f"with {VALUE} and {FORMS[0]}"
    write_text(tmp_path / "a.md", text)
    write_json(tmp_path / "a.json", {text: [text, {"x": (text,)}]})
    emit({"x": text})
    console = Console(live=False)
    for say in (console.say, console.note, console.heading, console.warn):
        say(text)
    printed = capsys.readouterr()
    found = [(tmp_path / "a.md").read_text(), (tmp_path / "a.json").read_text(), *printed]
    assert not [piece for piece in found if VALUE in piece or FORMS[0] in piece]
    assert json.loads((tmp_path / "a.json").read_text())
    # Rows of data keep what only looks like one: they are compared with their file.
    write_jsonl(tmp_path / "a.jsonl", [{"text": text}])
    (row,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert VALUE not in row["text"] and FORMS[0] in row["text"]


def test_values_that_are_words_or_paths_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSWORD", "password")
    monkeypatch.setenv("SSH_KEY", "/home/someone/.ssh/id_rsa")
    secrets.read_environment()
    text = "the password of /home/someone/.ssh/id_rsa"
    assert secrets.redacted(text) == text


@pytest.mark.parametrize("text", ["\x1b]52;c;ZXZpbA==\x07", "a\x1b[2Jb", "\x9b31m", "a\rb", "\x00"])
def test_a_terminal_is_not_controlled(text: str) -> None:
    shown = secrets.printable(f"{text}\n\tä ✓")
    assert not [sign for sign in shown if ord(sign) < 32 and sign not in "\n\t"]
    assert "\x9b" not in shown and shown.endswith("\n\tä ✓")


@given(st.text(alphabet="hf_sk-ghpeyJ.AKIA:/@x10 ", max_size=200))
def test_a_text_is_redacted_once(text: str) -> None:
    once = secrets.redacted(text)
    assert secrets.redacted(once) == once


@pytest.mark.parametrize(
    "piece", ["hf_", "sk-", "sk-a", "eyJaaaaaaaaaaaa.", "://", "://a:", "-----BEGIN ", "ghp_a1"]
)
def test_long_texts_take_linear_time(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    started = time.process_time()
    secrets.redacted(text)
    assert time.process_time() - started < 5


def test_a_password_that_was_given_is_hidden() -> None:
    secrets.hide("given-0n-the-line")
    assert secrets.redacted("user:given-0n-the-line") == "user:[secret]"


def test_the_output_of_an_error_is_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from toolkit.cli.exit import fail

    monkeypatch.setattr("sys.argv", ["toolkit", "--json"])
    monkeypatch.setenv("TOOLKIT_DEBUG", "1")
    fail(UsageError(f"no model at https://me:{VALUE}@host and {FORMS[1]}"), 2)
    printed = capsys.readouterr()
    assert VALUE not in printed.out + printed.err and FORMS[1] not in printed.out + printed.err
