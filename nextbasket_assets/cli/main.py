"""`nextbasket`: the demo, the synthetic shop, the UI, and a look at missions, customers and evaluations."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nextbasket_assets.cli.care import erase, promote, rollback
from nextbasket_assets.cli.report import report
from nextbasket_assets.cli.settled import settled

HABITS = ("--strength=0.8", "--recency=0.95")  # of the demo's shop: plain missions, and habits that change
PRODUCTS = 1000  # of the demo's shop: few enough that 400 customers show what they have in common

FEWEST_BASKETS = 3  # before the week: fewer say little about a customer

if TYPE_CHECKING:
    from rich.console import Console

    from nextbasket_assets.catalogue import Catalogue
    from nextbasket_assets.definitions import Settings
    from nextbasket_assets.lake.tables import Lake


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Weekly transactions in, next-basket scores out."""


for command in (erase, rollback, promote, report):
    main.add_command(command)


def _week(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    from nextbasket_assets.landing import monday

    try:
        return monday(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


week_option = click.option("--week", callback=_week, metavar="YYYYWW", help="Retail week; the newest one by default.")


@main.command()
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


@main.command()
@click.option("--customers", default=1500, help="Customers of the synthetic shop.")
@click.option("--weeks", default=40, help="Weeks of the synthetic shop.")
@click.option("--as-of", callback=_week, metavar="YYYYWW", help="Week to train as of; the fifth-last one by default.")
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
        main.main(["shop", *size, f"--out={landing}"], standalone_mode=False)
    landed = sorted(steps.landed_weeks(LandingResource(uri=settings.landing).folder()))
    if not landed:
        raise click.ClickException(
            f"{settings.landing}: no transactions_YYYYWW.csv[.gz] there. Deliver the weekly files."
        )
    prepare(settings.dagster_home)
    week = as_of or steps.default_as_of(landed)
    steps.run_all(settings, week)
    lake, catalogue = _open(settings)
    _show_missions(lake, catalogue, week)
    _show_customer(lake, catalogue, week, None)
    _show_evaluation(lake, week)
    click.echo("\nNext: `make ui` shows all of this in Dagster; `nextbasket customer CODE` shows another customer.")


@main.command()
@week_option
@settled
def missions(settings: "Settings", week: date | None) -> None:
    """Show the missions of a model: how many baskets each has, and its items."""
    lake, catalogue = _open(settings)
    _show_missions(lake, catalogue, week or _newest(lake, "mission_topics"))


@main.command()
@click.argument("code", required=False)
@click.option("--mission", metavar="M01", help="For a trip of this mission; for any trip without it.")
@week_option
@settled
def customer(settings: "Settings", code: str | None, mission: str | None, week: date | None) -> None:
    """Show a customer's next basket with reasons; without CODE, the one with the longest history."""
    lake, catalogue = _open(settings)
    _show_customer(lake, catalogue, week or _newest(lake, "next_basket_scores"), code, mission)


@main.command()
@week_option
@settled
def evaluation(settings: "Settings", week: date | None) -> None:
    """Show how good a week's model is: on its held-out weeks, and against what people bought afterwards."""
    lake, _ = _open(settings)
    _show_evaluation(lake, week or _newest(lake, "model_evaluation"))


@main.command()
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


def _open(settings: "Settings") -> "tuple[Lake, Catalogue]":
    from nextbasket_assets.lake.tables import Lake
    from nextbasket_assets.resources.landing import LandingResource, catalogue_of

    return Lake(settings.lake), catalogue_of(LandingResource(uri=settings.landing).folder())


def _newest(lake: "Lake", table: str) -> date:
    weeks = lake.weeks(table)
    if not weeks:
        raise click.ClickException(f"{table} has no week yet. Run `nextbasket demo`, or materialise it in the UI.")
    return weeks[-1]


def _show_missions(lake: "Lake", catalogue: "Catalogue", week: date) -> None:
    from nextbasket_assets.report.console import missions_table

    _console().print(missions_table(lake, week, catalogue))


def _show_customer(
    lake: "Lake", catalogue: "Catalogue", week: date, code: str | None, mission: str | None = None
) -> None:
    import pyarrow.compute as pc

    from nextbasket_assets.report.console import customer_table

    sequences = lake.read("customer_sequences", [week]).select(["customer", "baskets_seen"])
    order = [("baskets_seen", "descending"), ("customer", "ascending")]
    chosen = code or sequences.sort_by(order)["customer"][0].as_py()
    scores = lake.read("next_basket_scores", [week])
    rows = scores.filter(pc.equal(scores["customer"], chosen)).to_pylist()
    if not rows:
        raise click.ClickException(
            f"week {week} has no scores for that customer code. Check the code, or choose another --week."
        )
    if mission:
        rows = _rows_for_mission(lake, week, chosen, mission)
    trip = f" on a trip of {mission}" if mission else ""
    _console().print(customer_table(rows[:10], chosen + trip, week, catalogue))


def _rows_for_mission(lake: "Lake", week: date, code: str, mission: str) -> list[dict[str, Any]]:
    from nextbasket_assets.lake import registry
    from nextbasket_assets.lake.copies import local_files, local_folder
    from nextbasket_assets.lake.missions import mission_ids
    from nextbasket_assets.recommender.histories import mission_model_of
    from nextbasket_assets.recommender.scoring import ScoreError, list_for_mission

    champion = registry.promoted(lake, "rnn_model", week)
    if champion is None:
        raise click.ClickException(f"no model is promoted as of {week}: only a model knows what goes with a mission.")
    with (
        local_files(lake, lake.require("customer_sequences", [week])) as files,
        local_folder(lake, champion.artifact) as folder,
    ):
        assert folder is not None  # a champion has an artifact
        known = mission_ids(lake, mission_model_of(files))
        if mission not in known:
            raise click.ClickException(f"week {week} has no mission {mission}. It has {', '.join(known) or 'none'}.")
        try:
            table = list_for_mission(files, week, folder, code, known.index(mission), 10)
            rows: list[dict[str, Any]] = table.to_pylist()
        except ScoreError as error:
            raise click.ClickException(str(error)) from error
    return rows


def _show_evaluation(lake: "Lake", week: date) -> None:
    from nextbasket_assets.report.console import evaluation_table

    console = _console()
    held_out = lake.read("model_evaluation", [week]).to_pylist()
    if held_out:
        console.print(evaluation_table(held_out, "Held-out weeks of the training"))
    later = [other for other in lake.weeks("staged_baskets") if other > week]
    if later:
        from nextbasket_assets.recommender.evaluation import retrospective

        rows = retrospective(
            lake.require("next_basket_scores", [week]),
            lake.files("staged_baskets", later),
            lake.require("customer_sequences", [week]),
            minimum_baskets=FEWEST_BASKETS,
        )
        title = f"The week's scores against the first basket afterwards, {FEWEST_BASKETS} baskets or more before"
        console.print(evaluation_table(rows, title))


def _console() -> "Console":
    """A terminal as wide as it is; a file gets room for the widest table."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=140)
