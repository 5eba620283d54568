"""Plans: what is not in the lake is made, what is there stays."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nextbasket_assets.cli.plans import State, default_as_of, demo_plan, require_wanted, score_plan
from nextbasket_assets.cli.plans import state as state_of
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import Decision, record
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import FIELDS, LandingError
from nextbasket_assets.resources.landing_folders import LocalFolder
from nextbasket_assets.settings.places import SettingsError
from nextbasket_assets.settings.reading import settings
from nextbasket_tests.report.weekly.weeks import put

WEEKS = [date(2006, 4, 10) + timedelta(weeks=number) for number in range(6)]
IDENTITY = {"mission": "M01", "name": "Everything", "status": "new", "share": 1.0}


def state(root: Path, held: list[int], scored: list[int], changed: list[int]) -> State:
    """Six landed weeks; those that are held have sequences, those that are scored have lists."""
    lake = Lake(str(root / "lake"))
    made = {"customer_sequences": held, "next_basket_scores": scored, "next_trip_outlook": scored}
    for table, numbers in made.items():
        if numbers:
            publish_empty(lake, table, numbers)
    return State(WEEKS, {WEEKS[n] for n in changed}, lake)


def publish_empty(lake: Lake, table: str, numbers: Iterable[int]) -> None:
    with stage(lake, table, "run") as folder:
        publish(lake, table, folder, [WEEKS[n] for n in numbers], Provenance("run", "c", {}))


def decide(lake: Lake, version: str, *made: str) -> None:
    """Decisions about a version as of the third week, in this order."""
    about: dict[str, Any] = {"why": "", "metrics": {}, "artifact": "a", "digest": "d", "inputs": {}, "run_id": "r"}
    for decision in made:
        record(lake, Decision(week=WEEKS[2], name="rnn_model", version=version, decision=decision, **about))


@pytest.mark.parametrize(
    ("held", "changed", "runs"),
    [
        ([], range(6), ["backfill_weeks 200607 to 200610", "score_week 200611"]),
        ([0, 1, 3], [4], ["backfill_weeks 200609", "score_week 200611"]),
        ([0, 1, 2, 3], [1], ["backfill_weeks 200608", "score_week 200611"]),
        ([0, 1, 2, 3, 4], [], ["score_week 200611"]),
    ],
)
def test_a_week_is_scored_on_the_history_that_landed(
    tmp_path: Path, held: list[int], changed: list[int], runs: list[str]
) -> None:
    """Earlier weeks that are missing or were corrected come first; what later weeks need is seen after these runs."""
    found = state(tmp_path, held, [], list(changed))

    assert [str(run) for run in score_plan(found, WEEKS[4])] == runs


def test_the_demo_trains_in_the_middle_and_scores_what_is_not_scored(tmp_path: Path) -> None:
    """History, one training, and every later week without lists, ranges in one run."""
    fresh = state(tmp_path / "a", [], [], list(range(6)))
    partly = state(tmp_path / "b", [0, 1, 2, 3], [3], [])

    assert [str(run) for run in demo_plan(fresh, WEEKS[2])] == [
        "backfill_weeks 200607 to 200608",
        "train_and_score_week 200609",
        "score_week 200610 to 200612",
    ]
    assert [str(run) for run in demo_plan(partly, WEEKS[2])] == [
        "train_and_score_week 200609",
        "score_week 200611 to 200612",
    ]


@pytest.mark.parametrize(
    ("models", "evaluated"),
    [
        ({"a": ["trained"]}, False),
        ({"a": ["trained", "promoted"]}, False),
        ({"a": ["trained", "promoted"], "b": ["trained"]}, True),
    ],
)
def test_a_training_that_died_before_its_model_was_judged_is_repeated(
    tmp_path: Path, models: dict[str, list[str]], evaluated: bool
) -> None:
    """A decision counts when it is about the week's newest model, more than that it was trained, and evaluated."""
    found = state(tmp_path, [0, 1, 2], [], [3, 4, 5])
    for version, made in models.items():
        decide(found.lake, version, *made)
    if evaluated:
        publish_empty(found.lake, "model_evaluation", [2])

    assert [str(run) for run in demo_plan(found, WEEKS[2])] == [
        "train_and_score_week 200609",
        "score_week 200610 to 200612",
    ]


def test_a_training_that_died_before_it_recorded_its_missions_is_repeated(tmp_path: Path) -> None:
    """It has replaced those of the model in force, so that nobody can read the weights of that model's baskets."""
    found = state(tmp_path, [0, 1, 2], [], [3, 4, 5])
    decide(found.lake, "a", "trained", "promoted")
    publish_empty(found.lake, "model_evaluation", [2])
    record(found.lake, dataclasses.replace(registry.decisions(found.lake, "rnn_model")[-1], name="mission_model"))
    put(found.lake, "mission_identities", WEEKS[2], [IDENTITY | {"mission_model": "a"}])
    whole = [str(run) for run in demo_plan(found, WEEKS[2])]
    put(found.lake, "mission_identities", WEEKS[2], [IDENTITY | {"mission_model": "b"}])

    assert whole == ["score_week 200609 to 200612"]
    assert [str(run) for run in demo_plan(found, WEEKS[2])] == [
        "train_and_score_week 200609",
        "score_week 200610 to 200612",
    ]


