"""Starting the page: the environment, the model, a free port, and who may look."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import tempfile
import time
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.errors import MissingExtra, ToolkitError, UsageError
from toolkit.runs import Run, runs_folder
from toolkit.system import Console, environment, hide
from toolkit.system.doors import WILDCARDS
from toolkit.system.listening import (
    bracketed,
    free_port,
    is_loopback,
    lan_address,
    unbracketed,
)

if TYPE_CHECKING:
    from toolkit_playground.state.classroom import Classroom
    from toolkit_playground.state.library import Library

LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How the page is served; see the command's help."""

    host: str = LOCAL
    port: int | None = None
    auth: str | None = None
    share: bool = False
    allow_hosts: Sequence[str] = ()
    open_browser: bool = False
    base: str | None = None
    model: str | None = None
    trust_remote_code: bool = False
    classroom: bool = False


def serve(
    names: Sequence[str], *, runs: Path | None, options: Options, block: bool = True
) -> tuple[Any, str]:
    """Serve the playground until Ctrl-C; gives the app and its address where it does not block.

    Raises:
        UsageError: no such run, no free port, or a page that others can reach without a password.
    """
    auth = credentials(options.auth)
    host = unbracketed(options.host)
    check_door(options, host)
    environment.prepare(offline=True, serves=True)
    os.environ.pop("GRADIO_ALLOWED_PATHS", None)  # it would open folders behind everybody's back
    port = free_port(host, options.port)
    room = opened(options, host, port) if options.classroom else None
    folder = runs_folder(runs)
    # Removed once the page is no longer served, at the latest when the process ends.
    temporary = tempfile.TemporaryDirectory(
        prefix="toolkit-playground-", ignore_cleanup_errors=True
    )
    os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(temporary.name) / "gradio"))
    try:
        given = shown_first(names, folder, options, Path(temporary.name))
    except BaseException:
        temporary.cleanup()
        raise
    try:
        import gradio
    except ImportError as error:
        raise MissingExtra("the playground", "playground") from error
    from starlette.middleware import Middleware

    from toolkit.system.doors import Doorkeeper, Names
    from toolkit_playground.app import build
    from toolkit_playground.door import ClassDoor
    from toolkit_playground.rendering.theme import HEAD, STYLES, theme
    from toolkit_playground.state.classroom import MOST_NEW_TOKENS
    from toolkit_playground.state.library import Library

    console = Console(quiet=False)
    library = Library(folder, given, most_new_tokens=MOST_NEW_TOKENS if room else None)
    load_first(library, console)
    started = time.perf_counter()
    demo = build(library, Path(temporary.name), room)
    demo.temporary = temporary  # type: ignore[attr-defined]
    # A class is given one address, so that "any address" is no more than that one.
    served = Names(host if room is None else outer_name(host) or LOCAL, options.allow_hosts)
    doors = [Middleware(Doorkeeper, names=served)]
    if room is not None:
        doors.append(Middleware(ClassDoor, classroom=room))
    _, address, public = demo.launch(
        server_name=bracketed(host), server_port=port, auth=auth, share=options.share,
        inbrowser=options.open_browser and room is None, prevent_thread_lock=True, quiet=True,
        show_error=True,
        footer_links=[], ssr_mode=False, enable_monitoring=False, mcp_server=False, pwa=False,
        max_file_size=1024, theme=theme(gradio), css_paths=STYLES, head=HEAD,
        favicon_path=None, strict_cors=True, run_history=False,
        app_kwargs={"middleware": doors},
    )  # fmt: skip
    console.say(f"playground: {address.rstrip('/')} (after {time.perf_counter() - started:.1f} s)")
    if public:
        served.allow(urlsplit(public).netloc)
        console.say(f"public: {public}")
    if room is not None:
        room.run = library.first() or ""
        room.base = public.rstrip("/") if public else room.base
        announce(room, host, console, open_browser=options.open_browser)
    if is_loopback(host):
        console.say(
            f"from another machine: {tunnel(port, host)}, then open http://localhost:{port}"
        )
    if not block:
        return demo, address
    console.say("stop it with Ctrl-C")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends as after Ctrl-C
    try:
        demo.block_thread()
    finally:
        temporary.cleanup()
    return demo, address


def check_door(options: Options, host: str) -> None:
    """Refuse a page that others can reach without a password, or a class without its code."""
    if options.auth is None and (options.share or not (is_loopback(host) or options.classroom)):
        what = "--share" if options.share else f"--host {host}"
        raise UsageError(
            f"{what} lets others in: give --auth USER:PASSWORD (or @FILE) too, or leave it out and "
            "use the SSH tunnel that is printed"
        )


