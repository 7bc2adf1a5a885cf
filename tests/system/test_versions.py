"""Known clashes of versions, and the checks of ``doctor``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolkit.pipeline import doctor
from toolkit.system import versions as compatibility
from toolkit.system.versions import CLASHES, clashes


def found(versions: Mapping[str, str], *, gpu: bool = False) -> list[str]:
    return [clash.what for clash, _ in clashes(versions.get, gpu=gpu)]


def test_the_versions_of_the_tests_do_not_clash() -> None:
    broken = [c.what for c, _ in clashes(gpu=False) if not c.warning]
    assert broken == []


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({"trl": "1.15.0"}, "cannot train on a CPU"),
        ({"trl": "1.15.2"}, "cannot train on a CPU"),
        ({"unsloth": "2026.10.9", "trl": "1.16.0"}, "trl==1.14.2"),
        ({"unsloth": "2026.10.9", "transformers": "5.18.0"}, "up to 5.17.0"),
        ({"unsloth": "2026.10.9", "datasets": "4.4.1"}, "datasets 4.4"),
        ({"trl": "1.14.2", "transformers": "5.18.1"}, "transformers<5.18"),
        ({"peft": "0.17.1", "transformers": "5.17.0"}, "peft 0.21"),
        ({"bitsandbytes": "0.48.2", "torch": "2.13.0+cpu"}, "install 0.50"),
        ({"bitsandbytes": "0.50.2", "kernels": "0.11.1"}, "not needed"),
    ],
)
def test_known_clashes_are_found(versions: dict[str, str], message: str) -> None:
    (what,) = found(versions)
    assert message in what


@pytest.mark.parametrize(
    "versions",
    [
        {"trl": "1.14.2", "unsloth": "2026.10.9", "transformers": "5.17.0", "datasets": "4.8.5"},
        {"trl": "1.16.0", "transformers": "5.17.0", "peft": "0.21.2"},
        {"trl": "1.16.0", "transformers": "5.24.0", "peft": "0.21.2"},
        {"datasets": "4.4.1"},
    ],
)
def test_versions_that_work_together_are_not_reported(versions: dict[str, str]) -> None:
    assert found(versions) == []


def test_clashes_that_need_a_cpu_are_not_reported_on_a_gpu() -> None:
    assert found({"trl": "1.15.0"}, gpu=True) == []


def test_every_clash_says_what_to_do() -> None:
    for clash in CLASHES:
        assert any(word in clash.what for word in ("install", "take", "takes", "not needed"))


def test_unmet_requirements_of_a_distribution_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        compatibility.metadata, "requires",
        lambda name: ["trl<=1.15.0,>=0.18", "triton>=3; extra == 'x'", "xformers", "torch>=2"],
    )  # fmt: skip
    present = {"trl": "1.16.0", "torch": "2.13.0"}
    monkeypatch.setattr(compatibility, "installed", present.get)
    assert compatibility.unmet("unsloth", frozenset({"xformers"})) == [
        "trl 1.16.0 (wants <=1.15.0,>=0.18)"
    ]
    assert "xformers is not installed" in compatibility.unmet("unsloth")


def test_doctor_reports_a_clash_and_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compatibility, "installed", {"trl": "1.15.0"}.get)
    monkeypatch.setattr(compatibility.clashes, "__defaults__", ({"trl": "1.15.0"}.get,))
    (finding,) = doctor._clashing()
    assert finding.state == "broken" and "trl 1.15.0" in finding.detail


def test_doctor_checks_that_bitsandbytes_computes_correctly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bnb = pytest.importorskip("bitsandbytes")
    assert "nf4 within" in doctor._quantized()
    assert "adamw_8bit" in doctor._eight_bit_optimizer()
    monkeypatch.setattr(
        bnb.nn.Linear4bit, "forward", lambda self, x: x.new_zeros(len(x), self.out_features)
    )
    broken = doctor._proved("4 bits", doctor._quantized)
    assert broken.state == "broken" and "off by 100%" in broken.detail


def test_what_a_proof_prints_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    def trains() -> str:
        print({"eval_loss": "8.4"})
        return "a step"

    assert doctor._proved("one training step", trains).detail == "a step"
    assert capsys.readouterr().out == ""


def test_doctor_looks_at_gpu_and_unsloth() -> None:
    import torch

    if not torch.cuda.is_available():
        assert doctor._gpu().state in ("absent", "warning")
    finding = doctor._unsloth()
    assert finding.what == "unsloth backend"


def test_the_versions_of_the_tests_are_the_tested_ones() -> None:
    """A newer one that passes the tests goes into TESTED; until then ``doctor`` warns of it."""
    assert compatibility.untested() == []


def test_versions_outside_the_tested_range_are_named() -> None:
    given = {"torch": "2.13.0+cpu", "transformers": "5.25.1", "trl": "1.16.0.post1", "peft": None}
    assert compatibility.untested(given.get) == [
        "transformers 5.25.1 (tested: 5.17.0 to 5.24.0)",
        "trl 1.16.0.post1 (tested: 1.14.2 to 1.16.0)",
    ]
    assert compatibility.untested({"peft": "0.20.0"}.get) == ["peft 0.20.0 (tested: 0.21.2)"]


def test_the_tested_range_is_within_the_required_one() -> None:
    from packaging.requirements import Requirement

    place = Path(__file__).parents[2] / "pyproject.toml"
    project = tomllib.loads(place.read_text(encoding="utf-8"))["project"]
    required = {r.name: r for r in map(Requirement, project["dependencies"])}
    for name, versions in compatibility.TESTED.items():
        for version in versions:
            assert required[name].specifier.contains(version), (name, version)
