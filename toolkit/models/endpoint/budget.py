"""What may be spent, held by several threads and endpoints together."""

from __future__ import annotations

import threading


class Budget:
    """Money that requests reserve before they are sent.

    Args:
        most: the most that may be spent; ``None``: no cap.
        spent: what was spent before.
    """

    def __init__(self, most: float | None = None, spent: float = 0.0) -> None:
        self.most = most
        self.spent = spent
        self._reserved = 0.0
        self._freed = threading.Condition()

    def reserve(self, amount: float) -> bool:
        """Reserve the most that a request can cost; ``False`` if it would exceed the budget.

        Where other requests have reserved more than they will cost, it waits for them.
        """
        with self._freed:
            while self.most is not None and self.spent + self._reserved + amount > self.most:
                if self._reserved <= 0 or self.spent + amount > self.most:
                    return False
                self._freed.wait()
            self._reserved += amount
            return True

    def settle(self, reserved: float, cost: float) -> None:
        """Free what a request has reserved, and count what it cost."""
        with self._freed:
            self._reserved = max(0.0, self._reserved - reserved)
            if self._reserved < 1e-15:  # sums of floats leave a rest
                self._reserved = 0.0
            self.spent += cost
            self._freed.notify_all()
