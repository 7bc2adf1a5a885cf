"""Charts are drawn one at a time: matplotlib's settings belong to the whole process."""

from __future__ import annotations

import threading

CHART_LOCK = threading.Lock()
