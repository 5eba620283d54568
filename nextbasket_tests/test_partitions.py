"""The calendar: Mondays, both ends included."""

from datetime import date, datetime

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import PartitionLoadingContext
from dagster._core.definitions.temporal_context import TemporalContext
from dagster._serdes import serialize_value
from dagster._time import get_current_datetime

from nextbasket_assets.partitions import LGSR_WEEKS, contiguous, weekly, weeks_of, weeks_of_tags

MONDAYS = [date(2006, 4, 10), date(2006, 4, 17), date(2006, 4, 24), date(2006, 5, 1)]


def test_lgsr_has_117_weeks_from_monday_to_monday() -> None:
    """The default calendar is the retailer's: 200607 to 200819, nothing lost at either end."""
    keys = LGSR_WEEKS.get_partition_keys()

    assert (len(keys), keys[0], keys[-1]) == (117, "2006-04-10", "2008-06-30")


def test_both_bounds_are_included() -> None:
    """A calendar of one week has that week."""
    assert list(weekly(MONDAYS[0], MONDAYS[0]).get_partition_keys()) == ["2006-04-10"]


def test_an_open_calendar_goes_to_the_week_that_has_begun() -> None:
    """On a Tuesday the week of the day before is there already: its file may come before Sunday."""
    assert list(weekly(MONDAYS[0], None).get_partition_keys(datetime(2006, 4, 25))) == [
        "2006-04-10",
        "2006-04-17",
        "2006-04-24",
    ]


def test_weeks_are_in_order_whatever_order_their_keys_have() -> None:
    """The last one of a run's weeks is its newest."""
    assert weeks_of(["2006-04-17", "2006-04-10"]) == MONDAYS[:2]


def test_the_newest_weeks_of_a_calendar_that_ended_are_its_last_ones() -> None:
    """What the UI plots over: it asks for the newest partitions, and gets weeks of the calendar, not of this year."""
    now = TemporalContext(effective_dt=get_current_datetime(), last_event_id=None)
    context = PartitionLoadingContext(temporal_context=now, dynamic_partitions_store=None)
    newest = LGSR_WEEKS.get_paginated_partition_keys(context, limit=3, ascending=False)

    assert newest.results == ["2008-06-30", "2008-06-23", "2008-06-16"]


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (date(2006, 4, 11), MONDAYS[1], "2006-04-11 is not a Monday"),
        (MONDAYS[0], date(2006, 4, 16), "2006-04-16 is not a Monday"),
        (MONDAYS[1], MONDAYS[0], "before the first week"),
    ],
)
def test_odd_bounds_are_refused(first: date, last: date, why: str) -> None:
    """A bound that is no Monday would silently shift every week; it is an error."""
    with pytest.raises(ValueError, match=why):
        weekly(first, last)


def test_ranges_do_not_span_a_missing_week() -> None:
    """Weeks become ranges that hold no week which is not there."""
    assert contiguous([MONDAYS[3], MONDAYS[0], MONDAYS[1]]) == [(MONDAYS[0], MONDAYS[1]), (MONDAYS[3], MONDAYS[3])]
    assert contiguous([]) == []


def test_a_calendar_is_dagsters_and_is_written_out_once_for_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal to Dagster's own calendar of the same weeks, with its hash, for which the exclusions are written out once."""
    weeks = weekly(MONDAYS[0], MONDAYS[2])
    plain = dg.WeeklyPartitionsDefinition(
        start_date="2006-04-10", end_date="2006-05-01", day_offset=1, exclusions=weeks.exclusions
    )
    written: list[int] = []
    monkeypatch.setattr(type(weeks), "__repr__", lambda _: written.append(1) or repr(plain))

    assert weeks == plain
    assert {hash(weeks), hash(weeks)} == {hash(plain)}
    assert written == [1]


def test_the_log_of_a_run_does_not_hold_the_excluded_dates() -> None:
    """A run of three weeks of a calendar that ended long ago plans them without its 83 kB of exclusions."""

    @dg.asset(partitions_def=LGSR_WEEKS, backfill_policy=dg.BackfillPolicy.single_run())
    def table() -> None:
        return None

    @dg.asset_check(asset=table)
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    ends = {"dagster/asset_partition_range_start": "2006-04-10", "dagster/asset_partition_range_end": "2006-04-24"}
    definitions = dg.Definitions(assets=[table], asset_checks=[check], jobs=[dg.define_asset_job("job")])
    with dg.DagsterInstance.ephemeral() as instance:
        run = definitions.resolve_job_def("job").execute_in_process(instance=instance, tags=ends).dagster_run
        logged = instance.all_logs(run.run_id)
    (plan,) = [
        entry.dagster_event.asset_check_planned_data
        for entry in logged
        if entry.dagster_event and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION_PLANNED"
    ]

    assert LGSR_WEEKS.exclusions
    assert plan.partitions_subset
    assert weeks_of(list(plan.partitions_subset.get_partition_keys())) == MONDAYS[:3]
    assert max(len(serialize_value(one)) for one in (run, *logged)) < 10_000


def test_a_run_makes_both_ends_of_its_range() -> None:
    """A range of three weeks, a single one, and a run that names none."""
    ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    weeks = MONDAYS[:3]

    assert weeks_of_tags(dict(zip(ends, (weeks[0].isoformat(), weeks[2].isoformat()), strict=True))) == weeks
    assert weeks_of_tags({"dagster/partition": weeks[1].isoformat()}) == weeks[1:2]
    assert weeks_of_tags({"team": "x"}) == []
