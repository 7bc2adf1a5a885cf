"""One module for each command that works on a run directory."""
