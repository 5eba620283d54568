"""What a report says about the run that made its week."""

from datetime import date

import dagster as dg

from nextbasket_assets.assets.running import run_facts, weeks_together
from nextbasket_assets.report.weekly.inputs import RunFacts

WEEK = date(2006, 4, 10)
WEEKLY = dg.WeeklyPartitionsDefinition(start_date="2006-04-10", day_offset=1)


@dg.asset(partitions_def=WEEKLY)
def next_basket_scores(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"emr_cluster": "j-1", "emr_usd_so_far": 1.5})


def test_what_nobody_knows_is_not_made_up() -> None:
    """A week whose lists Dagster has no record of: everything about its run is unknown."""
    assert run_facts(dg.DagsterInstance.ephemeral(), WEEK) == RunFacts()


def test_the_run_of_the_newest_lists_is_told() -> None:
    """Its id, reason, place and cost; steps that take no time are left out of the list, not of the time."""
    instance = dg.DagsterInstance.ephemeral()
    tags = {"nextbasket/why": "the champion is 3 week(s) old"}
    result = dg.materialize([next_basket_scores], instance=instance, partition_key=str(WEEK), tags=tags)
    found = run_facts(instance, WEEK)

    assert (found.run_id, found.why, found.weeks) == (result.run_id, "the champion is 3 week(s) old", 1)
    assert (found.place, found.dollars, found.steps) == ("emr cluster j-1", 1.5, [])
    assert found.seconds is not None


def test_weeks_of_a_range_are_counted() -> None:
    """A range run made all of its weeks together."""
    ends = {"start": "2006-04-10", "end": "2006-05-01"}

    assert weeks_together({f"dagster/asset_partition_range_{end}": day for end, day in ends.items()}) == 4
