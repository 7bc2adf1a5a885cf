"""Files in other encodings than the one they are read in: the error names one that fits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolkit.data.load import read
from toolkit.data.source import Source
from toolkit.errors import DataError

TEXTS = {
    "cp1252": "Le café était très bon, déjà goûté – señor",
    "cp1251": "Очень хороший телефон, рекомендую его всем друзьям",
    "gb18030": "这个酒店的房间很干净，服务员也很热情，下次还会再来",
    "cp932": (
        "とても良い商品でした。レビューを見て購入しましたが、届くのが遅かったのは残念です。"
        "カメラの画質はきれいで、バッテリーも長持ちします"
    ),
    "cp1256": "الفندق نظيف جدا والموظفون متعاونون والموقع ممتاز",
    "latin-1": "caf\xe9 \x81 bon",
}


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".json"])
def test_the_encoding_that_is_named_reads_the_file(
    tmp_path: Path, encoding: str, ending: str
) -> None:
    text = TEXTS[encoding].replace(",", "").replace("，", " ")
    one = f'{{"n": "1", "text": "{text}"}}'
    content = {
        ".csv": "n,text\n" + f"1,{text}\n" * 40,
        ".jsonl": f"{one}\n" * 40,
        ".json": f"[{', '.join([one] * 40)}]",
    }[ending]
    path = tmp_path / f"a{ending}"
    path.write_bytes(content.encode(encoding))
    with pytest.raises(DataError, match="name the encoding") as refused:
        read(path, Source())
    named = re.search(r"--encoding (\S+)", str(refused.value))
    assert named is not None
    assert read(path, Source(encoding=named[1]))[0]["text"] == text


def test_a_few_damaged_characters_are_no_other_encoding(tmp_path: Path) -> None:
    """Read as cp1252, every other letter of the file would be wrong."""
    path = tmp_path / "a b.csv"
    path.write_bytes(b"text\n" + "größer und schöner\n".encode() * 9 + b"caf\xe9\n")
    with pytest.raises(
        DataError, match="UTF-8 with 1 damaged character, which this takes out"
    ) as e:
        read(path, Source())
    assert "iconv -c -f utf-8 -t utf-8 'a b.csv' > 'clean-a b.csv'" in str(e.value)


def test_a_wrong_encoding_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text\nein größeres Maß\n".encode() * 3)
    with pytest.raises(DataError, match="it is UTF-8"):
        read(path, Source(encoding="ascii"))
