"""`nextbasket shop`: a synthetic shop's weekly files, which the demo, too, writes where nothing landed."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from nextbasket_assets.cli.failing import CommandFailed, writing
from nextbasket_assets.errors import FAILED, USAGE, facts_and_remedy

MOST_CUSTOMERS, MOST_WEEKS = 999_786, 999  # of a shop: its codes and its basket ids have no room for more
CUSTOMERS = click.IntRange(20, MOST_CUSTOMERS)  # with fewer, weeks in which nobody comes, and no platform takes those
WEEKS = click.IntRange(1, MOST_WEEKS)
_NOT_COMPLETE = "The shop is not complete."
_STOPPED = "It was stopped.", "The same command writes it again, from its first week on."


class _Folder(click.Path):
    """A folder of this machine that has a name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; refused are an address and nothing at all, which would be a folder beside or around the caller."""
        if not str(value) or "://" in str(value):
            self.fail(f"{str(value)!r} is not a folder of this machine.", param, ctx)
        return super().convert(value, param, ctx)


@click.command()
@click.option("--customers", type=CUSTOMERS, default=5000, help="Customers of the shop; each takes 9 KB of memory.")
@click.option("--weeks", type=WEEKS, default=117, help="Weekly files to write, from 200607 on.")
@click.option("--seed", type=click.IntRange(min=0), default=1, help="The same seed gives the same bytes.")
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=0.5,
    help="How strongly the planted missions shape a basket: 0 not at all, 1 fully.",
)
@click.option(
    "--recency",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Share of repeats that come from what a customer bought lately.",
)
@click.option("--products", type=click.IntRange(250, 32_767), default=4997, help="Products in the catalogue.")
@click.option("--header", type=click.Choice(["A", "B", "C"]), default="B", help="Dialect of the column names.")
@click.option("--out", type=_Folder(path_type=Path), required=True, help="Folder to write into.")
def shop(out: Path, **arguments: Any) -> None:
    """Write a synthetic shop's weekly files.

    They are as a retailer would land them, and their missions are planted: what is to be found is known. A shop may
    be written over another one whose files are as they were written; nobody else's file is written over.
    """
    with writing(out):
        write(out, **arguments)


def write(out: Path, *, customers: int, weeks: int, **arguments: Any) -> None:
    """Write a shop, with a bar on a terminal, and say how large it is.

    Raises:
        CommandFailed: the folder has something else, or it was stopped.
        UsageError: the arguments do not go together.
    """
    from nextbasket_assets.cli.bars import bar
    from nextbasket_assets.shop.ledger import FolderTakenError
    from nextbasket_assets.shop.shop import write_shop

    shown = bar() if sys.stderr.isatty() else None
    with shown or nullcontext():
        task = shown.add_task(f"{customers:,} customers, {weeks} weeks", total=weeks) if shown else None

        def progress(done: int, _: int) -> None:
            if shown and task is not None:
                shown.update(task, completed=done)

        try:
            report = write_shop(out, customers=customers, weeks=weeks, progress=progress, **arguments)
        except KeyboardInterrupt as error:
            raise CommandFailed(_NOT_COMPLETE, *_STOPPED, FAILED) from error
        except FolderTakenError as error:
            raise CommandFailed(_NOT_COMPLETE, *facts_and_remedy(str(error)), USAGE) from error
        except ValueError as error:
            raise click.UsageError(str(error), click.get_current_context()) from error
    click.echo(f"{len(report.files)} files, {report.baskets:,} baskets, {report.lines:,} lines in {out}", err=True)
