"""Which runs bring the landed weeks to scores: for the demo, and for one week. What is in the lake as it is stays."""

from dataclasses import dataclass
from datetime import date, datetime

from nextbasket_assets.arrivals import Listed
from nextbasket_assets.cli.runs import Run
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.champions import MODEL
from nextbasket_assets.lake.missions import MODEL as MISSIONS
from nextbasket_assets.lake.missions import mission_ids
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import LandingError, require_rows, week_code, week_of
from nextbasket_assets.operations.ingested import ingested
from nextbasket_assets.operations.requests import BACKFILL
from nextbasket_assets.operations.retraining import SCORE, TRAIN
from nextbasket_assets.partitions import contiguous, weekly, weeks_of
from nextbasket_assets.resources.landing import inspect_file
from nextbasket_assets.resources.landing_folders import Folder
from nextbasket_assets.settings.places import SettingsError
from nextbasket_assets.settings.reading import Settings

WEEKS_AFTER = 4


@dataclass(frozen=True)
class State:
    """What a plan needs to know.

    Attributes:
        weeks: that landed, in order.
        changed: of them, those that are not in the lake with this content.
        lake: the lake.
    """

    weeks: list[date]
    changed: set[date]
    lake: Lake

    def lacking(self, table: str) -> set[date]:
        """Landed weeks that the table has not, or has with other content."""
        return {*self.weeks} - {*self.lake.weeks(table)} | self.changed


def landed_weeks(folder: Folder) -> dict[date, Listed]:
    """The landing file of every week."""
    return {week: listed for listed in folder.list() if (week := week_of(listed.name))}


def state(settings: Settings, folder: Folder) -> State:
    """The landed weeks, read once, against the lake.

    Raises:
        LandingError: a file must not be ingested.
        SettingsError: a week lies outside the platform's weeks.
    """
    lake = Lake(settings.lake, settings.kms_key)
    held, landed = ingested(lake).content, landed_weeks(folder)
    require_wanted(settings, sorted(landed))
    changed = {week for week, listed in landed.items() if _is_changed(folder, listed.name, held.get(week))}
    return State(sorted(landed), changed, lake)


def _is_changed(folder: Folder, name: str, held: str | None) -> bool:
    """Whether a week was made from other content; one that was emptied on purpose has a file without rows.

    Raises:
        LandingError: the file must not be ingested.
    """
    found = inspect_file(folder, name, allow_empty=True)
    if found.sha256 == held:
        return False
    require_rows(found)
    return True


def require_wanted(settings: Settings, weeks: list[date], now: datetime | None = None) -> None:
    """Check that the landed weeks are among the platform's, which go no further than the week that has begun.

    Raises:
        SettingsError: one is not; the message says which settings would take it.
    """
    begun = _wanted(settings.first_week, None, now)
    ahead = [week for week in weeks if begun and week > begun[-1]]
    if ahead:
        raise SettingsError(
            f"{len(ahead)} landed week(s), the first {week_code(ahead[0])} ({ahead[0]}), have not begun: the newest week that "
            f"has is {week_code(begun[-1])} ({begun[-1]}). Correct the names of the files, or remove them."
        )
    wanted = {*_wanted(settings.first_week, settings.last_week, now)}
    outside = [week for week in weeks if week not in wanted]
    if outside:
        raise SettingsError(
            f"{len(outside)} landed week(s), the first {week_code(outside[0])} ({outside[0]}), lie outside the weeks wanted, "
            f"{settings.first_week} to {settings.last_week or 'now'}. Set NEXTBASKET_FIRST_WEEK={weeks[0]} and "
            "NEXTBASKET_LAST_WEEK=open, or remove the files."
        )


def _wanted(first: date, last: date | None, now: datetime | None) -> list[date]:
    return weeks_of(weekly(first, last).get_partition_keys(now))


def default_as_of(weeks: list[date]) -> date:
    """The week to train as of: late, with a few weeks after it to see what people then bought."""
    return sorted(weeks)[-1 - WEEKS_AFTER] if len(weeks) > WEEKS_AFTER else max(weeks)


def demo_plan(found: State, as_of: date) -> list[Run]:
    """Bring every landed week into the lake, train as of one week, and score from that week on.

    A training that died before its model was judged is repeated; lists or outlooks that a dead run left out are made.

    Raises:
        LandingError: that week did not land.
    """
    _require_landed(found, as_of)
    training = [Run(TRAIN, as_of, as_of)] if as_of in found.changed or not _judged(found.lake, as_of) else []
    unscored = found.lacking("next_basket_scores") | found.lacking("next_trip_outlook")
    unscored -= {run.first for run in training}  # that run scores its week, too
    left = [week for week in found.weeks if week >= as_of and week in unscored]
    return [*_history(found, as_of), *training, *(Run(SCORE, *span) for span in contiguous(left))]


def _judged(lake: Lake, as_of: date) -> bool:
    """Whether the newest model trained as of a week was decided on, and its evaluation is there to be shown.

    So must the missions of the week's mission model be: a training that died before it recorded its own has replaced them.
    """
    newest, missions = registry.trained(lake, MODEL, as_of), registry.promoted(lake, MISSIONS, as_of)
    decided = {one.version for one in registry.decisions(lake, MODEL) if one.decision != registry.TRAINED}
    judged = newest is not None and newest.version in decided and as_of in lake.weeks("model_evaluation")
    return judged and (missions is None or bool(mission_ids(lake, missions.version)))


def score_plan(found: State, week: date) -> list[Run]:
    """Bring the weeks before it into the lake where they are not there, and score one week with the models there are.

    Raises:
        LandingError: it did not land.
    """
    _require_landed(found, week)
    return [*_history(found, week), Run(SCORE, week, week)]


def _require_landed(found: State, week: date) -> None:
    """Before hours go into its history."""
    if week not in found.weeks:
        raise LandingError(
            f"no landing file for week {week_code(week)}; {len(found.weeks)} week(s) landed, {week_code(found.weeks[0])} "
            f"to {week_code(found.weeks[-1])}. Deliver it, or choose a week that is there."
        )


def _history(found: State, week: date) -> list[Run]:
    missing = found.lacking("customer_sequences")
    return [Run(BACKFILL, *span) for span in contiguous([one for one in found.weeks if one < week and one in missing])]
