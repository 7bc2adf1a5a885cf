"""``toolkit init``: what a file holds, the task that goes with it, and the task file."""
