"""Commands that look after the platform: erase a customer, roll a model back, promote one, make what is behind anew."""

import json
import sys
import uuid
from datetime import date
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.codes import landed_code, landed_codes
from nextbasket_assets.cli.failing import CommandFailed, stands
from nextbasket_assets.cli.opened import lake_of
from nextbasket_assets.cli.settled import settled
from nextbasket_assets.errors import NOTHING_THERE, RED

if TYPE_CHECKING:
    from nextbasket_assets.lake.registry import Decision
    from nextbasket_assets.settings.reading import Settings

_REASON = click.option("--reason", required=True, help="Why; it is written into the registry.")
_RESCORE = click.option("--rescore/--no-rescore", default=True, help="Make the lists again that another model made.")


@click.command()
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@settled
def erase(settings: "Settings", customer: str, yes: bool) -> None:
    """Erase a customer everywhere, and print the receipt.

    From every table, every version that is kept, and the exports in the lake. `-` reads the code from the keyboard.
    The retailer's own code will do: it is turned into the one that `land` makes of it.
    A code of which nothing is found ends with 3; so does an erasure that is repeated when nothing is left.
    """
    from nextbasket_assets.lake.erasure import erase_customer, knows, require_code
    from nextbasket_assets.lake.pseudonyms import code_in
    from nextbasket_assets.resources.landing import LandingResource, files_with

    if not yes:
        click.confirm("This cannot be undone. Erase the customer?", abort=True, err=True)
    given = sys.stdin.readline().strip() if customer == "-" else customer
    codes = landed_codes(given)
    require_code(codes[0])
    lake, folder = lake_of(settings), LandingResource(uri=settings.landing).folder()

    def as_known(code: str) -> str:
        return code_in(lake, code, settings.pseudonym_key)

    code = landed_code(given, lambda one: knows(lake, as_known(one)))
    known = as_known(code)
    found = knows(lake, known)
    written = (given.strip(), *([code] if found else codes))  # a refused row has the code as it was given
    found = found or knows(lake, known, written)
    receipt = erase_customer(lake, known, uuid.uuid4().hex, written)
    searches = [files_with(folder, one) for one in dict.fromkeys(written)]
    landed, unsearched = (sorted({name for found in names for name in found}) for names in zip(*searches, strict=True))
    if settings.pseudonym_key and known == code:  # of a pseudonym nobody can say what the landing files call it
        unsearched = [settings.landing]
    forgotten = "by the next training: the retraining policy's, or the job train_models"
    left = {"landing_files_that_still_hold_the_customer": landed, "landing_files_not_searched": unsearched}
    click.echo(json.dumps({**receipt.as_json(), "models_forget": forgotten, **left}, indent=1))
    if receipt.remaining:
        raise CommandFailed(
            "The erasure is not complete.",
            f"{len(receipt.remaining)} file(s) still hold the customer: something was published meanwhile.",
            "Erase again when no run is active.",
            RED,
        )
    if landed:
        advice = "Remove the customer from these landing files too: a week that is ingested again brings them back."
        click.echo(advice, err=True)
    if unsearched or receipt.not_searched:
        advice = "Search the files that were not searched for the customer yourself: the receipt names them."
        click.echo(advice, err=True)
    if not found and not landed:
        raise CommandFailed(
            "Nothing was found for this code.",
            "Nothing that was searched in lake and landing folder holds it: nobody has it, or they were erased before.",
            "Check it: capital letters and zeros count, and so do all columns of a code that is made of several.",
            NOTHING_THERE,
        )


@click.command()
@_REASON
@_RESCORE
@settled
def rollback(settings: "Settings", reason: str, rescore: bool) -> None:
    """Take the champion out of service; the one before serves.

    The weeks that it scored are scored again, unless --no-rescore. Where that was not done, or was stopped, or exports and
    reports are older than the lists, the command does that first, and takes nothing else out of service.
    """
    from nextbasket_assets.lake.champions import left_by_a_rollback, roll_back

    lake = lake_of(settings)
    if rescore and (left := _inside(settings, left_by_a_rollback(lake))):
        click.echo(
            f"{len(left)} week(s) still show a version that was rolled back, or have older exports or reports than lists: "
            "they are made again, and nothing else is rolled back (with --no-rescore it is)"
        )
        stands("Not all lists of a version that was rolled back are made again.")
        _rescore(settings, left[0], rescore)
        return
    champion, now = roll_back(lake, reason, uuid.uuid4().hex)
    click.echo(f"{champion.version} is rolled back; {now.version if now else 'the fallback'} serves")
    stands(f"{champion.version} is rolled back, and not all of its lists are made again.")
    _rescore(settings, champion.week, rescore)


@click.command()
@click.argument("version")
@_REASON
@_RESCORE
@settled
def promote(settings: "Settings", version: str, reason: str, rescore: bool) -> None:
    """Promote a version of the recommender by hand.

    Whatever its evaluation said; the registry keeps who won and why. `nextbasket evaluation` shows the versions. The weeks
    from its own on are scored again, unless --no-rescore; where that was stopped, the same command does it.
    """
    from nextbasket_assets.lake import champions, registry

    lake = lake_of(settings)
    decision = champions.promoted(lake, version)
    if decision and rescore and _inside(settings, champions.to_make_again(lake, decision.week)):
        click.echo(f"{version} is promoted already, and some weeks have other lists, or exports and reports of others")
    else:
        decision = champions.promote(lake, version, reason, uuid.uuid4().hex)
        _say_who_serves(decision, registry.promoted(lake, champions.MODEL, date.max))
    stands(f"{version} is promoted, and not all lists are made again.")
    _rescore(settings, decision.week, rescore)


def _say_who_serves(promoted: "Decision", serving: "Decision | None") -> None:
    assert serving is not None, "one was promoted a moment ago"
    click.echo(f"{promoted.version} is promoted by hand; {serving.version} serves")
    if serving.version != promoted.version:
        advice = (
            f"{serving.version} is of a later week, and serves the newest ones. Roll it back to have the other serve."
        )
        click.echo(advice, err=True)


def _inside(settings: "Settings", weeks: list[date]) -> list[date]:
    """Of these weeks those of the calendar: a lake may hold others, for which there are no runs."""
    from nextbasket_assets.cli.runs import calendar

    wanted = frozenset(calendar(settings))
    return [week for week in weeks if week in wanted]


def _rescore(settings: "Settings", since: date, wanted: bool) -> None:
    """Make the lists of these weeks again with the champion in force."""
    from nextbasket_assets.cli.runs import refresh
    from nextbasket_assets.lake import champions
    from nextbasket_assets.lake.freshness import SCORES

    lake = lake_of(settings)
    behind, to_score = champions.to_make_again(lake, since), frozenset(champions.scored_by_another(lake))
    weeks = _inside(settings, behind) if wanted else []
    for table in SCORES:
        made_of_lists = table in champions.MADE_OF_LISTS
        refresh(settings, table, [week for week in weeks if made_of_lists or week in to_score])
    if wanted:
        click.echo(f"{len(weeks)} week(s) made again")
    if left := len(behind) - len(weeks):
        outside = ", for they lie outside the weeks wanted (NEXTBASKET_FIRST_WEEK, _LAST_WEEK)" if wanted else ""
        click.echo(f"{left} week(s) keep the lists of another model{outside}")
