"""What the commands that show something share: the lake with the names of its items, and how an answer is printed."""

import json
import sys
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nextbasket_assets.catalogue import Catalogue
    from nextbasket_assets.lake.tables import Lake
    from nextbasket_assets.settings.reading import Settings

_SHOWN = 5  # weeks of a table that an error names
_WIDTH = 140  # of what is no terminal: room for the widest table


def lake_of(settings: "Settings") -> "Lake":
    """The lake of these settings."""
    from nextbasket_assets.lake.tables import Lake

    return Lake(settings.lake, settings.kms_key)


def open_lake(settings: "Settings") -> "tuple[Lake, Catalogue]":
    """The lake, and the retailer's names."""
    return lake_of(settings), names_of(settings)


def names_of(settings: "Settings") -> "Catalogue":
    """The retailer's names; where they cannot be read, that is said, and codes stand for themselves."""
    from nextbasket_assets.resources.landing import LandingResource, usable_catalogue

    folder = LandingResource(uri=settings.landing).folder()
    return usable_catalogue(folder, lambda why: click.echo(f"warning  {why}", err=True))


def week_in(lake: "Lake", table: str, week: date | None) -> date:
    """The week that was asked for, the newest one by default.

    Raises:
        NotThereError: the table has not that week, or none.
    """
    from nextbasket_assets.lake.tables import NotThereError
    from nextbasket_assets.landing import week_code

    weeks = lake.weeks(table)
    if not weeks:
        raise NotThereError(f"{table} has no week yet. Run `nextbasket demo`, or materialise it in the UI.")
    if week and week not in weeks:
        held = ", ".join(map(week_code, weeks[-_SHOWN:]))
        raise NotThereError(f"{table} has no week {week_code(week)}. Choose one that is there; the newest are: {held}.")
    return week or weeks[-1]


def show(answer: dict[str, Any], render: "Callable[[], RenderableType]", as_json: bool) -> None:
    """Print an answer on stdout: one JSON document and nothing else, or what `render` makes of it.

    Names and codes are shown as they are: a bracket in them is no markup.
    """
    if as_json:
        click.echo(json.dumps(answer, indent=1, default=str))
        return
    from rich.console import Console

    answered = render()
    if isinstance(answered, str):
        click.echo(answered)
        return
    width = None if sys.stdout.isatty() else _WIDTH
    Console(width=width, markup=False, emoji=False).print(answered, highlight=False)
