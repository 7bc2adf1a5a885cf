"""The process, the machine and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.system import device as device
    from toolkit.system import doors as doors
    from toolkit.system import environment as environment
    from toolkit.system import listening as listening
    from toolkit.system import precision as precision
    from toolkit.system import upstream as upstream
    from toolkit.system.console import Console as Console
    from toolkit.system.console import emit as emit
    from toolkit.system.secrets import hide as hide
    from toolkit.system.secrets import redacted as redacted

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["device", "doors", "environment", "listening", "precision", "upstream"],
    submod_attrs={
        "console": ["Console", "emit"],
        "secrets": ["hide", "redacted"],
    },
)
