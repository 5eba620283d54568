"""Commands that make something: the main job on landed weeks, a week's scores, Dagster's UI on the same data."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nextbasket_assets.cli.looking import show_customer, show_evaluation, show_missions
from nextbasket_assets.cli.opened import lake_of, open_lake, show
from nextbasket_assets.cli.options import json_option, week_option
from nextbasket_assets.cli.options import week as as_week
from nextbasket_assets.cli.settled import settled
from nextbasket_assets.cli.shop import CUSTOMERS, WEEKS, write

if TYPE_CHECKING:
    from nextbasket_assets.cli.plans import State
    from nextbasket_assets.settings.reading import Settings

COMMANDLINE = ParameterSource.COMMANDLINE
PRODUCTS = 1000  # of the demo's shop: few enough that 400 customers show what they have in common


@click.command()
@click.option("--customers", type=CUSTOMERS, default=1500, help="Customers of the synthetic shop.")
@click.option("--weeks", type=WEEKS, default=40, help="Weeks of the synthetic shop.")
@click.option(
    "--as-of",
    callback=as_week,
    metavar="YYYYWW",
    help="Week to train as of, or a day of it as YYYY-MM-DD; the fifth-last one by default.",
)
@settled
def demo(settings: "Settings", customers: int, weeks: int, as_of: date | None) -> None:
    """Run the main job: landed weeks to missions, model, scores.

    Without NEXTBASKET_LANDING a synthetic shop is written first. What is already in the lake is not made again,
    but for weeks that were made before a correction or a late week.
    """
    from nextbasket_assets.cli.home import environment
    from nextbasket_assets.cli.plans import default_as_of, demo_plan
    from nextbasket_assets.cli.runs import carry_out, catch_up
    from nextbasket_assets.shop.ledger import lacks_a_shop

    landing = Path(settings.landing)
    if not environment().get("NEXTBASKET_LANDING") and lacks_a_shop(landing):
        # Plain missions, and habits that change.
        write(landing, customers=customers, weeks=weeks, seed=1, strength=0.8, recency=0.95, products=PRODUCTS)
    else:
        _say_what_is_used(settings.landing, {"customers": customers, "weeks": weeks})
    found = _landed(settings)
    week = as_of or default_as_of(found.weeks)
    carry_out(settings, demo_plan(found, week))
    catch_up(settings)
    lake, catalogue = open_lake(settings)
    show_missions(lake, catalogue, week)
    show_customer(lake, catalogue, week)
    show_evaluation(lake, week)
    click.echo("\nNext: `make ui` shows all of this in Dagster; `nextbasket customer CODE` shows another customer.")


def _say_what_is_used(landing: str, asked: dict[str, int]) -> None:
    """Say that the weeks that are there are used, to somebody who asked for a shop of another size."""
    from nextbasket_assets.shop.ledger import Ledger

    typed, there = click.get_current_context().get_parameter_source, Ledger(Path(landing)).arguments
    vain = [f"--{name}" for name in asked if typed(name) is COMMANDLINE and asked[name] != there.get(name)]
    if vain:
        does = "does" if len(vain) == 1 else "do"
        click.echo(f"{landing}: the weekly files there are used; {' and '.join(vain)} {does} nothing.", err=True)


@click.command()
@week_option
@json_option
@settled
def score(settings: "Settings", week: date | None, as_json: bool) -> None:
    """Score a landed week with the models there are.

    Earlier weeks that the lake lacks are read first, and weeks that were made before a correction or a late week are
    made again. The newest landed week by default.
    """
    from nextbasket_assets.cli.plans import score_plan
    from nextbasket_assets.cli.runs import carry_out, catch_up
    from nextbasket_assets.lake.exports import current
    from nextbasket_assets.landing import week_code

    found = _landed(settings)
    week = week or found.weeks[-1]
    carry_out(settings, score_plan(found, week))
    catch_up(settings)
    manifest = current(lake_of(settings), week)
    assert manifest is not None, "the job exports what it scored"
    shown = ("week", "retail_week", "customers_by_model", "counts")
    counts = manifest["counts"]
    said = f"Week {week_code(week)}: {counts['rows']:,} items for {counts['customers']:,} customers"
    models = ", ".join(f"{number:,} by {version}" for version, number in manifest["customers_by_model"].items())
    show({name: manifest[name] for name in shown}, lambda: f"{said} ({models})", as_json)


def _landed(settings: "Settings") -> "State":
    """The landed weeks, of which there is at least one."""
    from nextbasket_assets.cli.plans import state
    from nextbasket_assets.landing import LandingError
    from nextbasket_assets.resources.landing import LandingResource

    found = state(settings, LandingResource(uri=settings.landing).folder())
    if not found.weeks:
        raise LandingError(f"{settings.landing}: no transactions_YYYYWW.csv[.gz] there. Deliver the weekly files.")
    return found


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=3000, help="Port on 127.0.0.1.")
@click.option("--read-only", is_flag=True, help="A viewer: it starts no sensor and takes no changes.")
@settled
def ui(settings: "Settings", port: int, read_only: bool) -> None:
    """Open the Dagster UI, with the landing sensor running."""
    import dagster as dg

    from nextbasket_assets.cli.home import prepare
    from nextbasket_assets.operations.lost_runs import end_lost_runs

    prepare(settings.dagster_home)
    with dg.DagsterInstance.get() as instance:
        end_lost_runs(instance)  # they would keep others from starting
    if "://" not in settings.landing:
        Path(settings.landing).mkdir(parents=True, exist_ok=True)
    workspace = Path(settings.dagster_home) / "workspace.yaml"
    tools = Path(sys.executable)
    start = [str(tools.with_name("dagster")), "dev"]
    if read_only:
        start = [str(tools.with_name("dagster-webserver")), "--read-only"]
    command = [*start, "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    os.execv(command[0], command)  # Dagster gets the terminal and its signals
