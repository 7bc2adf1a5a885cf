"""The tables of "Does it help?" are made of the figures that were kept, and of all of them."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def campaign():
    place = ROOT / ".ci" / "campaign" / "help.py"
    spec = importlib.util.spec_from_file_location("does_it_help", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_kept_figures() -> None:
    found = campaign()
    assert found.page() == found.PAGE.read_text(encoding="utf-8")


def test_every_kept_run_is_of_a_named_set() -> None:
    found = campaign()
    named = {f"{entry.name}/{model}" for entry in found.SETS for model in entry.models}
    # Behind a comma stands in what another configuration of the same set and model differs.
    assert {key.partition(",")[0] for key in found.FIGURES.read()} <= named


def test_public_data_are_real_and_the_rest_is_said_to_be_synthetic() -> None:
    found = campaign()
    public = {entry.name: entry.public for entry in found.SETS}
    for key, row in found.FIGURES.read().items():
        assert row["synthetic"] is not public[key.partition("/")[0]]
