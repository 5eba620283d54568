"""The landing sensor: sees a week arrive or change, waits until the file has stopped growing, asks for the right run."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import dagster as dg

from nextbasket_assets.arrivals import Decision, Listed, decide
from nextbasket_assets.assets import next_basket
from nextbasket_assets.assets.publishing import UNFINISHED
from nextbasket_assets.lake import freshness, registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import LandingError, span_code
from nextbasket_assets.operations.checks import RETRAINING_CHECKS
from nextbasket_assets.operations.jobs import backfill_weeks, refresh_weeks, score_week, train_and_score_week
from nextbasket_assets.operations.refreshing import refreshes
from nextbasket_assets.operations.requests import Request, plan
from nextbasket_assets.operations.retraining import Branch, RetrainingPolicy, choose
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import Folder, LandingResource, calendar_of, inspect_file

SECONDS_BETWEEN_LOOKS = 15
_SHOWN = 3  # files of one kind that a skipped tick names
COMPANIONS = {"products.csv", "time.csv", "missions.yaml", "export.yaml"}  # lie beside the weekly files and are no work


def landing_sensor(
    weeks: dg.WeeklyPartitionsDefinition, policy: RetrainingPolicy, *, running: bool = True
) -> dg.SensorDefinition:
    """The sensor over these weeks, under this retraining policy.

    Its cursor holds what the last look saw and the digest of each file that was read, never a time.
    """

    @dg.sensor(
        name="landing_sensor",
        jobs=[score_week, train_and_score_week, backfill_weeks, refresh_weeks],
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
        description="Watches the landing folder. A new or corrected week becomes one run; every tick says why.",
    )
    def sensor(context: dg.SensorEvaluationContext, landing: LandingResource, lake: LakeResource) -> dg.SensorResult:
        folder, tables = landing.folder(), lake.open()
        cursor = remembered(context.cursor)
        now = [listed for listed in folder.list() if listed.name not in COMPANIONS]
        digests = Digests(folder, cursor["digests"])
        before = [Listed(*entry) for entry in cursor["listed"]]
        ingested = ingested_content(tables)
        keys = [date.fromisoformat(key) for key in weeks.get_partition_keys()]
        decisions = decide(now, before, ingested, keys[0], keys[-1], digests, _calendar(context, folder))
        requests = plan(decisions, ingested, brancher(tables, policy, context.instance))
        fresh = cursor.get("fresh")
        if not requests and not busy(context.instance):
            versions = freshness.versions(tables)
            requests = refreshes(tables) if versions != fresh else []
            fresh = fresh if requests else versions
        listed = [[entry.name, entry.size, entry.fingerprint] for entry in now]
        if listed != cursor["listed"]:
            for decision in decisions:
                context.log.info(decision.reason)
        for request in requests:
            context.log.info(f"{request.job}: {request.why}")
        return dg.SensorResult(
            run_requests=[run_request(request) for request in requests],
            skip_reason=None if requests else skip_reason(decisions),
            cursor=json.dumps({"listed": listed, "digests": digests.known(now), "fresh": fresh}),
        )

    return sensor


def remembered(cursor: str | None) -> dict[str, Any]:
    """What the last look saw; nothing, which costs a look and no run, when the cursor was lost or edited by hand."""
    nothing: dict[str, Any] = {"listed": [], "digests": {}}
    try:
        found = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return nothing
    if not isinstance(found, dict) or not isinstance(found.get("digests"), dict):
        return nothing
    listed = found.get("listed")
    sound = isinstance(listed, list) and all(isinstance(entry, list) and len(entry) == 3 for entry in listed)
    return found if sound else nothing


def _calendar(context: dg.SensorEvaluationContext, folder: Folder) -> frozenset[date] | None:
    """The retailer's calendar; one that cannot be read is said, and stops no week."""
    try:
        return calendar_of(folder)
    except LandingError as error:
        context.log.warning(str(error))
        return None


class Digests:
    """Content of landing files, read once per change."""

    def __init__(self, folder: Folder, known: dict[str, list[str]]) -> None:
        self._folder, self._known = folder, known

    def __call__(self, listed: Listed) -> str:
        """The sha256 of a listed file's content.

        Raises:
            LandingError: the file must not be ingested.
        """
        state = f"{listed.size} {listed.fingerprint}"
        if self._known.get(listed.name, [""])[0] != state:
            self._known[listed.name] = [state, inspect_file(self._folder, listed.name).sha256]
        return self._known[listed.name][1]

    def known(self, now: list[Listed]) -> dict[str, list[str]]:
        """What is worth remembering: the files that are still there."""
        return {entry.name: self._known[entry.name] for entry in now if entry.name in self._known}


def ingested_content(lake: Lake) -> dict[date, str]:
    """The sha256 that every week in the lake was made from."""
    rows = lake.read("landed_files", lake.weeks("landed_files")).to_pylist()
    return {row["week"]: row["sha256"] for row in rows}


def brancher(
    lake: Lake, policy: RetrainingPolicy, instance: dg.DagsterInstance
) -> Callable[[date, set[date], date | None], Branch]:
    """The policy, given the lake's state and the latest results of the checks that may ask for a model."""
    held = set(lake.weeks("staged_baskets"))

    def branch(week: date, arriving: set[date], training: date | None) -> Branch:
        champion = registry.promoted(lake, next_basket.MODEL, week)
        return choose(
            week,
            champion=training or (champion.week if champion else None),
            history_weeks=len({other for other in held | arriving if other < week}) + 1,
            failed_check=failed_check(instance),
            policy=policy,
        )

    return branch


def busy(instance: dg.DagsterInstance) -> bool:
    """Whether a run is about to change the lake: what it will make is not behind."""
    return bool(instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1))


def failed_check(instance: dg.DagsterInstance) -> str | None:
    """Name of a check that asks for a new model by its latest result; None when all hold, never ran, or are running."""
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(RETRAINING_CHECKS)
    return next((key.name for key, record in latest.items() if record.status.value == "FAILED"), None)


def run_request(request: Request) -> dg.RunRequest:
    """The request as Dagster takes it; its tags say which branch and why."""
    weeks = span_code(request.first, request.last)
    tags = {"nextbasket/branch": request.job, "nextbasket/week": weeks, "nextbasket/why": request.why}
    only = [dg.AssetKey(request.table)] if request.table else None
    if request.first == request.last:
        key = request.first.isoformat()
        return dg.RunRequest(request.key, job_name=request.job, partition_key=key, tags=tags, asset_selection=only)
    tags |= {
        "dagster/asset_partition_range_start": request.first.isoformat(),
        "dagster/asset_partition_range_end": request.last.isoformat(),
    }
    return dg.RunRequest(request.key, job_name=request.job, tags=tags, asset_selection=only)


def skip_reason(decisions: list[Decision]) -> str:
    """Why a tick launches nothing: every file that is not simply in the lake, files of one kind in one sentence."""
    if not decisions:
        return "the landing folder is empty"
    open_files = [decision for decision in decisions if decision.kind != "ingested"]
    if not open_files:
        return f"all {len(decisions)} file(s) of the landing folder are in the lake as they are"
    kinds = {decision.kind: [one.reason for one in open_files if one.kind == decision.kind] for decision in open_files}
    return "; ".join(
        f"{'; '.join(reasons[:_SHOWN])}{f'; and {len(reasons) - _SHOWN} more {kind}' if len(reasons) > _SHOWN else ''}"
        for kind, reasons in kinds.items()
    )
