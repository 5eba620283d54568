"""EMR Serverless: the same stages as job runs of an application, nothing left running."""

from collections.abc import Callable
from typing import Any, cast

import boto3
import dagster as dg
import pytest

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.failures import Job
from nextbasket_assets.resources.emr.package import Package
from nextbasket_assets.resources.emr.serverless import Application
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_tests.emr_bed.scripted import Scene, ScriptedBed
from nextbasket_tests.resources.emr.conftest import Answers, Ran

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


def application(aws: Answers, **settings: Any) -> Application:
    """The job runs of a run, in front of this AWS."""
    chosen = EmrSettings(work="s3://shop/emr", region="us-east-1", environment=PYTHON, application_id="a", **settings)
    made = Application(chosen, cast(Aws, aws), "run", print)
    made._package = Package("s3://shop/emr/zip", "s3://shop/emr/stage.py", "")
    return made


def test_a_job_run_brings_its_code_and_its_python_and_ends_itself() -> None:
    """The zip for driver and workers and the archive's Python on both; AWS ends it a minute after max_hours."""
    aws = Answers(start_job_run={"jobRunId": "1"})
    application(aws, max_hours=2).submit("audit", "s3://shop/plan.json", "s3://shop/report.json")
    (asked,) = aws.of("start_job_run")

    python = "./environment/bin/python"
    assert asked["executionTimeoutMinutes"] == 121
    assert asked["tags"] == {"nextbasket/run_id": "run"}
    assert asked["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"].split(" --conf ") == [
        "--py-files s3://shop/emr/zip",
        f"spark.archives={PYTHON}#environment",
        f"spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON={python}",
        f"spark.emr-serverless.driverEnv.PYSPARK_PYTHON={python}",
        f"spark.executorEnv.PYSPARK_PYTHON={python}",
        "spark.sql.session.timeZone=UTC",
        "spark.sql.shuffle.partitions=64",
    ]


def test_what_a_job_run_writes_has_the_key() -> None:
    """With a key Spark's own files are encrypted by it, as they are on a cluster; they had the bucket's default."""
    aws = Answers(start_job_run={"jobRunId": "1"})
    application(aws, kms_key="arn:key").submit("audit", "s3://shop/plan.json", "s3://shop/report.json")
    given = aws.of("start_job_run")[0]["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"]

    assert "--conf spark.hadoop.fs.s3.enableServerSideEncryption=true" in given
    assert "--conf spark.hadoop.fs.s3.serverSideEncryption.kms.keyId=arn:key" in given
    assert "--conf spark.hadoop.fs.s3.bucketKey.enabled=true" in given


@pytest.mark.parametrize(
    ("name", "over", "good"),
    [("QUEUED", False, False), ("CANCELLING", False, False), ("CANCELLED", True, False), ("SUCCESS", True, True)],
)
def test_a_job_run_that_somebody_cancelled_is_over(name: str, over: bool, good: bool) -> None:
    """A run does not wait for a job run that was cancelled in the console."""
    found = application(Answers(get_job_run={"jobRun": {"state": name}})).state(Job("1", "job run 1", "", ""))

    assert (found.over, found.good) == (over, good)


def test_what_aws_bills_is_the_cost() -> None:
    """Two job runs of two vCPU hours and ten GB hours each, at 1 and 0.1 USD, are 6; one that is not billed yet adds nothing."""
    bills = iter(({"vCPUHour": 2.0, "memoryGBHour": 10.0}, None, {"vCPUHour": 2.0, "memoryGBHour": 10.0}))
    ids = iter(("1", "2", "3"))
    aws = Answers(
        start_job_run=lambda _: {"jobRunId": next(ids)},
        get_job_run=lambda _: {"jobRun": {"billedResourceUtilization": next(bills)}},
    )
    made = application(aws, usd_per_vcpu_hour=1.0, usd_per_gb_hour=0.1)
    for _ in range(3):
        made.submit("audit", "s3://shop/plan.json", "s3://shop/report.json")

    assert made.facts() == {"emr_application": "a", "emr_usd_so_far": 6.0}
