"""``python -m toolkit …`` is ``toolkit …``: what ``torchrun -m toolkit`` starts."""

from toolkit.cli import main

main()
