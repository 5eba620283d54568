"""EMR Serverless: the same stages as job runs of an application, nothing left running."""

from collections.abc import Callable
from typing import Any

import boto3
import dagster as dg
import pytest

from nextbasket_tests.emr_bed.scripted import Scene, ScriptedBed
from nextbasket_tests.resources.emr.conftest import Ran

ROLE = "arn:aws:iam::123456789012:role/jobs"
PYTHON = "s3://shop/emr/environment.tar.gz"


@pytest.fixture
def serverless(bed: ScriptedBed, run: Callable[..., Ran]) -> Callable[[], tuple[Ran, list[dict[str, Any]]]]:
    client = boto3.client("emr-serverless")
    application = client.create_application(releaseLabel="emr-7.13.0", type="SPARK", name="small weeks")[
        "applicationId"
    ]

    def serverless() -> tuple[Ran, list[dict[str, Any]]]:
        ran = run(mode="serverless", environment=PYTHON, application_id=application, job_role_arn=ROLE)
        jobs = client.list_job_runs(applicationId=application)["jobRuns"]
        found = [client.get_job_run(applicationId=application, jobRunId=job["id"])["jobRun"] for job in jobs]
        return ran, found

    return serverless


def test_two_stages_are_two_job_runs_and_no_cluster(bed: ScriptedBed, serverless: Callable) -> None:
    """The same run on Serverless: green, two successful job runs with our script and role, and no cluster at all."""
    ran, jobs = serverless()

    assert ran.success
    assert [job["state"] for job in jobs] == ["SUCCESS", "SUCCESS"]
    assert {job["executionRole"] for job in jobs} == {ROLE}
    assert all(job["jobDriver"]["sparkSubmit"]["entryPoint"].endswith("/stage.py") for job in jobs)
    assert all(f"--conf spark.archives={PYTHON}#environment" in _parameters(job) for job in jobs)
    assert not any(
        "spark.pyspark.python" in _parameters(job) for job in jobs
    )  # the archive's, by its release's own way
    assert bed.worker.clusters == []


def _parameters(job: dict[str, Any]) -> str:
    return str(job["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"])


def test_a_failed_job_run_is_a_red_run_with_its_stderr(bed: ScriptedBed, serverless: Callable) -> None:
    """A job run that fails: AWS's reason, the end of the driver's stderr, and no second job run."""
    bed.scenes = [Scene(stderr="ValueError: too few", reason="Job failed, please check complete logs")]
    ran, jobs = serverless()

    assert "is FAILED (Job failed, please check complete logs)" in ran.error
    assert ran.error.endswith("ValueError: too few")
    assert len(jobs) == 1


def test_a_cancelled_run_cancels_its_job_run(bed: ScriptedBed, serverless: Callable) -> None:
    """A run that is cancelled in the middle leaves no job run running."""

    def cancel() -> None:
        if bed.plays:
            bed.clock.waits.remove(cancel)
            raise dg._core.errors.DagsterExecutionInterruptedError

    bed.clock.waits.append(cancel)
    ran, jobs = serverless()

    assert not ran.success
    assert [job["state"] for job in jobs] == ["CANCELLED"]
