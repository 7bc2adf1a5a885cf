"""Models behind an OpenAI-compatible API: one client for all that asks one.

Requests that may pass are repeated with growing pauses, answers are kept on disk, and the cost is
capped: before each request the most that it can cost is reserved. A key is read from the
environment alone. Needs the extra ``api``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.models.endpoint.budget import Budget as Budget
    from toolkit.models.endpoint.client import Endpoint as Endpoint
    from toolkit.models.endpoint.client import OverBudget as OverBudget
    from toolkit.models.endpoint.client import Unanswered as Unanswered
    from toolkit.models.endpoint.replies import Reply as Reply
    from toolkit.models.endpoint.settings import Settings as Settings

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "budget": ["Budget"],
        "client": ["Endpoint", "OverBudget", "Unanswered"],
        "replies": ["Reply"],
        "settings": ["Settings"],
    },
)