def opened(options: Options, host: str, port: int) -> Classroom:
    """A class, with the address that it is given.

    Raises:
        UsageError: this machine has no address in a network.
    """
    try:
        import segno  # noqa: F401 – so that it is missed now, and not before a class
    except ImportError as error:
        raise MissingExtra("the class's QR code", "playground") from error
    from toolkit_playground.state.classroom import Classroom, base_of_class

    name = next(iter(options.allow_hosts), None) or outer_name(host)
    if name is None:
        raise UsageError("this machine has no address in a network; name one: --allow-host NAME")
    return Classroom(base_of_class(name, port), port, logins=options.auth is not None)


def outer_name(host: str) -> str | None:
    """Under which address others find a server that listens at a host; ``None``: none."""
    return lan_address(six=":" in host) if host in WILDCARDS else host


def announce(room: Classroom, host: str, console: Console, *, open_browser: bool) -> None:
    """Say where the class and the teacher go, and keep the teacher's secret out of all else."""
    console.say(f"class: {room.link()}")
    if is_loopback(urlsplit(room.base).hostname or ""):
        console.warn("only this machine reaches that address: give --host 0.0.0.0 for a class")
    mine = room.teachers_link(LOCAL if host in WILDCARDS else host)
    console.say(f"teacher (for nobody else): {mine}")
    hide(room.secret)
    if open_browser:
        webbrowser.open(mine)


def shown_first(names: Sequence[str], folder: Path, options: Options, there: Path) -> list[Run]:
    """What the page shows first: the named runs, or a model without a run.

    Args:
        names: what the command line names.
        folder: the runs folder.
        options: they name the model.
        there: a temporary folder of the server.

    Raises:
        ToolkitError: there is no such run, model or adapter.
    """
    if options.base and options.model:
        raise UsageError("give --base with folders of adapters, or --model alone; not both")
    if options.model and names:
        raise UsageError("--model shows a model alone; name adapters of it with --base")
    if options.base and not names:
        raise UsageError("--base needs folders of adapters; a model alone is shown by --model")
    model = options.base or options.model
    if model:
        from toolkit.models import foreign
        from toolkit_playground.state import any_model

        adapters = [foreign.find(name) for name in names]
        code = options.trust_remote_code
        return [any_model.place(there / "models", model, adapters, remote_code=code)]
    for name in names:
        adapter, run = (Path(name) / one for one in ("adapter_config.json", "run.json"))
        if adapter.is_file() and not run.is_file():
            raise UsageError(f"{name} is an adapter and no run; name its model: --base MODEL")
    return [Run.find(name, folder) for name in names]


def load_first(library: Library, console: Console) -> None:
    """Load the model that the page opens on; what is amiss stands in the page as well."""
    key = library.first()
    if key is None:
        console.warn(f"no finished run in {library.folder} yet; make one with: toolkit run TASK")
        return
    started = time.perf_counter()
    try:
        library.engine(key)
    except ToolkitError as error:
        console.warn(str(error))
    except Exception as error:  # an odd run must not keep the others from being looked at
        console.warn(f"run {key} cannot be loaded: {type(error).__name__}: {error}")
    else:
        console.say(f"run {key}: model loaded in {time.perf_counter() - started:.1f} s")


def credentials(given: str | None) -> list[tuple[str, str]] | None:
    """Names and passwords from ``USER:PASSWORD`` or ``@FILE``.

    Raises:
        UsageError: neither of these, or a file that cannot be read.
    """
    if given is None:
        return None
    lines = [given]
    if given.startswith("@"):
        try:
            text = Path(given[1:]).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise UsageError(f"cannot read {given[1:]}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"cannot read {given[1:]}: it is no text in UTF-8") from error
        lines = [line for line in text.splitlines() if line.strip()]  # a password may have blanks
    pairs = [tuple(line.split(":", 1)) for line in lines]
    if not pairs or any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise UsageError("--auth takes USER:PASSWORD, or @FILE with such lines")
    for _, password in pairs:
        hide(password)
    return [(pair[0], pair[1]) for pair in pairs]


def tunnel(port: int, host: str = LOCAL) -> str:
    """The line that brings the page to another machine without opening it to anybody."""
    here = bracketed(LOCAL if host == "localhost" else host)
    return f"ssh -N -L {port}:{here}:{port} {getpass.getuser()}@{socket.gethostname()}"
