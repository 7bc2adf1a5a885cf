"""The command line. Commands are thin: they read options, call one function and show its result.

Nothing heavy is imported here at module level, so that ``toolkit --help`` answers at once. The
modules of commands are imported in the order in which the help lists them.
"""

from __future__ import annotations

import os
import sys

from toolkit.cli import run  # isort: split

from toolkit.cli import evaluate  # isort: split

from toolkit.cli import authoring  # isort: split

from toolkit.cli import init  # isort: split

from toolkit.cli import importing  # isort: split

from toolkit.cli import show  # isort: split

from toolkit.cli import finished_runs
from toolkit.cli.app import app
from toolkit.cli.exit import INTERRUPTED, check_arguments, fail, interrupted, other
from toolkit.errors import ToolkitError
from toolkit.plugins import commands
from toolkit.system import environment
from toolkit.system.secrets import read_environment

__all__ = [
    "app", "authoring", "evaluate", "finished_runs", "importing", "init", "main", "run", "show",
]  # fmt: skip


def main() -> None:
    """The ``toolkit`` command: an expected error is one message, Ctrl-C leaves a resumable run."""
    if "--debug" in sys.argv:
        sys.argv.remove("--debug")
        os.environ["TOOLKIT_DEBUG"] = "1"
    if withdraw := getattr(sys.modules.get("toolkit.runs.trust"), "withdraw", None):
        withdraw()  # consent is of one command line; several in a process are tests'
    environment.quiet()
    read_environment()
    try:
        check_arguments(sys.argv[1:])
        commands.add_commands(app)
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # typer has caught the Ctrl-C
            code = interrupted()
    except ToolkitError as error:
        code = fail(error, error.exit_code)
    except KeyboardInterrupt:
        code = interrupted()
    except Exception as error:
        code = other(error)
    sys.exit(code if isinstance(code, int) else 0)
