"""``toolkit import``: a training of another tool as a recipe and a task file of this one."""
