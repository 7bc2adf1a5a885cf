"""Secrets: refused as settings, and taken out of all that is written or printed.

A secret is known by the name of its setting or environment variable, or by its form: many services
give their keys a prefix, so that leaked ones can be found. The forms are those of the rules of
gitleaks (https://github.com/gitleaks/gitleaks, config/gitleaks.toml) and of GitHub's secret
scanning. All patterns are linear.
"""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.errors import UsageError

HIDDEN = "[secret]"
"""What stands in the place of a secret."""
_FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"hf_[A-Za-z0-9]{20,}"  # Hugging Face
    r"|(?:sk|rk|pk)-(?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic, OpenRouter
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}"  # GitHub
    r"|glpat-[A-Za-z0-9_-]{20,}"  # GitLab
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"  # JSON Web Token
    r")|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s:@?#\"'<>]{0,200}:[^/\s@?#\"'<>]{1,200}@")
"""``USER:PASSWORD@`` of an address."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ALWAYS = {"password", "passwd", "passphrase", "secret", "apikey", "credential", "credentials",
           "auth", "authorization", "bearer"}  # fmt: skip
_KEYS = {"api", "access", "private", "secret", "auth"}
"""What stands before ``key`` in the name of a secret."""
_TOKENS = {"hub", "hf", "api", "access", "auth", "refresh", "bearer", "session", "user", "github",
           "gitlab", "wandb", "openai", "id", "login", "my"}  # fmt: skip
"""What stands before ``token``; other tokens, as in ``pad_token``, are pieces of a text."""
_SHORTEST = 8
"""Values of environment variables below so many characters are also common words."""


def is_secret_name(name: str, *, variable: bool = False) -> bool:
    """Whether a setting or an environment variable holds a secret, by its name.

    Args:
        name: such as ``hub_token``, ``apiKey`` or ``HF_TOKEN``; of a path of names the last counts.
        variable: of an environment variable, where any ``…TOKEN`` or ``…KEY`` is one.
    """
    words = [word.lower() for word in _WORDS.findall(name.rpartition(".")[2])]
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _ALWAYS or "".join(words).endswith("apikey"):
        return True
    if last in ("token", "pat"):
        return variable or not before or before in _TOKENS
    return last == "key" and (before in _KEYS or (variable and bool(before)))


def has_form(text: str) -> bool:
    """Whether a text holds a secret by its form, or the password of an address."""
    return bool(_FORMS.search(text) or _IN_ADDRESS.search(text))


# -- settings --------------------------------------------------------------------------------------
def refuse(settings: Mapping[str, Any], where: str = "") -> None:
    """Refuse settings that hold a secret, because a run writes its settings down.

    Args:
        settings: nested settings, such as a recipe's sections.
        where: stands before their names.

    Raises:
        UsageError: naming the setting, never its value.
    """
    for name, value in _leaves(settings, where):
        known = isinstance(value, str) and (has_form(value) or bool(_known_in(value)))
        if known or (value not in (None, "", False, True) and is_secret_name(name)):
            raise UsageError(
                f"{name} would put a secret into the run's files; leave it out and give the secret "
                "by the environment (HF_TOKEN, WANDB_API_KEY, AWS_…) or log in once: "
                "hf auth login"
            )


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _leaves(inside, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from _leaves(inside, name)
    else:
        yield name, value


# -- what is written and printed -------------------------------------------------------------------
_given: set[str] = set()


def hide(secret: str) -> None:
    """Hide a secret that this process was given, such as a password, in all that it writes."""
    if len(secret) >= _SHORTEST:
        _given.add(secret)


def redacted(text: str) -> str:
    """A text without secrets: those of a known form, of addresses and of the environment."""
    if "://" in text:
        text = _IN_ADDRESS.sub(f"{HIDDEN}@", text)
    text = _FORMS.sub(HIDDEN, text)
    for secret in _known_in(text):
        text = text.replace(secret, HIDDEN)
    return text


def redacted_values(value: Any) -> Any:
    """JSON values without secrets, in texts and in keys."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {
            redacted(key) if isinstance(key, str) else key: redacted_values(inside)
            for key, inside in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted_values(inside) for inside in value]
    return value


def printable(text: str) -> str:
    """A text for a terminal: without secrets and without characters that control a terminal.

    Texts of runs and files come from anywhere: an escape sequence could move the cursor, hide what
    was printed, or write into the clipboard.
    """
    text = redacted(text)
    if text.isprintable():
        return text
    return "".join(
        sign if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs") else "\ufffd"
        for sign in text
    )


def known_values(text: str) -> str:
    """A text without the secrets of this process and its environment, whatever their form.

    For rows of data, in which a text of a secret's form is the data's own.
    """
    for secret in _known_in(text):
        text = text.replace(secret, HIDDEN)
    return text


def _known_in(text: str) -> list[str]:
    """The secrets of this process and its environment that a text holds, the longest first."""
    found = [secret for secret in (*_given, *_of_environment()) if secret in text]
    return sorted(found, key=len, reverse=True)


def read_environment() -> None:
    """Look at the environment anew: a command does when it begins."""
    _of_environment.cache_clear()


@functools.cache
def _of_environment() -> tuple[str, ...]:
    """Values of variables that hold a secret, without those that are common words or paths."""
    return tuple(
        {
            value
            for name, value in os.environ.items()
            if is_secret_name(name, variable=True)
            and len(value) >= _SHORTEST
            and not value.isalpha()
            and not value.startswith(("/", "."))
        }
    )
