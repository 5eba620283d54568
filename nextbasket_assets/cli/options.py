"""Options that several commands take."""

from datetime import date

import click


def week(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    """The Monday of a YYYYWW from the command line."""
    from nextbasket_assets.landing import monday

    try:
        return monday(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


week_option = click.option("--week", callback=week, metavar="YYYYWW", help="Retail week; the newest one by default.")
