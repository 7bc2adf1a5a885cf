"""Tasks are found: entry points, task files, scaffolds."""
