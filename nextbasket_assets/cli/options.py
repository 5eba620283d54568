"""Options that several commands take."""

from datetime import date, timedelta

import click


def week(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    """The Monday of a YYYYWW from the command line, or of the week of a day."""
    from nextbasket_assets.landing import monday

    try:
        if value and "-" in value:
            day = date.fromisoformat(value)
            return day - timedelta(days=day.weekday())
        return monday(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


week_option = click.option(
    "--week",
    callback=week,
    metavar="YYYYWW",
    help="Retail week, or a day of it as YYYY-MM-DD; the newest one by default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")
