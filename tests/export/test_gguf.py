"""``--to gguf``: a file like the base's own one, read back; and faults that are refused."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import export_faults
import quick_runs
from gguf_pattern import write_pattern
from toolkit.errors import UsageError
from toolkit.kinds import inspection
from toolkit.models import gguf_conversion, packaged
from toolkit.runs.run import Run
from toolkit_export import gguf_tensors, llama_runtime

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gguf") is None, reason="needs: pip install gguf"
)
NAME = "made-up"


@pytest.fixture(scope="module")
def gguf_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run on a model that a made-up package holds as GGUF."""
    folder = tmp_path_factory.mktemp("gguf")
    place = folder / "site" / "made_up_gguf"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("")
    write_pattern(place / "model.gguf")
    model = packaged.Packaged(
        title="Made-up", module="made_up_gguf", distribution="made-up-gguf==1.0",
        file="model.gguf", takes="no time", meaning="it is made up",
        sha256=hashlib.sha256((place / "model.gguf").read_bytes()).hexdigest(),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "site"))
        patch.setenv(packaged.VARIABLE, str(folder / "cache"))
        patch.setitem(packaged.NAMES, NAME, model)
        packaged.path(NAME, convert=gguf_conversion.convert, say=lambda sentence: None)
        data = quick_runs.write_chats(folder / "chats.jsonl")
        yield Run.open(quick_runs.run_task(folder, "chats", quick_runs.CHATS, data, NAME))


def test_q_and_k_are_turned_as_transformers_turns_them_back() -> None:
    from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

    weight = np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32)
    processor = LlamaTensorProcessor({"num_attention_heads": 4, "num_key_value_heads": 2})
    turned = gguf_tensors.rotated(weight, 2)
    assert (turned != weight).any()
    back = processor._reverse_permute_weights(turned, 4, 2)
    assert (back == weight).all()


@pytest.mark.parametrize("numbers", ["float16", "bfloat16", "float32", "q8_0"])
def test_an_unchanged_file_gives_the_adapters_answers(
    numbers: str, gguf_run: Run, export: Any, tmp_path: Path
) -> None:
    from gguf import GGUFReader

    record = export(gguf_run, "gguf", numbers=numbers, margin=0.2)
    gate = record["gate"]
    assert gate["accepted"], gate["reasons"]
    assert gate["inputs"]["different"] == 0 and gate["stops"]["export"] == [2]
    if llama_runtime.installed():
        assert record["runtime"] == llama_runtime.version()
        assert gate["runtime_reads"]["different"] == 0 and 2 in gate["runtime_reads"]["ends"]
    else:
        assert "not by llama.cpp" in record["runtime"] and "runtime_reads" not in gate
    reader = GGUFReader(str(tmp_path / "out" / "model.gguf"))
    matrix = next(one for one in reader.tensors if one.name == "blk.0.attn_q.weight")
    assert matrix.tensor_type.name == gguf_tensors.QUANTIZED[numbers]
    modelfile = (tmp_path / "out" / "Modelfile").read_text()
    assert "FROM ./model.gguf" in modelfile and 'PARAMETER stop "<|im_end|>"' in modelfile
    assert "not tried" in modelfile


def test_a_template_that_the_rows_do_not_use_is_compared_too(
    gguf_run: Run, judged_after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "read_tokens", lambda kind, row: [[1]])
    gate = judged_after(gguf_run, "gguf", export_faults.gguf_template)
    assert any("chat template does not write" in reason for reason in gate["reasons"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", export_faults.GGUF, ids=lambda fault: fault.__name__)
def test_a_fault_is_found(fault: Any, gguf_run: Run, judged_after: Any) -> None:
    gate = judged_after(gguf_run, "gguf", fault)
    assert not gate["accepted"] and gate["reasons"]


def test_a_converter_is_called_and_what_it_says_is_told(
    gguf_run: Run, export: Any, tmp_path: Path
) -> None:
    script = tmp_path / "convert.py"
    script.write_text("import sys; sys.exit('this architecture is not known')")
    with pytest.raises(Exception, match="did not convert the model: this architecture"):
        export(gguf_run, "gguf", converter=script)


def test_a_converters_file_is_judged_as_any(gguf_run: Run, export: Any, tmp_path: Path) -> None:
    """The converter here writes what it is given by the toolkit's own writer."""
    script = tmp_path / "convert.py"
    source = packaged.gguf_file(NAME)
    script.write_text(
        f"import sys\nsys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\nfrom safetensors.torch import load_file\n"
        "from toolkit_export import gguf_tensors\n"
        "folder, out = Path(sys.argv[1]), Path(sys.argv[3])\n"
        "assert sys.argv[2] == '--outfile' and sys.argv[4:] == ['--outtype', 'f32']\n"
        f"gguf_tensors.write_like(Path({str(source)!r}), load_file(folder / 'model.safetensors'), "
        "out, 'float32', (folder / 'chat_template.jinja').read_text())\n"
    )
    record = export(gguf_run, "gguf", converter=script, numbers="float32", margin=0.2)
    assert record["gate"]["accepted"] and record["gate"]["inputs"]["different"] == 0


def test_the_embedded_models_are_refused(exported_runs: dict[str, Run], export: Any) -> None:
    run = Run(exported_runs["kinds"].path, dict(exported_runs["kinds"].info))
    run.info["recipe"] = {**run.info["recipe"], "model": "embedded:causal-lm"}
    run.info.pop("inputs", None)
    with pytest.raises(UsageError, match="none that GGUF knows"):
        export(run, "gguf")


def test_other_models_need_a_converter(exported_runs: dict[str, Run], export: Any) -> None:
    with pytest.raises(UsageError, match=r"needs llama\.cpp's converter: --converter"):
        export(exported_runs["kinds"], "gguf")


def test_encoders_have_no_such_form(exported_runs: dict[str, Run], export: Any) -> None:
    with pytest.raises(UsageError, match="for causal language models"):
        export(exported_runs["classes"], "gguf")
