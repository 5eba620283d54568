"""A progress bar with the time left, on stderr."""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import Task


def bar() -> "Bar":
    """A bar on stderr with the share done, the time gone and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Left(ProgressColumn):
        """The time left, if the rest goes as the work did so far."""

        def render(self, task: "Task") -> Text:
            return Text(left(task.elapsed or 0.0, task.percentage / 100), style="cyan")

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Left())
    return Bar(*columns, console=Console(stderr=True), transient=True)


def left(elapsed: float, share: float) -> str:
    """The time left in words, given the seconds gone and the share done.

    >>> left(60.0, 0.25)
    '0:03:00 left'
    """
    if not share:
        return ""
    return f"{timedelta(seconds=round(elapsed * (1 - share) / share))} left"
