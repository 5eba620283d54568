"""A progress bar with the time left, on stderr."""

from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import Task


def bar(stream: TextIO | None = None) -> "Bar":
    """A bar with the share done and the time left, on this stream or on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Left(ProgressColumn):
        """The time left, if the rest goes as fast as what is done."""

        moved = (0.0, 0.0)  # share done, and seconds gone when the bar moved last

        def render(self, task: "Task") -> Text:
            elapsed, share = task.elapsed or 0.0, task.percentage / 100
            if share != self.moved[0]:
                self.moved = (share, elapsed)
            return Text(left(*self.moved, elapsed), style="cyan")

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TaskProgressColumn(), Left())
    return Bar(*columns, console=Console(file=stream, stderr=True), transient=True)


def left(share: float, then: float, now: float) -> str:
    """The time left in words; nothing before anything is done, and when it takes longer than the rest should.

    Args:
        share: done when the bar moved last.
        then: seconds gone at that moment.
        now: seconds gone.

    >>> left(0.25, 60.0, 70.0)
    '0:02:50 left'
    """
    rest = then * (1 - share) / share - (now - then) if share else 0.0
    return f"{timedelta(seconds=round(rest))} left" if rest > 0 else ""
