"""The landing sensor: sees a week arrive or change, waits until the file has stopped growing, asks for the right run."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from nextbasket_assets.arrivals import COMPANIONS, Decision, Listed, decide
from nextbasket_assets.assets import next_basket
from nextbasket_assets.assets.publishing import UNFINISHED
from nextbasket_assets.assets.shop_settings import retraining_policy
from nextbasket_assets.lake import freshness, registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import span_code
from nextbasket_assets.operations.checks import RETRAINING_CHECKS
from nextbasket_assets.operations.cursor import Digests, remembered
from nextbasket_assets.operations.ingested import ingested
from nextbasket_assets.operations.jobs import backfill_weeks, refresh_weeks, score_week, train_and_score_week
from nextbasket_assets.operations.refreshing import refreshes_or_why
from nextbasket_assets.operations.requests import MEND, Request, plan, wanted_weeks
from nextbasket_assets.operations.retraining import Branch, choose
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource, usable_calendar
from nextbasket_assets.resources.landing_folders import Folder

NAME = "landing_sensor"
SECONDS_BETWEEN_LOOKS = 15
_SHOWN = 3  # files of one kind that a skipped tick names


def landing_sensor(
    weeks: dg.WeeklyPartitionsDefinition,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> dg.SensorDefinition:
    """The sensor over these weeks.

    Its cursor holds what the last look saw and, of each file that was read, the digest or why it was refused. It holds no
    time of a look; the fingerprint of a file on a disk is made of the times of its last change.
    """

    @dg.sensor(
        name=NAME,
        jobs=[score_week, train_and_score_week, backfill_weeks, refresh_weeks],
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Watches the landing folder. A new or corrected week becomes one run; every tick says why.",
    )
    def sensor(context: dg.SensorEvaluationContext, landing: LandingResource, lake: LakeResource) -> dg.SensorResult:
        keys = [date.fromisoformat(key) for key in weeks.get_partition_keys()]
        if not keys:
            first = f"no week has begun: the first one is {weeks.start:%Y-%m-%d}"
            return dg.SensorResult(skip_reason=first, cursor=context.cursor)
        folder, tables = landing.folder(), lake.open()
        cursor = remembered(context.cursor)
        now = [listed for listed in folder.list() if listed.name not in COMPANIONS]
        before = [Listed(*entry) for entry in cursor["listed"]]
        held = ingested(tables).after(cursor.get("table", ""), cursor.get("former", ""))
        digests = Digests(folder, cursor["digests"], cursor.get("refused", {}), held.content, clock)
        calendar = usable_calendar(folder, context.log.warning)
        decisions = decide(now, before, held.content, keys[0], keys[-1], digests, calendar)
        asked, wanted = asker(context.instance), wanted_weeks(decisions)
        held_back = reason_to_wait(len(wanted), digests.unread, context.instance)
        requests: list[Request] = []
        if wanted and not held_back:
            requests = plan(wanted, held, brancher(tables, folder, context.instance), asked)
            held_back = "" if requests else f"the run(s) for {len(wanted)} week(s) ended without them: {MEND}"
        known: dict[str, Any] = {word: cursor.get(word) for word in ("fresh", "behind")}
        behind = None
        if not requests and not digests.unread and not busy(context.instance):
            requests, known = catching_up(tables, keys, asked, known)
            behind = known["behind"]
        listed = [[entry.name, entry.size, entry.fingerprint] for entry in now]
        if listed != cursor["listed"]:
            for decision in decisions:
                if decision.kind != "ingested":
                    context.log.info(decision.reason)
        for request in requests:
            context.log.info(f"{request.job}: {request.why}")
        return dg.SensorResult(
            run_requests=[run_request(request) for request in requests],
            skip_reason=None if requests else "; ".join(filter(None, [held_back, behind, skip_reason(decisions)])),
            cursor=json.dumps(
                {"listed": listed, **digests.known(now), **known, "table": held.table, "former": held.former}
            ),
        )

    return sensor


def brancher(lake: Lake, folder: Folder, instance: dg.DagsterInstance) -> Callable[[date, date | None], Branch]:
    """The shop's policy, given the lake's state and the latest results of the checks that may ask for a model.

    Only weeks that are in the lake count: one that is still to be loaded may fail.
    """
    held = cache(lambda: lake.weeks("staged_baskets"))  # a look with nothing to decide does not open the table
    policy = cache(lambda: retraining_policy(folder))

    def branch(week: date, training: date | None) -> Branch:
        decided = registry.decisions(lake, next_basket.MODEL)
        return choose(
            week,
            champion=_newest(training, registry.in_force(decided, date.max)),
            judged=_newest(training, registry.judged(decided, date.max)),
            newest_week=max(held(), default=None),
            history_weeks=len([other for other in held() if other < week]) + 1,
            failed_check=failed_check(instance),
            policy=policy(),
        )

    return branch


def _newest(training: date | None, model: registry.Decision | None) -> date | None:
    """The later one of the week that is about to train and the model's."""
    return max((as_of for as_of in (training, model.week if model else None) if as_of), default=None)


