"""Product reviews: an assistant that answers questions on them, their sentiment and rating."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer

    from toolkit import Task


@hookimpl
def register_tasks(register: Callable[[type[Task]], None]) -> None:
    """Register the tasks of this plugin."""
    from toolkit_review_augmentation.classifying import ReviewRating, ReviewSentiment
    from toolkit_review_augmentation.task import ReviewAugmentation

    for task in (ReviewAugmentation, ReviewSentiment, ReviewRating):
        register(task)


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command ``toolkit augment``."""
    from toolkit_review_augmentation.commands import augment

    app.command(name="augment")(augment)
