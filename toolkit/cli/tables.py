"""Tables and texts on the terminal, in which nothing of a run or a file is markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.system.secrets import printable

if TYPE_CHECKING:
    from rich.table import Table

WIDEST = 10_000
"""Characters of a line in which any table fits."""


def text_table(*columns: str, right: Sequence[int] = (), whole: Sequence[int] = ()) -> Table:
    """An empty table; its texts come from runs and files, so that nothing in them is markup.

    Args:
        columns: their headings.
        right: numbers of the columns that are aligned to the right.
        whole: numbers of the columns whose cells are never cut or wrapped.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    class PlainTable(Table):
        def add_row(self, *cells: Any, **options: Any) -> None:
            super().add_row(*(styled(c) if isinstance(c, str) else c for c in cells), **options)

    table = PlainTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, column in enumerate(columns):
        justify: Any = "right" if i in right else "left"
        table.add_column(styled(column), justify=justify, overflow="fold", no_wrap=i in whole)
    return table


def print_parts(*parts: Any) -> None:
    """Print texts and tables, one below the other; nothing in a text is read as markup.

    A table that cannot be narrower than the terminal is printed in its full width: a pipe has no
    width, and a terminal breaks the lines, but no cell is cut.
    """
    from rich.console import Console

    console = Console(highlight=False)
    for part in parts:
        if isinstance(part, str):
            console.print(printable(part), markup=False)
        else:
            Console(highlight=False, width=max(console.width, narrowest(part))).print(part)


def narrowest(table: Table) -> int:
    """The width under which cells of a table would be cut."""
    from rich.console import Console

    return Console(width=WIDEST).measure(table).minimum


def fitting(make: Callable[[int], Table], most: int, least: int = 0) -> tuple[Table, int]:
    """The table with the most columns that fits into the terminal, and how many it has.

    Args:
        make: the number of optional columns → the table.
        most: how many there are.
        least: the fewest that are shown, even where the terminal is too narrow for them.
    """
    from rich.console import Console

    console = Console()
    number = most
    while console.is_terminal and number > least:
        if narrowest(make(number)) <= console.width:
            break
        number -= 1
    return make(number), number


def styled(text: str, style: str = "") -> Any:
    """A text in a style, such as ``red``, for a table's cell or a line."""
    from rich.text import Text

    return Text(printable(text), style=style)
