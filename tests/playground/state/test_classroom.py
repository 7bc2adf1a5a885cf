"""Who comes into a class, who is its teacher, and the links to it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from toolkit_playground.state.classroom import (
    LETTERS,
    Classroom,
    base_of_class,
)


def test_a_code_lets_in_and_the_secret_makes_a_teacher() -> None:
    room = Classroom("http://10.0.0.2:7860", 7860)
    other = Classroom("http://10.0.0.2:7860", 7860)
    assert set(room.code) <= set(LETTERS) and room.code != other.code
    assert room.secret not in repr(room) and room.code not in repr(room)
    typed = f" {room.code[:4].upper()}-{room.code[4:]} "
    assert room.fits("class", typed) and not room.fits("class", other.code)
    assert not room.fits("teacher", room.code) and not room.fits("class", "")
    assert not room.fits("teacher", room.secret.upper() + "é")
    pupil, teacher = {"toolkit-class-7860": room.code}, {"toolkit-teacher-7860": room.secret}
    assert room.is_in(pupil) and not room.is_teacher(pupil)
    assert room.is_in(teacher) and room.is_teacher(teacher)
    assert not room.is_in({}) and not room.is_in({"toolkit-class-7861": room.code})
    assert not room.is_teacher({"toolkit-teacher-7860": room.code})


def test_with_logins_no_code_is_asked_for() -> None:
    room = Classroom("http://10.0.0.2:7860", 7860, logins=True, run="r")
    assert room.is_in({}) and not room.is_teacher({}) and room.code not in room.link()


def test_the_link_says_where_it_leads_and_holds_the_code_alone() -> None:
    room = Classroom("http://10.0.0.2:7860", 7860, run="20260101-000000-main", view="vote")
    parts = urlsplit(room.link())
    assert parts.netloc == "10.0.0.2:7860" and parse_qs(parts.query) == {
        "run": ["20260101-000000-main"], "view": ["vote"], "class": [room.code],
    }  # fmt: skip
    assert room.secret not in room.link()
    assert room.teachers_link("::1") == f"http://[::1]:7860/?teacher={room.secret}"


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("192.168.1.20", "http://192.168.1.20:7860"),
        ("school.example:8080", "http://school.example:8080"),
        ("fd00::1", "http://[fd00::1]:7860"),
        ("[fd00::1]:80", "http://[fd00::1]:80"),
    ],
)
def test_the_address_of_a_class(name: str, base: str) -> None:
    assert base_of_class(name, 7860) == base
