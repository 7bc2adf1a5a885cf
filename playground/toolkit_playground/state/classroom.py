"""A class that uses the page: the code that lets it in, and the secret that makes a teacher.

Both are drawn when the server starts and stand in no file. A browser that came with one holds it as
a cookie, so that it does not stay in an address that is projected, copied or remembered.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from toolkit.system.listening import bracketed

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Those of a code; none of them is taken for another when it is copied from a screen."""
LENGTH = 8
"""Letters of a code, which gives 31^8 of them: at 1,000 tries a second, half are tried in 13 years.

It is short because people with a laptop type it.
"""
CLASS, TEACHER = "class", "teacher"
"""What the two are called in an address and in the cookies' names."""
MOST_NEW_TOKENS = 512
"""New tokens of one text: who asks for more keeps the whole class waiting."""
VIEWS = {"guess": "Guess", "vote": "Vote"}
"""Where the link may lead: the tab's ID → what people read."""


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


@dataclass
class Classroom:
    """Who may come in, who is the teacher, and where the link leads.

    Args:
        base: the address of the page for the class, as ``http://192.168.1.20:7860``.
        port: where the server listens; cookies do not tell ports of one machine apart.
        logins: whether everybody has a login of their own (``--auth``), so that no code is asked
            for.
        run: the run that the class is led to; empty: the one that the page opens on.
        view: the tab that it is led to.
    """

    base: str
    port: int
    logins: bool = False
    run: str = ""
    view: str = "guess"
    code: str = field(default_factory=_code, repr=False)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    # -- who is who --------------------------------------------------------------------------------
    def fits(self, role: str, given: str) -> bool:
        """Whether somebody has the class's code, or the teacher's secret."""
        wanted = self.secret if role == TEACHER else self.code
        said = given.strip() if role == TEACHER else _letters(given)
        return hmac.compare_digest(said.encode(), wanted.encode())

    def cookie(self, role: str) -> str:
        """The name of a cookie."""
        return f"toolkit-{role}-{self.port}"

    def is_teacher(self, cookies: Mapping[str, str]) -> bool:
        """Whether cookies are those of the teacher.

        No address makes a teacher: a proxy, a tunnel and every user of this machine come from its
        own.
        """
        return self.fits(TEACHER, cookies.get(self.cookie(TEACHER), ""))

    def is_in(self, cookies: Mapping[str, str]) -> bool:
        """Whether cookies are those of somebody who may see the page."""
        mine = cookies.get(self.cookie(CLASS), "")
        return self.logins or self.fits(CLASS, mine) or self.is_teacher(cookies)

    # -- where the links lead ----------------------------------------------------------------------
    def link(self) -> str:
        """The link for the class."""
        given = {} if self.logins else {CLASS: self.code}
        return f"{self.base}/{self.place(**given)}"

    def place(self, **given: str) -> str:
        """Where the class is led to, from the question mark on.

        Args:
            given: further fields of the address.
        """
        there = {"run": self.run} if self.run else {}
        return "?" + urlencode({**there, "view": self.view, **given})

    def teachers_link(self, host: str) -> str:
        """The teacher's own link, for the terminal alone.

        Args:
            host: where the server listens.
        """
        return f"http://{bracketed(host)}:{self.port}/?{TEACHER}={self.secret}"


def _letters(code: str) -> str:
    """A code as it is typed: with capitals, blanks or hyphens."""
    return "".join(code.lower().split()).replace("-", "")[:100]


def base_of_class(name: str, port: int) -> str:
    """The address of the page under a name, which may have a port of its own."""
    plain = bracketed(name) if name.count(":") > 1 and not name.startswith("[") else name
    has_port = urlsplit(f"//{plain}").port is not None
    return f"http://{plain}" if has_port else f"http://{plain}:{port}"
