"""Notebooks of the examples run in a kernel, without the Hub, and are stored without outputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cli_runner import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
BOOKS = sorted(EXAMPLES.rglob("*.ipynb"))


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    book: Any = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code and all(not c.outputs and c.execution_count is None for c in code)
    assert not [w for w in ("/home/", "/root/", "/tmp/") if w in path.read_text("utf-8")]


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_first_run_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbclient

    for name, value in {**environment(), "HF_HUB_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    book: Any = nbformat.read(EXAMPLES / "first_run.ipynb", as_version=4)
    nbclient.NotebookClient(
        book, timeout=1400, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = {
        number: cell.outputs
        for number, cell in enumerate(c for c in book.cells if c.cell_type == "code")
    }
    ran, ladder, told, places = (outputs[number] for number in (2, 3, 4, 5))
    lines = "".join(o.text for o in ran if o.output_type == "stream")
    assert "• training" in lines and "• report" in lines and "\x1b" not in lines
    assert not [o for o in ran if o.output_type == "stream" and o.name == "stderr"], ran
    (shown,) = (o.data["text/html"] for o in ran if o.output_type == "execute_result")
    assert "<table>" in shown and "adapter" in shown
    bars = [o for o in ran if o.output_type == "display_data"]
    assert bars and all(not o.data["text/plain"].strip() for o in bars), "progress leaves no line"
    assert (
        "adapter" in ladder[0].data["text/html"]
        and "exact_match_low" in ladder[0].data["text/html"]
    )
    assert "prediction" in told[0].data["text/html"]
    adapter, report = places[0].text.split()
    assert (tmp_path / adapter / "adapter_model.safetensors").is_file()
    assert (tmp_path / report).is_file()
    (run,) = (tmp_path / "runs").glob("teams/*")
    assert json.loads((run / "run.json").read_text())["command"].startswith("toolkit.run(task=")
    assert os.environ["HF_HUB_OFFLINE"] == "1"
