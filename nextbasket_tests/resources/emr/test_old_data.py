"""Whatever goes wrong: what was published before is read as before, no cluster is left, and the run's event says what it was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.resources.spark import SparkResource
from nextbasket_tests.emr_bed.scripted import Scene, ScriptedBed, error
from nextbasket_tests.emr_bed.worker import Fate
from nextbasket_tests.resources.emr.conftest import Ran

WEEK = date(2006, 4, 10)
TABLE = "model_evaluation"
EXPIRED = error("ExpiredTokenException", "The security token included in the request is expired")


def rows(*values: float) -> pa.Table:
    row = {"model_version": "v", "method": "m", "metric": "recall", "k": 10, "customers": 1, "decile": None}
    return pa.Table.from_pylist([row | {"value": value} for value in values])


def put(lake: Lake, run_id: str, table: pa.Table, between: Callable[[str], object] = str) -> None:
    """Write, audit, publish: what every asset does, with `between` as its audit."""
    with stage(lake, TABLE, run_id) as folder:
        write_staged(lake, TABLE, folder, WEEK, table)
        between(folder)
        publish(lake, TABLE, folder, [WEEK], Provenance(run_id, "code", {}))


def again(lake: Lake) -> dg.AssetsDefinition:
    """An asset that corrects the week, its stage on EMR between writing and publishing."""

    @dg.asset
    def corrected(context: dg.AssetExecutionContext, spark: SparkResource) -> None:
        week = [WEEK.isoformat()]
        put(lake, context.run.run_id, rows(7, 8, 9), lambda folder: spark.run("audit", {}, {TABLE: folder}, weeks=week))

    return corrected


@dataclass
class Trouble:
    """What happens, with which settings, and what the run's failure says in EMR's or our own words."""

    says: str
    scenes: list[Scene] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    cancelled_after: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    ended: str = "TERMINATED"


TROUBLES = {
    "a step that fails": Trouble(
        "audit: step … is FAILED (Unknown Error.). Nothing was published. Correct what the error names, then run again. "
        "The end of its stderr:\nValueError: too few",
        scenes=[Scene(stderr="ValueError: too few", reason="Unknown Error.")],
    ),
    "a step that writes no report": Trouble("It wrote no report", scenes=[Scene(reports=False)]),
    "a step that never says a word": Trouble(
        "It ended before it said a word: the code, the plan or Python was not there for it",
        scenes=[Scene(says=(), reason="Unknown Error.")],
    ),
    "a cluster that cannot start": Trouble(
        "the cluster is TERMINATED_WITH_ERRORS; VALIDATION_ERROR: The subnet does not exist",
        fates=[Fate(5, ("VALIDATION_ERROR", "The subnet does not exist"))],
        ended="TERMINATED_WITH_ERRORS",
    ),
    "throttling without an end": Trouble(
        "ThrottlingException", faults={"DescribeStep": [error("ThrottlingException", "Rate exceeded")] * 1000}
    ),
    "a call that is refused": Trouble(
        "not authorized to perform: AddJobFlowSteps",
        faults={"AddJobFlowSteps": [error("AccessDeniedException", "not authorized to perform: AddJobFlowSteps")]},
    ),
    "credentials that expire in the middle and stay so for a while": Trouble(
        "The security token included in the request is expired",
        faults={"DescribeStep": [EXPIRED] * 1000},
        settings={"patience_minutes": 5},
    ),
    "a run cancelled while the cluster starts": Trouble("Interrupted", fates=[Fate(20)], cancelled_after=0),
    "a run cancelled while its step runs": Trouble("Interrupted", cancelled_after=25),
    "a step that takes for ever": Trouble(
        "as long as they may (max_hours)", scenes=[Scene(seconds=90000)], settings={"max_hours": 1, "poll_seconds": 60}
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_old_data_is_read_as_before(bed: ScriptedBed, tmp_path: Path, trouble: Trouble) -> None:
    """The correction of a published week goes wrong on EMR: its rows, version and files are those of before."""
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "before", rows(1, 2))
    version, files = lake.version(TABLE), sorted(path for path in tmp_path.rglob("*.parquet"))
    bed.scenes, bed.worker.fates, bed.faults = list(trouble.scenes), list(trouble.fates), dict(trouble.faults)
    if trouble.cancelled_after is not None:
        bed.clock.waits.append(_cancelling(bed, trouble.cancelled_after))
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"spark": bed.resource(**trouble.settings)}
        definitions = dg.Definitions([again(lake)], executor=dg.in_process_executor, resources=resources)
        job = definitions.resolve_implicit_global_asset_job_def()
        ran = Ran(job.execute_in_process(instance=instance, raise_on_error=False), instance)

        assert not ran.success
        assert all(part in ran.error for part in trouble.says.split("…"))
    assert bed.states() == [trouble.ended]
    assert lake.read(TABLE, [WEEK])["value"].to_pylist() == [1, 2]
    assert lake.version(TABLE) == version
    assert sorted(path for path in tmp_path.rglob("*.parquet")) == files


def _cancelling(bed: ScriptedBed, after: float) -> Callable[[], None]:
    def cancel() -> None:
        if bed.clock.now() > after:
            bed.clock.waits.remove(cancel)
            raise dg._core.errors.DagsterExecutionInterruptedError

    return cancel


@pytest.mark.parametrize(
    ("bed_faults", "seconds"),
    [
        ({"AddJobFlowSteps": [error("ThrottlingException", "Rate exceeded")] * 10}, 0),
        ({"DescribeStep": [EXPIRED] * 6}, 0),
        ({}, 45 * 60),
    ],
    ids=["throttled for minutes", "credentials renewed in the middle", "a step of 45 minutes"],
)
def test_what_passes_is_published(
    bed: ScriptedBed, tmp_path: Path, bed_faults: dict[str, list[Exception]], seconds: float
) -> None:
    """Trouble that passes: the run is green, the corrected week is there, and the cluster is gone."""
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "before", rows(1, 2))
    bed.faults, bed.scenes = dict(bed_faults), [Scene(seconds=max(seconds, 30))]
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"spark": bed.resource(poll_seconds=60)}
        definitions = dg.Definitions([again(lake)], executor=dg.in_process_executor, resources=resources)
        job = definitions.resolve_implicit_global_asset_job_def()

        assert job.execute_in_process(instance=instance).success
    assert bed.clock.seconds >= seconds
    assert lake.read(TABLE, [WEEK])["value"].to_pylist() == [7, 8, 9]
    assert bed.states() == ["TERMINATED"]
