"""Tables of the terminal: no name is cut, however narrow it is."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.cli import tables, terminal

SYSTEMS = ("adapter", "gradient-boosting", "linear-text-features", "embeddings-nearest")
NAMES = ("mae", "rmse", "rmsle", "r2", "within_20", "unparsed_share")


def figures(label: str = "Mean absolute error") -> dict[str, Any]:
    """The part of ``metrics.json`` that the ladder is made of."""
    described = [
        {"name": name, "label": label, "greater_is_better": False, "unit": "$", "format": ",.2f"}
        for name in NAMES
    ]
    values = {name: {"value": 11_234.5, "low": 9_876.5, "high": 12_345.5} for name in NAMES}
    return {
        "primary_metric": "mae",
        "n": 2_000,
        "metrics": described,
        "systems": {name: {"role": "baseline", "metrics": values} for name in SYSTEMS},
    }


def test_a_pipe_gets_every_name_and_figure_whole(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_parts(terminal.ladder_table(figures()))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Mean absolute error,"
    for part in ("2,000 test rows", *NAMES[1:]):
        assert part in lines[1]
    for name in SYSTEMS:
        (line,) = [line for line in lines if line.startswith(f"{name} ")]
        assert "11,234.50$" in line and "9,876.50–12,345.50" in line


@pytest.mark.parametrize(("columns", "shown"), [(200, 5), (90, 3), (70, 1), (30, 0)])
def test_a_narrow_terminal_loses_metrics_and_no_names(
    columns: int,
    shown: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    table, number = tables.fitting(lambda most: terminal.ladder_table(figures(), most), 5)
    assert number == shown
    tables.print_parts(table)
    out = capsys.readouterr().out
    assert all(name in out for name in SYSTEMS) and "9,876.50–12,345.50" in out
    assert ("rmse" in out) == (shown > 0)


def test_a_short_heading_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_parts(terminal.ladder_table(figures("MAE")))
    assert capsys.readouterr().out.startswith("MAE, 2,000 test rows")


def test_a_text_is_no_markup_and_controls_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "[red]a[/red] [link=file:///x]b[/link] \x1b]52;c;eA==\x07 \x1b[2J"
    table = tables.text_table(hostile)
    table.add_row(hostile)
    table.add_row(tables.styled(hostile, "bold"))
    tables.print_parts(hostile, table)
    printed = capsys.readouterr().out
    assert printed.count("[red]a[/red] [link=file:///x]b[/link]") == 4
    assert "\x1b" not in printed and "\x07" not in printed
