"""Python processes that begin with the heavy libraries already imported.

To import torch, transformers and TRL takes eight seconds of a slow core, and a test of a page types
a dozen commands. One process imports them and is forked for each command; the child takes the
command's environment, folder, arguments, standard streams and virtual environment, and imports the
toolkit itself, as a fresh process does. ``COLD=1`` in the environment starts a fresh one each time.

:func:`python` is what a command begins with in the place of ``python``.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

HEAVY = (
    "torch._dynamo", "transformers.trainer", "transformers.models.auto.modeling_auto",
    "trl.trainer.sft_trainer", "trl.trainer.sft_config", "peft", "datasets",
    "sentence_transformers", "sklearn.linear_model", "sklearn.feature_extraction.text",
    "scipy.stats", "rich.console", "typer",
)  # fmt: skip
"""What is imported before a command begins; nothing of the toolkit or its plugins."""


def python(folder: Path) -> list[str]:
    """The beginning of a command: ``python`` of the virtual environment ``folder``, begun warm.

    It takes what ``python`` takes; what is neither ``-c``, ``-m`` nor a file goes to the real one.
    """
    real = str(folder / "bin" / "python")
    if os.environ.get("COLD"):
        return [real]
    return [sys.executable, "-I", "-S", __file__, "ask", str(_server()), real]


@functools.cache
def _server() -> Path:
    """The socket of this process's server, which ends with it."""
    place = Path(tempfile.mkdtemp(prefix="toolkit-warm-")) / "socket"
    server = subprocess.Popen(
        [sys.executable, __file__, "serve", str(place)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.kill)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n", "the heavy libraries could not be imported"
    return place


# -- the process that asks -------------------------------------------------------------------------


def ask(place: str, real: str, arguments: list[str]) -> int:
    """Have the command run by a child of the server, with the streams of this process."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-c", "-m")):
        os.execv(real, [real, *arguments])
    wanted = {
        "real": real, "arguments": arguments, "folder": str(Path.cwd()),
        "environment": dict(os.environ),
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        data = json.dumps(wanted).encode()
        socket.send_fds(line, [len(data).to_bytes(4, "big")], [0, 1, 2])
        line.sendall(data)
        child = int.from_bytes(_exactly(line, 4), "big")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(child, number))
        return (_exactly(line, 1) or b"\x89")[0]  # 137: it was killed


def _exactly(line: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (more := line.recv(count - len(got))):
        got += more
    return got


# -- the process that is forked --------------------------------------------------------------------


def serve(place: str) -> None:
    """Import what is heavy, and fork for each line that comes, until the owner has ended."""
    import gc
    import importlib

    for name in HEAVY:
        with contextlib.suppress(ImportError):  # an environment without an extra
            importlib.import_module(name)
    assert "toolkit" not in sys.modules
    gc.freeze()
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    line = socket.socket(socket.AF_UNIX)
    line.bind(place)
    line.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no child is waited for: each tells its code
    print("ready", flush=True)
    while True:
        asked, _ = line.accept()
        if os.fork() == 0:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _be_the_command(asked)
        asked.close()


def _be_the_command(asked: socket.socket) -> None:
    """In the child: run the command, tell its exit code, end."""
    code = 1
    try:
        length, files, *_ = socket.recv_fds(asked, 4, 3)
        wanted = json.loads(_exactly(asked, int.from_bytes(length, "big")))
        asked.sendall(os.getpid().to_bytes(4, "big"))
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        code = _run(wanted)
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        asked.sendall(bytes([code & 255]))
        os._exit(code & 255)


def _run(wanted: dict[str, Any]) -> int:
    """The command's exit code; ``sys`` and ``site`` are first set as ``real`` would find them."""
    import runpy
    import traceback

    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.stdin, sys.stdout, sys.stderr = (
        open(n, mode, encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115 – for good
        for n, mode in enumerate("rww")
    )
    _be_in(Path(wanted["real"]))
    how, *rest = wanted["arguments"]
    try:
        if how == "-m":
            sys.path.insert(0, str(Path.cwd()))
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif how == "-c":
            sys.path.insert(0, "")
            sys.argv = ["-c", *rest[1:]]
            import __main__

            exec(compile(rest[0], "<string>", "exec"), __main__.__dict__)
        else:
            sys.path.insert(0, str(Path(how).resolve().parent))
            sys.argv = [how, *rest]
            runpy.run_path(how, run_name="__main__")
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _be_in(real: Path) -> None:
    """Take the packages of ``real``'s virtual environment in place of those of the server."""
    import site

    import numpy as np

    np.random.seed()
    folder = real.parents[1]
    (packages,) = folder.glob("lib/python*/site-packages")
    sys.executable, sys.prefix, sys.exec_prefix = str(real), str(folder), str(folder)
    own = Path(__file__).parent
    sys.path[:] = [
        path for path in sys.path if not path.endswith("site-packages") and Path(path) != own
    ]
    sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in repr(one)]
    for path in filter(None, reversed(os.environ.get("PYTHONPATH", "").split(":"))):
        sys.path.insert(0, path)
    site.addsitedir(str(packages))
    sys.modules.pop("sitecustomize", None)
    site.execsitecustomize()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[2], sys.argv[3], sys.argv[4:]))
