"""Commands that make something: a synthetic shop, the main job on it, Dagster's UI on the same data."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.looking import show_customer, show_evaluation, show_missions
from nextbasket_assets.cli.opened import open_lake
from nextbasket_assets.cli.options import week as as_week
from nextbasket_assets.cli.settled import settled

if TYPE_CHECKING:
    from nextbasket_assets.definitions import Settings

HABITS = ("--strength=0.8", "--recency=0.95")  # of the demo's shop: plain missions, and habits that change
PRODUCTS = 1000  # of the demo's shop: few enough that 400 customers show what they have in common


@click.command()
@click.option("--customers", default=5000, help="Customers of the shop.")
@click.option("--weeks", default=117, help="Weekly files to write, from 200607 on.")
@click.option("--seed", default=1, help="The same seed gives the same bytes.")
@click.option(
    "--strength", default=0.5, help="How strongly the planted missions shape a basket: 0 not at all, 1 fully."
)
@click.option("--recency", default=0.0, help="Share of repeats that come from what a customer bought lately.")
@click.option("--products", default=4997, help="Products in the catalogue.")
@click.option("--header", type=click.Choice(["A", "B", "C"]), default="B", help="Dialect of the column names.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write into.")
def shop(
    customers: int, weeks: int, seed: int, strength: float, recency: float, products: int, header: str, out: Path
) -> None:
    """Write a synthetic shop: weekly files as a retailer would land them, with planted missions."""
    from nextbasket_assets.shop.shop import write_shop

    with click.progressbar(length=weeks, label=f"{customers:,} customers, {weeks} weeks") as bar:
        try:
            report = write_shop(
                out,
                customers=customers,
                weeks=weeks,
                seed=seed,
                strength=strength,
                recency=recency,
                products=products,
                header=header,  # type: ignore[arg-type]  # click.Choice gives one of the three
                progress=lambda done, _: bar.update(done - bar.pos),
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    click.echo(f"{len(report.files)} files, {report.baskets:,} baskets, {report.lines:,} lines in {out}")


@click.command()
@click.option("--customers", default=1500, help="Customers of the synthetic shop.")
@click.option("--weeks", default=40, help="Weeks of the synthetic shop.")
@click.option(
    "--as-of",
    callback=as_week,
    metavar="YYYYWW",
    help="Week to train as of, or a day of it as YYYY-MM-DD; the fifth-last one by default.",
)
@settled
def demo(settings: "Settings", customers: int, weeks: int, as_of: date | None) -> None:
    """Run the main job: landed weeks to missions, a trained model and next-basket scores.

    Without NEXTBASKET_LANDING a synthetic shop is written first. What is already in the lake is not made again.
    """
    from nextbasket_assets.cli import demo as steps
    from nextbasket_assets.cli.home import environment, prepare
    from nextbasket_assets.resources.landing import LandingResource

    landing = Path(settings.landing)
    if "NEXTBASKET_LANDING" not in environment() and not list(landing.glob("transactions_*")):
        size = [f"--customers={customers}", f"--weeks={weeks}", f"--products={PRODUCTS}", *HABITS]
        shop.main([*size, f"--out={landing}"], standalone_mode=False)
    landed = sorted(steps.landed_weeks(LandingResource(uri=settings.landing).folder()))
    if not landed:
        raise click.ClickException(
            f"{settings.landing}: no transactions_YYYYWW.csv[.gz] there. Deliver the weekly files."
        )
    prepare(settings.dagster_home)
    week = as_of or steps.default_as_of(landed)
    steps.run_all(settings, week)
    lake, catalogue = open_lake(settings)
    show_missions(lake, catalogue, week)
    show_customer(lake, catalogue, week, None)
    show_evaluation(lake, week)
    click.echo("\nNext: `make ui` shows all of this in Dagster; `nextbasket customer CODE` shows another customer.")


@click.command()
@click.option("--port", default=3000, help="Port on 127.0.0.1.")
@click.option("--read-only", is_flag=True, help="A viewer: it starts no sensor and takes no changes.")
@settled
def ui(settings: "Settings", port: int, read_only: bool) -> None:
    """Open the Dagster UI on the same data, with the landing sensor running."""
    from nextbasket_assets.cli.home import prepare

    prepare(settings.dagster_home)
    Path(settings.landing).mkdir(parents=True, exist_ok=True)
    workspace = Path(settings.dagster_home) / "workspace.yaml"
    tools = Path(sys.executable)
    start = [str(tools.with_name("dagster")), "dev"]
    if read_only:
        start = [str(tools.with_name("dagster-webserver")), "--read-only"]
    command = [*start, "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    os.execv(command[0], command)  # Dagster gets the terminal and its signals
