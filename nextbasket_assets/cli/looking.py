"""Commands that show what the lake holds: missions, a customer with their next basket, how good a model is."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from nextbasket_assets.cli.codes import landed_code
from nextbasket_assets.cli.opened import lake_of, open_lake, show, week_in
from nextbasket_assets.cli.options import json_option, week_option
from nextbasket_assets.cli.settled import settled
from nextbasket_assets.landing import week_code

if TYPE_CHECKING:
    from nextbasket_assets.catalogue import Catalogue
    from nextbasket_assets.lake.tables import Lake
    from nextbasket_assets.settings.reading import Settings

FEWEST_BASKETS = 3  # before the week: fewer say little about a customer


@click.command()
@week_option
@json_option
@settled
def missions(settings: "Settings", week: date | None, as_json: bool) -> None:
    """Show a model's missions, their shares and typical items."""
    lake, catalogue = open_lake(settings)
    show_missions(lake, catalogue, week_in(lake, "mission_topics", week), as_json)


@click.command()
@click.argument("code", required=False)
@click.option("--mission", metavar="M01", help="The list for a trip of this mission; for any trip without it.")
@click.option("--baskets", type=click.IntRange(1), default=5, help="Baskets of the history, the newest ones.")
@click.option("--items", type=click.IntRange(1), default=10, help="Items of the list.")
@week_option
@json_option
@settled
def customer(
    settings: "Settings",
    code: str | None,
    mission: str | None,
    baskets: int,
    items: int,
    week: date | None,
    as_json: bool,
) -> None:
    """Show a customer: history, next trip, next basket with reasons.

    Without CODE, the customer with the longest history. The history has the mission of each basket. The retailer's own
    code will do: it is turned into the one that `land` makes of it.
    """
    from nextbasket_assets.lake.pseudonyms import code_in

    lake, catalogue = open_lake(settings)
    week = week_in(lake, "next_basket_scores", week)

    def as_known(one: str) -> str:
        return code_in(lake, one, settings.pseudonym_key)

    known = as_known(landed_code(code, lambda one: bool(_rows(lake, week, as_known(one))))) if code else None
    show_customer(lake, catalogue, week, known, mission, baskets, items, as_json=as_json)


@click.command()
@week_option
@json_option
@settled
def evaluation(settings: "Settings", week: date | None, as_json: bool) -> None:
    """Show how good a week's model is, and which model serves.

    On its held-out weeks, against what people bought afterwards, and the registry's newest decisions.
    """
    lake = lake_of(settings)
    show_evaluation(lake, week_in(lake, "model_evaluation", week), as_json)


def show_missions(lake: "Lake", catalogue: "Catalogue", week: date, as_json: bool = False) -> None:
    """Print the missions of a model."""
    from nextbasket_assets.report.answers import missions_answer
    from nextbasket_assets.report.console import missions_table

    answer = missions_answer(lake, week, catalogue)
    show(answer, lambda: missions_table(answer), as_json)


def show_customer(
    lake: "Lake",
    catalogue: "Catalogue",
    week: date,
    code: str | None = None,
    mission: str | None = None,
    baskets: int = 5,
    items: int = 10,
    *,
    as_json: bool = False,
) -> None:
    """Print one customer."""
    from nextbasket_assets.report.answers import NoAnswerError, customer_answer
    from nextbasket_assets.report.console import customer_tables

    chosen = code or _longest_history(lake, week)
    rows = _rows_for_mission(lake, week, chosen, mission, items) if mission else _rows(lake, week, chosen)[:items]
    if not rows:
        raise NoAnswerError(
            f"week {week_code(week)} has no scores for that customer code. Check the code, or choose another --week."
        )
    answer = customer_answer(lake, week, chosen, rows, catalogue, baskets, mission)
    show(answer, lambda: customer_tables(answer, mission), as_json)


def _longest_history(lake: "Lake", week: date) -> str:
    known = lake.read("customer_sequences", [week]).select(["customer", "baskets_seen"])
    order = [("baskets_seen", "descending"), ("customer", "ascending")]
    return next(iter(known.sort_by(order)["customer"].to_pylist()), "")


def _rows(lake: "Lake", week: date, code: str) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    scores = lake.read("next_basket_scores", [week])
    rows: list[dict[str, Any]] = scores.filter(pc.equal(scores["customer"], code)).sort_by("rank").to_pylist()
    return rows


def _rows_for_mission(lake: "Lake", week: date, code: str, mission: str, items: int) -> list[dict[str, Any]]:
    from nextbasket_assets.lake import registry
    from nextbasket_assets.lake.copies import local_files, local_folder
    from nextbasket_assets.lake.missions import mission_ids
    from nextbasket_assets.recommender.histories import mission_model_of
    from nextbasket_assets.recommender.scoring import list_for_mission
    from nextbasket_assets.report.answers import NoAnswerError

    champion = registry.promoted(lake, "rnn_model", week)
    if champion is None:
        raise NoAnswerError(
            f"no model is promoted as of week {week_code(week)}, and only a model knows what goes with a mission. "
            "Leave --mission out, or train one (job train_models)."
        )
    with (
        local_files(lake, lake.require("customer_sequences", [week])) as files,
        local_folder(lake, champion.artifact) as folder,
    ):
        assert folder is not None  # a champion has an artifact
        known = mission_ids(lake, mission_model_of(files))
        if mission not in known:
            raise NoAnswerError(
                f"week {week_code(week)} has no mission {mission[:20]}. Choose from {', '.join(known) or 'none'}."
            )
        table = list_for_mission(files, week, folder, code, known.index(mission), items)
        rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def show_evaluation(lake: "Lake", week: date, as_json: bool = False) -> None:
    """Print how good the model of a week is."""
    from nextbasket_assets.recommender.evaluation import retrospective
    from nextbasket_assets.report.answers import evaluation_answer
    from nextbasket_assets.report.console import evaluation_tables

    held_out = lake.read("model_evaluation", [week]).to_pylist()
    later = [other for other in lake.weeks("staged_baskets") if other > week]
    afterwards = []
    if later and week in lake.weeks("next_basket_scores"):
        afterwards = retrospective(
            lake.require("next_basket_scores", [week]),
            lake.files("staged_baskets", later),
            lake.require("customer_sequences", [week]),
            minimum_baskets=FEWEST_BASKETS,
        )
    answer = evaluation_answer(lake, week, held_out, afterwards)
    show(answer, lambda: evaluation_tables(answer, FEWEST_BASKETS), as_json)
