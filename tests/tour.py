"""Follow the README from top to bottom in a fresh environment: install, run, own data, own plugin.

    python tests/tour.py             every command as it stands there; needs a package index
    python tests/tour.py --offline   dependencies from this environment, no index, short training

The commands are read from the README: the fence behind ``<!-- run-command -->`` and those behind
``<!-- tour: … -->``. They run in one shell, in a copy of the project. The playground is started,
its page is requested, and it is stopped.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import checkout
from environments import OFFLINE, outer_packages

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r"^<!-- (run-command|tour: [\w-]+) -->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
SHORT = {
    "toolkit run price-regression": "--limit 600 --set training.max_steps=10",
    "toolkit run ./colours.toml": "--set training.max_steps=10",
    "toolkit run my-task": "--set training.max_steps=10",
}
"""What is added to a command with ``--offline``, so that the tour takes minutes."""

WATCH = """
playground() {
    toolkit playground > playground.log 2>&1 &
    shown=""
    for second in $(seq 180); do
        sleep 1
        page=$(grep -o 'http://[^ ]*' playground.log | head -1) || true
        if [ -n "$page" ] && python - "$page" <<'END'
import sys, urllib.request
sys.exit(0 if urllib.request.urlopen(sys.argv[1], timeout=5).status == 200 else 1)
END
        then shown=yes; break; fi
    done
    kill %1
    if [ -z "$shown" ]; then cat playground.log; return 1; fi
}
"""


def steps() -> list[tuple[str, str]]:
    """The README's steps, each with its commands."""
    return FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def script(*, offline: bool) -> str:
    """All steps as one shell script."""
    lines = ["set -euo pipefail", WATCH]
    for name, commands in steps():
        lines.append(f"echo '=== {name}'")
        for command in commands.splitlines():
            lines.append(_adapted(command) if offline else _watched(command))
    return "\n".join(lines) + "\n"


def _watched(command: str) -> str:
    return "playground" if command == "toolkit playground" else command


def _adapted(command: str) -> str:
    if command in SHORT:
        return f"{command} {SHORT[command]}"
    if "-m venv" in command:
        return f"{command}\n{_borrow()}"
    return _watched(command)


def _borrow() -> str:
    """Commands that let the new environment see the packages of this one, through a path file.

    Its own setuptools, older than torch wants, goes: the one of this environment is seen instead.
    """
    return "\n".join(
        [
            "site=$(python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))')",
            'rm -rf "$site"/setuptools* "$site"/pkg_resources "$site"/_distutils_hack '
            '"$site"/distutils-precedence.pth',
            *(f'echo "{path}" >> "$site/outer.pth"' for path in outer_packages()),
        ]
    )


def follow(folder: Path, *, offline: bool) -> int:
    """Run the steps in a copy of the project; the shell's exit code."""
    checkout.copied(folder / "project")
    (folder / "tour.sh").write_text(script(offline=offline))
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TOOLKIT_RUNS")}
    if offline:
        environment |= OFFLINE
    done = subprocess.run(
        ["bash", str(folder / "tour.sh")], cwd=folder / "project", env=environment, check=False
    )
    return done.returncode


def main() -> None:
    """Follow the README in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offline", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(follow(Path(folder), offline=arguments.offline))


if __name__ == "__main__":
    main()
