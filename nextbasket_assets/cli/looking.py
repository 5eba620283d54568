"""Commands that show what the lake holds: missions, a customer's next basket, how good a model is."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from nextbasket_assets.cli.opened import newest, open_lake, terminal
from nextbasket_assets.cli.options import week_option
from nextbasket_assets.cli.settled import settled

if TYPE_CHECKING:
    from nextbasket_assets.catalogue import Catalogue
    from nextbasket_assets.definitions import Settings
    from nextbasket_assets.lake.tables import Lake

FEWEST_BASKETS = 3  # before the week: fewer say little about a customer


@click.command()
@week_option
@settled
def missions(settings: "Settings", week: date | None) -> None:
    """Show the missions of a model: how many baskets each has, and its items."""
    lake, catalogue = open_lake(settings)
    show_missions(lake, catalogue, week or newest(lake, "mission_topics"))


@click.command()
@click.argument("code", required=False)
@click.option("--mission", metavar="M01", help="For a trip of this mission; for any trip without it.")
@week_option
@settled
def customer(settings: "Settings", code: str | None, mission: str | None, week: date | None) -> None:
    """Show a customer's next basket with reasons; without CODE, the one with the longest history."""
    from nextbasket_assets.lake.pseudonyms import code_in

    lake, catalogue = open_lake(settings)
    known = code_in(lake, code, settings.pseudonym_key) if code else None
    show_customer(lake, catalogue, week or newest(lake, "next_basket_scores"), known, mission)


@click.command()
@week_option
@settled
def evaluation(settings: "Settings", week: date | None) -> None:
    """Show how good a week's model is: on its held-out weeks, and against what people bought afterwards."""
    lake, _ = open_lake(settings)
    show_evaluation(lake, week or newest(lake, "model_evaluation"))


def show_missions(lake: "Lake", catalogue: "Catalogue", week: date) -> None:
    """Print the missions of a model."""
    from nextbasket_assets.report.console import missions_table

    terminal().print(missions_table(lake, week, catalogue))


def show_customer(
    lake: "Lake", catalogue: "Catalogue", week: date, code: str | None, mission: str | None = None
) -> None:
    """Print one customer's list."""
    import pyarrow.compute as pc

    from nextbasket_assets.report.console import customer_table

    sequences = lake.read("customer_sequences", [week]).select(["customer", "baskets_seen"])
    order = [("baskets_seen", "descending"), ("customer", "ascending")]
    chosen = code or next(iter(sequences.sort_by(order)["customer"].to_pylist()), "")
    scores = lake.read("next_basket_scores", [week])
    rows = scores.filter(pc.equal(scores["customer"], chosen)).to_pylist()
    if not rows:
        raise click.ClickException(
            f"week {week} has no scores for that customer code. Check the code, or choose another --week."
        )
    if mission:
        rows = _rows_for_mission(lake, week, chosen, mission)
    trip = f" on a trip of {mission}" if mission else ""
    terminal().print(customer_table(rows[:10], chosen + trip, week, catalogue))


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


def show_evaluation(lake: "Lake", week: date) -> None:
    """Print how good the model of a week is."""
    from nextbasket_assets.report.console import evaluation_table

    console = terminal()
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