def catching_up(
    lake: Lake, calendar: list[date], asked: Callable[[str], bool], known: dict[str, Any]
) -> tuple[list[Request], dict[str, Any]]:
    """Runs for what is behind, and what the cursor keeps: a state that asks for none, and what stays behind in it."""
    state = {**freshness.versions(lake), "calendar": f"{calendar[0]} to {calendar[-1]}"}
    if known["behind"] is not None and known["fresh"] == state:
        return [], known
    requests, behind = refreshes_or_why(lake, calendar, asked)
    return requests, known if requests else {"fresh": state, "behind": behind}


def busy(instance: dg.DagsterInstance) -> bool:
    """Whether a run is about to change the lake: what it will make is not behind."""
    return bool(instance.get_runs(dg.RunsFilter(statuses=_launched(UNFINISHED)), limit=1))


def _launched(statuses: Iterable[dg.DagsterRunStatus]) -> list[dg.DagsterRunStatus]:
    """Without the runs that a dying daemon left unlaunched: such a run changes nothing; asked for again, it starts."""
    return [status for status in statuses if status is not dg.DagsterRunStatus.NOT_STARTED]


def launched(instance: dg.DagsterInstance, statuses: Iterable[dg.DagsterRunStatus], tags: Mapping[str, str]) -> bool:
    """Whether this sensor launched such a run."""
    tags = {"dagster/sensor_name": NAME, **tags}
    return bool(instance.get_runs(dg.RunsFilter(statuses=_launched(statuses), tags=tags), limit=1))


def asker(instance: dg.DagsterInstance) -> Callable[[str], bool]:
    """Whether there was a run under a key: then Dagster launches no other one."""
    return lambda key: launched(instance, dg.DagsterRunStatus, {"dagster/run_key": key})


def reason_to_wait(wanted: int, unread: int, instance: dg.DagsterInstance) -> str:
    """Why no week is run now; empty when one may be.

    What arrives over several looks becomes one plan: a plan of half the files, or beside the runs of the plan before,
    would make weeks twice.
    """
    if unread:
        return f"{unread} more file(s) to read at the next look, and no week is run before"
    if wanted and launched(instance, UNFINISHED, {}):
        return "a run of this sensor has not ended, and weeks that are not in the lake wait for it"
    return ""


def failed_check(instance: dg.DagsterInstance) -> str | None:
    """Name of a check that asks for a new model by its latest result; None when all hold or never ran.

    A run that died before its checks, or that has not come to them, leaves the result before it in force.
    """
    evaluated = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
    for key in RETRAINING_CHECKS:
        latest = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=evaluated)
        if latest and latest[0].status is AssetCheckExecutionRecordStatus.FAILED:
            return key.name
    return None


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
