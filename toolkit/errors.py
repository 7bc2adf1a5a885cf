"""Errors the toolkit raises for the person who uses it.

    ToolkitError                exit code 2, one sentence, no traceback unless --debug
    ├── UsageError              an option, a name or a combination that cannot be used
    │   └── RecipeError         a recipe or --set holds a field or value that a library refuses
    ├── DataError               a file, a row or a column that cannot be used
    ├── PluginError             a plugin or its task breaks the contract
    ├── PreflightError          the run would fail; reported before a model is loaded
    ├── ModelError              a model, tokenizer or adapter that cannot be loaded or that diverged
    ├── RunError                a run directory that cannot be written, read or resumed
    │   ├── WriteError          a file that cannot be written now (disk full, no permission)
    │   ├── BusyError           a run that another process works at
    │   └── VerificationError   a figure of a report differs from what its predictions give (exit 1)
    └── MissingExtra            an optional dependency is absent; the message is the pip line

Messages say what is wrong, where (file, row, column) and what to do, in one sentence or two.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ToolkitError(Exception):
    """A problem that the user can solve; shown as one message, without a traceback."""

    exit_code = 2
    """Exit code of the command line."""


class UsageError(ToolkitError):
    """An option, a name or a combination of them cannot be used."""


class RecipeError(UsageError):
    """A recipe or ``--set`` holds a field or a value that an installed library would refuse."""


class DataError(ToolkitError):
    """A file, a row or a column cannot be used."""


class PluginError(ToolkitError):
    """A plugin or one of its tasks breaks the contract."""


class PreflightError(ToolkitError):
    """The run would fail; found before a model was loaded."""


class ModelError(ToolkitError):
    """A model, tokenizer or adapter cannot be loaded, does nothing, or diverges in training."""


class RunError(ToolkitError):
    """A run directory cannot be written, read or resumed."""


class WriteError(RunError):
    """A file of a run cannot be written now; once it can be, the run goes on with ``resume``."""


class BusyError(RunError):
    """Another process works at the run."""


class VerificationError(RunError):
    """A figure of a report is not what its predictions give."""

    exit_code = 1
    """1, because the run could be read, but its figures do not match its predictions."""


class MissingExtra(ToolkitError):
    """An optional dependency is absent.

    Args:
        what: what needs it; begins the message (``"sentence embeddings"``).
        extra: the extra of adapter-toolkit that installs it (``"offline"``).
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra: pip install 'adapter-toolkit[{extra}]'")


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`` – did you mean 'x'?`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f" – did you mean {near[0]!r}?" if near else ""
