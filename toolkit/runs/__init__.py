"""The run directory: written atomically, read back by everything after it."""