@pytest.mark.parametrize("decision", ["promoted", "refused", "rolled_back"])
@pytest.mark.parametrize(
    ("scored", "runs"), [([], ["score_week 200609 to 200612"]), ([2, 3, 4], ["score_week 200612"])]
)
def test_after_its_model_was_judged_a_week_without_lists_is_scored(
    tmp_path: Path, decision: str, scored: list[int], runs: list[str]
) -> None:
    """Whatever was decided, there is no second training, and the week that was trained as of gets its lists."""
    found = state(tmp_path, [0, 1, 2], scored, [])
    decide(found.lake, "a", "trained", decision)
    publish_empty(found.lake, "model_evaluation", [2])

    assert [str(run) for run in demo_plan(found, WEEKS[2])] == runs


def test_a_week_with_lists_and_no_outlooks_is_scored_again(tmp_path: Path) -> None:
    """A run that died between the two tables is no reason for a customer without a next trip."""
    found = state(tmp_path, [0, 1, 2], [3, 4, 5], [])
    publish_empty(found.lake, "next_basket_scores", [2])
    decide(found.lake, "a", "trained", "promoted")
    publish_empty(found.lake, "model_evaluation", [2])

    assert [str(run) for run in demo_plan(found, WEEKS[2])] == ["score_week 200609"]


@pytest.mark.parametrize("plan", [demo_plan, score_plan])
def test_a_week_that_did_not_land_is_refused_first(tmp_path: Path, plan: Callable[[State, date], object]) -> None:
    """Nothing is planned for a week without a file, however much of its history is missing."""
    with pytest.raises(LandingError, match=r"no landing file for week 200613; 6 week.s. landed, 200607 to 200612"):
        plan(state(tmp_path, [], [], []), WEEKS[5] + timedelta(weeks=1))


def test_a_week_that_was_emptied_on_purpose_is_as_it_landed(tmp_path: Path) -> None:
    """A file without rows that made its week empty stops no other week; any other one does, before hours of work."""
    found = settings({"NEXTBASKET_LAKE": str(tmp_path / "lake"), "NEXTBASKET_LANDING": str(tmp_path)})
    folder, header = LocalFolder(tmp_path), (",".join(FIELDS) + "\n").encode()
    for code, text in (("200607", header), ("200608", header + b"," * (len(FIELDS) - 1) + b"\n")):
        (tmp_path / f"transactions_{code}.csv").write_bytes(text)
    with pytest.raises(LandingError, match=r"transactions_200607.csv: 0 rows, only a header"):
        state_of(found, folder)
    landed = {"source_file": "transactions_200607.csv", "sha256": hashlib.sha256(header).hexdigest()}
    row = {**landed, "bytes": 1, "lines": 0, "accepted": 0, "rejected": 0}
    put(Lake(found.lake), "landed_files", WEEKS[0], [row])

    assert state_of(found, folder).changed == {WEEKS[1]}


def test_the_demo_leaves_weeks_to_look_back_from() -> None:
    """Four weeks after the training where there are so many; the last week where there are not."""
    assert default_as_of(WEEKS) == WEEKS[1]
    assert default_as_of(WEEKS[:3]) == WEEKS[2]


NOW = datetime(2006, 5, 10, tzinfo=UTC)  # Wednesday of the fifth week


@pytest.mark.parametrize(
    ("last", "weeks", "why"),
    [
        (None, WEEKS, "1 landed week.s., the first 200612 .2006-05-15., have not begun"),
        (WEEKS[5], WEEKS, "1 landed week.s., the first 200612 .2006-05-15., have not begun"),
        (WEEKS[2], WEEKS[:5], "2 landed week.s., the first 200610 .2006-05-01., lie outside the weeks wanted"),
    ],
)
def test_a_week_beyond_the_last_is_a_wrong_input(last: date | None, weeks: list[date], why: str) -> None:
    """An open end, or one still to come, ends with the week that has begun; a week after it is refused with a reason."""
    chosen = dataclasses.replace(settings({}), last_week=last)

    with pytest.raises(SettingsError, match=why):
        require_wanted(chosen, weeks, NOW)


def test_an_open_end_takes_the_week_that_has_begun() -> None:
    """The current week is a partition where the end is open."""
    require_wanted(dataclasses.replace(settings({}), last_week=None), WEEKS[:5], NOW)
