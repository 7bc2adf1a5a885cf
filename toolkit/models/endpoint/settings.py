"""How an endpoint is reached, and what its answers may cost."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.system import secrets


@dataclass(frozen=True)
class Settings:
    """How an endpoint is reached, and what its answers may cost.

    Args:
        url: address of the API, up to and including ``/v1``.
        model: name of the model at this API.
        budget: the most that may be spent, in the currency of the prices; ``None``: no cap.
        price_in, price_out: price of a million input and output tokens.
        max_tokens: maximal length of an answer.
        cache: file in which answers are kept; in memory if ``None``.
        timeout: seconds that an answer may take in all.
        wait: seconds of the first pause before a request is repeated; each pause doubles.
        key: the environment variable with the key.
        called: what messages call the endpoint.
        named: where the address comes from, for messages.

    Raises:
        UsageError: a budget without prices, a price or budget below 0, an address that is not one
            of http or https, or a key that no header can hold.
    """

    url: str
    model: str
    budget: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    max_tokens: int = 400
    cache: Path | None = None
    timeout: float = 60.0
    wait: float = 1.0
    key: str = "OPENAI_API_KEY"
    called: str = "the endpoint"
    named: str = "OPENAI_BASE_URL"

    def __post_init__(self) -> None:
        for name in ("price_in", "price_out", "budget"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise UsageError(f"{name.replace('_', ' ')} {value} must be a number from 0 up")
        if self.budget is not None and not (self.price_in or self.price_out):
            raise UsageError(
                "a budget needs prices: give --price-in and --price-out per million tokens"
            )
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(
                f"{self.named} {secrets.redacted(self.url)!r} is no address that begins with "
                "http:// or https://"
            )

    @property
    def place(self) -> str:
        """The address as messages and files may show it."""
        return secrets.redacted(self.url)

    def headers(self) -> dict[str, str]:
        """The headers of a request, with the key where the environment has one.

        The key is hidden in all that this process writes and prints.
        """
        key = (os.environ.get(self.key) or "").strip()
        if not key:
            return {}
        secrets.hide(key)
        if not (key.isascii() and key.isprintable()):
            raise UsageError(f"{self.key} holds signs that no key has")
        return {"Authorization": f"Bearer {key}"}

    def cost(self, read: int, written: int) -> float:
        """What so many tokens cost."""
        return (read * self.price_in + written * self.price_out) / 1e6
