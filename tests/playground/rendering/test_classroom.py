"""The teacher's screen: the link as a picture, the board, the names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hostile_run import PAYLOAD, injected
from judging_fixtures import make_run
from toolkit.evaluation import human_guesses
from toolkit_playground.rendering import classroom as rendering
from toolkit_playground.rendering import qr
from toolkit_playground.state import guesses
from toolkit_playground.state.classroom import Classroom
from toolkit_playground.state.guesses import FEW, standing
from toolkit_playground.state.library import Library
from toolkit_playground.state.roster import Person

segno = pytest.importorskip("segno", reason="the extra 'playground' brings segno")


def test_the_picture_has_the_modules_of_the_code() -> None:
    link = "http://192.168.1.20:7860/?run=20260101-000000-main&view=guess&class=k7qf2m9x"
    drawn = qr.code(link, f"QR code of {link}")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn)}
    wanted = segno.make(link, error="m", micro=False)
    assert dark == {
        (x + qr.BORDER, y + qr.BORDER)
        for y, row in enumerate(wanted.matrix)
        for x, module in enumerate(row)
        if module
    }
    assert 'role="img"' in drawn and "&amp;view=guess" in drawn  # escaped, as all else
    assert not injected(qr.code("x", PAYLOAD))


def test_the_link_is_there_to_scan_to_open_and_to_type() -> None:
    room = Classroom("http://192.168.1.20:7860", 7860, run="r")
    shown = rendering.link(room)
    assert "192.168.1.20:7860" in shown and room.code in shown and room.secret not in shown
    with_logins = rendering.link(Classroom("http://h:1", 1, logins=True, run="r"))
    assert "log in" in with_logins and "&amp;class=" not in with_logins
    assert "Choose a run" in rendering.link(Classroom("http://h:1", 1))


def test_the_board_has_all_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, task = make_run(tmp_path, sizes={"validation": 30, "calibration": 30, "test": 60})
    monkeypatch.setattr(guesses, "load_task", lambda run: task)
    library = Library(tmp_path)
    assert "No guesses yet" in rendering.board(None)
    rows = human_guesses.rows(run)
    for voter, off, count in (("ann", 0.5, FEW), (PAYLOAD, 400.0, FEW), ("cy", 1.0, 2)):
        for row_id in list(rows)[:count]:
            library.store(run).guess(voter, row_id, task.reference(rows[row_id]) + off, 1.0)
    shown = rendering.board(standing(library, run, None, FEW))
    assert not injected(shown)
    order = re.findall(r'<th scope="row">(.*?)</th>', shown)
    assert order[0] == "ann – the best so far" and "the class&#39;s mean" in order
    assert len(order) > 4 and order[-1].startswith(str(rendering.fill("{}", PAYLOAD))[:5])
    assert f"On their way to {FEW} guesses: cy (2)." in shown


def test_names_are_texts_with_a_button_each() -> None:
    people = [Person(PAYLOAD, False, False), Person("bob", True, False), Person("eve", False, True)]
    shown = rendering.names(people, {"bob": 3})
    assert not injected(shown)
    assert "typed, not verified" in shown and "3 answers" in shown and "login" in shown
    assert 'aria-label="Bring back eve"' in shown and 'aria-label="Remove bob"' in shown
    many = [Person(str(n), False, False) for n in range(rendering.MOST_LISTED + 5)]
    assert "5 older names" in rendering.names(many, {})
    assert "Nobody yet" in rendering.names([], {})


def test_the_door_says_that_a_code_does_not_fit() -> None:
    assert "does not fit" in rendering.door_page(wrong=True)
    assert "does not fit" not in rendering.door_page() and "<script" not in rendering.door_page()
