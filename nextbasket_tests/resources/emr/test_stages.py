"""One stage far away: what it is asked to do, and what its end means."""

import gzip
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.failures import Job, State
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.resources.emr.stages import FarStages
from nextbasket_tests.emr_bed.scripted import LAKE, FakeClock, ScriptedBed, error
from nextbasket_tests.resources.emr.conftest import Answers, Ran


def stages(objects: Mapping[str, bytes | Exception], state: State, **settings: Any) -> tuple[FarStages, Answers]:
    """Stages whose step ends in this state, in front of an S3 that has these objects of the stage's folder."""
    aws = Answers()

    def read(uri: str) -> bytes:
        found = next((content for name, content in objects.items() if uri.endswith(name)), error("NoSuchKey"))
        if isinstance(found, Exception):
            raise found
        return found

    aws.read = read  # type: ignore[attr-defined]
    job = Job("s-1", "step s-1", "", "logs")
    place: Any = SimpleNamespace(submit=lambda *_: job, state=lambda _: state, facts=dict)
    chosen = EmrSettings(work="s3://shop/emr", region="us-east-1", **settings)
    return FarStages(place, chosen, cast(Aws, aws), "run", print, FakeClock()), aws


DONE = State("COMPLETED", "", over=True, good=True)
REPORT = json.dumps({"stage": "audit", "seconds": 1.0, "tables": {}, "counts": {}, "metrics": {}}).encode()


def test_a_stage_is_asked_for_what_the_asset_asked_for(bed: ScriptedBed, run: Callable[..., Ran]) -> None:
    """The plan of the second stage reads the first one's files; its parameters are the asset's."""
    assert run().success
    plan = json.loads(bed.get(bed.plays[1].arguments[-2]))

    assert plan.pop("limit_seconds") < 6 * 3600
    assert plan == {
        "stage": "staged_baskets",
        "inputs": {"raw_transactions": [f"{LAKE}/raw/a"]},
        "outputs": {},
        "parameters": {"weeks": ["2006-04-10"]},
    }


def test_each_try_of_a_stage_has_its_own_folder() -> None:
    """What an earlier try said, or reported, is not taken for what the next one does."""
    far, aws = stages({"report.json": REPORT}, DONE)
    far.run({"stage": "audit"})
    far.run({"stage": "audit"})

    assert len({put["Key"] for put in aws.of("put_object")}) == 2


def test_a_state_is_told_once() -> None:
    """A step that waits and then runs for minutes is a line for each state and reason, however often it is looked at."""
    waits, runs = State("PENDING", "the cluster is STARTING"), State("RUNNING", "")
    states, told = iter((waits, waits, runs, runs, runs, DONE)), []
    far, _ = stages({"report.json": REPORT}, DONE)
    far.place.state = lambda _: next(states)  # type: ignore[method-assign]
    far._tell = told.append
    far.run({"stage": "audit"})

    assert told == [
        "audit: step s-1 is PENDING (the cluster is STARTING)",
        "audit: step s-1 is RUNNING",
        "audit: step s-1 is COMPLETED",
    ]


def test_a_plan_is_encrypted_by_the_key() -> None:
    """With a key the plan, which names customers' files, is put under it."""
    far, aws = stages({"report.json": REPORT}, DONE, kms_key="arn:key")
    far.run({"stage": "audit"})

    assert [put["SSEKMSKeyId"] for put in aws.of("put_object")] == ["arn:key"]


def test_a_report_that_may_not_be_read_is_not_missing() -> None:
    """The error is AWS's refusal, which names what to allow, and not that the stage wrote nothing."""
    far, _ = stages({"report.json": error("AccessDenied", "not authorized to perform: s3:GetObject")}, DONE)

    with pytest.raises(ClientError, match="not authorized to perform: s3:GetObject"):
        far.run({"stage": "audit"})


def test_the_last_error_of_a_stage_is_its_error() -> None:
    """Of two lines with an error the later one says why the stage ended."""
    said = {"log/00000": b"failed: TimeoutError: once.", "log/00001": b"failed: ValueError: too few."}
    far, _ = stages(said, State("FAILED", "", over=True))

    with pytest.raises(Exception, match="is FAILED") as failed:
        far.run({"stage": "audit"})
    assert "Its error is ValueError: too few. Nothing was published." in str(failed.value.description)  # type: ignore[attr-defined]


def test_a_stage_that_takes_too_long_is_shown_with_its_log() -> None:
    """At max_hours the run ends with what the step has logged so far, and the step is cancelled."""
    far, _ = stages({"logs/stderr.gz": gzip.compress(b"still counting")}, State("RUNNING", ""), max_hours=1)
    cancelled: list[Job] = []
    far.place.cancel = cancelled.append  # type: ignore[method-assign]

    with pytest.raises(Exception, match="is RUNNING") as failed:
        far.run({"stage": "audit"})
    assert str(failed.value.description).endswith("The end of its stderr:\nstill counting")  # type: ignore[attr-defined]
    assert [job.id for job in cancelled] == ["s-1"]
