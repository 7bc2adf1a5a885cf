"""``toolkit check``: the rules that a task keeps."""
