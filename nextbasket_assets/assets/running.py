"""How a week's lists were made, as Dagster knows it: the run, its reason, its steps, what they took and cost."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg

from nextbasket_assets.partitions import weeks_of_tags
from nextbasket_assets.report.weekly.inputs import RunFacts, Step

_SCORES = dg.AssetKey("next_basket_scores")
_DOLLARS = "emr_usd_so_far"
_SHORTEST = 0.5  # seconds of a step that is worth a line; checks take less
_PLACES = ("emr_cluster", "emr_application")


def run_facts(instance: dg.DagsterInstance, week: date) -> RunFacts:
    """The run that made the newest lists of a week, as far as it is; all is unknown when Dagster has no record of it."""
    asked = dg.AssetRecordsFilter(_SCORES, asset_partitions=[week.isoformat()])
    records = instance.fetch_materializations(asked, limit=1).records
    run = instance.get_run_by_id(records[0].run_id) if records else None
    if run is None:
        return RunFacts()
    spans = sorted(
        (one.start_time, one.end_time, one.step_key)
        for one in instance.get_run_step_stats(run.run_id)
        if one.start_time and one.end_time
    )
    metadata = _metadata(instance, run.run_id)
    place = next((name for name in _PLACES if name in metadata), None)
    return RunFacts(
        job=run.job_name,
        why=run.tags.get("nextbasket/why"),
        run_id=run.run_id,
        weeks=weeks_together(run.tags),
        seconds=max(end for _, end, _ in spans) - spans[0][0] if spans else None,
        steps=[Step(name, end - start) for start, end, name in spans if end - start >= _SHORTEST],
        place=f"{place.replace('_', ' ')} {metadata[place]}" if place else None,
        dollars=float(metadata[_DOLLARS]) if _DOLLARS in metadata else None,
    )


def weeks_together(tags: Mapping[str, str]) -> int:
    """How many weeks a run makes, by its tags."""
    return len(weeks_of_tags(tags)) or 1


def _metadata(instance: dg.DagsterInstance, run_id: str) -> dict[str, Any]:
    """What the run's materialisations say, the newest last: where they were made, and the cost so far."""
    found: dict[str, Any] = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        if entry.dagster_event:
            metadata = entry.dagster_event.step_materialization_data.materialization.metadata
            found |= {name: value.value for name, value in metadata.items() if name in (_DOLLARS, *_PLACES)}
    return found
