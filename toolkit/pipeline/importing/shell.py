"""The arguments of a training command in a shell script. Nothing of it is ever executed.

Understood are ``trl sft …``, ``llamafactory-cli train …`` and a Python script with arguments,
started by ``python``, ``accelerate launch``, ``torchrun`` and the like; and variables that the
script itself sets to a plain text.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from toolkit.errors import UsageError

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)")
_LLAMA_FACTORY = ("llamafactory-cli", "lmf")
_ENDS = frozenset(("&&", "||", ";", "|", "&"))


def arguments(text: str) -> tuple[dict[str, Any], str | None]:
    """The arguments of the one training command of a script, by their names without ``--``.

    Args:
        text: a script, or a single line.

    Returns:
        values as texts, ``True`` for arguments without one, lists where there are several; and the
        tool that the command names, ``None`` for a Python script.

    Raises:
        UsageError: there is no such command, there are several, or a value needs a shell.
    """
    found = [one for words in _commands(text) if (one := _training(words)) is not None]
    if not found:
        raise UsageError(
            "no training command is found: trl sft --…, llamafactory-cli train --…, or a Python "
            "script with --arguments"
        )
    if len(found) > 1:
        raise UsageError("the script has several training commands; leave one")
    words, tool = found[0]
    return _named(words), tool


def _commands(text: str) -> list[list[str]]:
    """The commands of a script as words, with its own variables filled in."""
    variables: dict[str, str] = {}
    commands = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError as error:
            raise UsageError(f"a line of the script cannot be read: {error}") from error
        assigned = _ASSIGNMENT.fullmatch(words[0]) if len(words) == 1 else None
        if assigned:
            variables[assigned[1]] = _filled(assigned[2], variables)
            continue
        command: list[str] = []
        for word in [*words, ";"]:
            if word in _ENDS:
                commands.append(command)
                command = []
            else:
                command.append(_filled(word, variables))
    return commands


def _filled(word: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), word)


def _training(words: list[str]) -> tuple[list[str], str | None] | None:
    """The words behind the program of a training command, and the tool; ``None``: it is none."""
    names = [word.rpartition("/")[2] for word in words]
    for at, name in enumerate(names):
        following = names[at + 1] if at + 1 < len(names) else ""
        if name == "trl" and following:
            if following != "sft":
                raise UsageError(
                    f"trl {following[:30]} is no supervised fine-tuning; only trl sft is imported"
                )
            return words[at + 2 :], "trl"
        if name in _LLAMA_FACTORY and following == "train":
            return words[at + 2 :], "llamafactory"
        if name.endswith(".py") and any(word.startswith("--") for word in words[at + 1 :]):
            return words[at + 1 :], None
    return None


def _named(words: list[str]) -> dict[str, Any]:
    """``--name value …`` as a table."""
    found: dict[str, Any] = {}
    name: str | None = None
    for word in words:
        if "$" in word or "`" in word:
            raise UsageError(f"{word[:60]!r} needs a shell to be understood; write its value there")
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            name = name.replace("-", "_")
            if name in found:
                raise UsageError(f"the argument --{name[:60]} is given twice")
            found[name] = value if equals else True
        elif word.startswith("-") and word[1:2].isalpha():
            raise UsageError(f"{word[:60]!r} is a short option; write its long name")
        elif name is None:
            found = {**found, "config": word} if "config" not in found else found
        elif found[name] is True:
            found[name] = word
        else:
            before = found[name]
            found[name] = [*before, word] if isinstance(before, list) else [before, word]
    return found
