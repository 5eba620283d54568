"""What the commands that show something open: the lake with the names of its items, and the terminal."""

import sys
from datetime import date
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from nextbasket_assets.catalogue import Catalogue
    from nextbasket_assets.definitions import Settings
    from nextbasket_assets.lake.tables import Lake


def open_lake(settings: "Settings") -> "tuple[Lake, Catalogue]":
    """The lake, and the retailer's names."""
    from nextbasket_assets.lake.tables import Lake
    from nextbasket_assets.resources.landing import LandingResource, catalogue_of

    return Lake(settings.lake), catalogue_of(LandingResource(uri=settings.landing).folder())


def newest(lake: "Lake", table: str) -> date:
    """The newest week of a table."""
    weeks = lake.weeks(table)
    if not weeks:
        raise click.ClickException(f"{table} has no week yet. Run `nextbasket demo`, or materialise it in the UI.")
    return weeks[-1]


def terminal() -> "Console":
    """A terminal as wide as it is; a file gets room for the widest table."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=140)
