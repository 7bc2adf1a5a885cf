"""Bytes → text: compression, encodings, byte order marks, and files that are not text."""

from __future__ import annotations

import io
import shlex
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from toolkit.data.readers import archive
from toolkit.errors import DataError, UsageError

END = "\x1eend of file\x1e"
"""A line added after the last: a parser that makes it part of a value had an open quote."""

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


COMPRESSIONS = {
    ".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".br": "brotli",
    ".zip": archive.ZIP,
}  # fmt: skip
"""Endings of the names of compressed files → the names of pyarrow's codecs, and that of archives
with one file of rows."""


UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error)
"""What is raised where a file or an archive breaks off or is damaged."""
REPLACED = "\ufffd"
"""What stands for bytes that cannot be decoded."""
FEW_DAMAGED = 4
"""As many valid letters beyond ASCII for each damaged one make a file one of UTF-8."""
SAMPLED = 100_000
"""Bytes, of lines with letters beyond ASCII, from which the encoding is guessed."""


def compression(path: Path) -> str | None:
    """The codec by which a file is compressed, by the ending of its name; ``None``: by none."""
    return COMPRESSIONS.get(path.suffix.lower())


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where its name has one of :data:`COMPRESSIONS`."""
    codec = compression(path)
    if codec is None:
        return path.open("rb")
    if codec == archive.ZIP:
        return archive.open_member(path)
    import pyarrow as pa

    return cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(str(path)), codec))


def encoding_of(path: Path, given: str | None) -> str:
    """The encoding: ``given``, else that of the byte order mark, else UTF-8.

    Raises:
        DataError: the file cannot be read or is not text.
        UsageError: there is no encoding of the given name.
    """
    try:
        with open_bytes(path) as file:
            head = file.read(4096)
    except UNREADABLE as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if given:
        try:
            "".encode(given)
        except LookupError as error:
            raise UsageError(f"--encoding {given}: there is no such encoding") from error
        # a mark that is not decoded away would become part of the first column's name
        return "utf-8-sig" if given.lower().replace("_", "-") in ("utf-8", "utf8") else given
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    for magic, what in ((b"PK\x03\x04", "a ZIP archive or a workbook: let its name end in "
                         ".zip, .xlsx or .ods"),
                        (b"\x1f\x8b", "packed by gzip: let its name end in .gz"),
                        (b"BZh9", "packed by bzip2: let its name end in .bz2"),
                        (b"\x28\xb5\x2f\xfd", "packed by Zstandard: let its name end in .zst"),
                        (b"\x04\x22\x4d\x18", "packed by LZ4: let its name end in .lz4"),
                        (b"\xd0\xcf\x11\xe0", "an old Excel workbook: let its name end in .xls"),
                        (b"PAR1", "a Parquet file: let its name end in .parquet"),
                        (b"%PDF", "a PDF file")):  # fmt: skip
        if head.startswith(magic):
            raise DataError(f"{path} is not a text file but {what}")
    if b"\0" in head:
        raise DataError(
            f"{path} holds NUL bytes: it is not a text file, or its encoding has to be named "
            "(--encoding utf-16-le)"
        )
    return "utf-8"


def open_text(path: Path, encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    """The file as text, line ends as they are (a quoted value may hold any of them)."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, errors=errors, newline="")


def other_encoding(path: Path, failed: str) -> str:
    """What to do about a file that is not in the encoding it was read in, for the end of an error.

    A file whose letters beyond ASCII are nearly all UTF-8 has damaged bytes; read in another
    encoding, all its other letters would be wrong.

    Args:
        path: the file.
        failed: the encoding that it is not in.
    """
    with open_text(path, "utf-8", errors="replace") as file:
        damaged = letters = 0
        for line in file:
            if not line.isascii():
                damaged += line.count(REPLACED)
                letters += sum(not sign.isascii() for sign in line)
    if letters - damaged > FEW_DAMAGED * damaged:
        if not damaged:
            return "name the encoding: it is UTF-8 (--encoding utf-8)"
        unpack = "unpack it first: " if compression(path) else ""
        return (
            f"{unpack}the file is UTF-8 with {damaged:,} damaged character"
            f"{'s' * (damaged > 1)}, which this takes out: iconv -c -f utf-8 -t "
            f"utf-8 {shlex.quote(path.name)} > {shlex.quote(f'clean-{path.name}')}"
        )
    likely = [name for name in (_of_another_script(path), "cp1252") if name and name != failed]
    fitting = next((name for name in likely if _is_in(path, name)), "latin-1")
    where = " (files from Windows or Excel)" if fitting == "cp1252" else ""
    return f"name the encoding, such as --encoding {fitting}{where}"


def _of_another_script(path: Path) -> str | None:
    """The likeliest encoding of a file whose letters beyond ASCII are those of another script.

    charset-normalizer tells scripts apart by which letters stand together; the many encodings of
    Latin letters it cannot tell apart, and nearly all files in one of them are in cp1252.
    """
    from charset_normalizer import from_bytes

    sample = bytearray()
    with open_text(path, "latin-1") as file:  # each byte is a letter of its own
        for line in file:
            if not line.isascii():
                sample += line.encode("latin-1")
            if len(sample) > SAMPLED:
                break
    beyond = sum(byte > 127 for byte in sample)
    plain = sum(chr(byte).isalpha() for byte in sample if byte < 128)
    if beyond <= plain:  # in Latin script most letters are ASCII
        return None
    best = from_bytes(bytes(sample)).best()
    return None if best is None else best.encoding


def _is_in(path: Path, encoding: str) -> bool:
    try:
        with open_text(path, encoding) as file:
            for _ in file:
                pass
    except UnicodeError:
        return False
    return True


class Lines:
    """The lines of a file, counted by characters, with :data:`END` behind the last."""

    def __init__(self, path: Path, file: io.TextIOWrapper) -> None:
        self.path = path
        self.file = file
        self.characters = 0
        self.pending: list[str] = []
        """Lines since the reader of records last cleared it."""

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._lines(), start=1):
            if "\0" in line:
                raise DataError(f"{self.path}: line {number} holds a NUL byte; it is not text")
            self.characters += len(line)
            self.pending.append(line)
            yield line
        self.pending.append(END)
        yield END

    def _lines(self) -> Iterator[str]:
        # Named here: further on it would pass for an error of writing the rows to disk.
        try:
            yield from self.file
        except UNREADABLE as error:
            raise DataError(f"cannot read {self.path} to its end: {error}") from error
