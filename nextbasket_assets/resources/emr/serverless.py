"""EMR Serverless: a stage is a job run of an application that bills nothing between them. Cheaper for one small week."""

from collections.abc import Callable

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.failures import Job, State
from nextbasket_assets.resources.emr.package import Package, upload
from nextbasket_assets.resources.emr.requests import RUN_TAG, encryption_properties, spark_arguments
from nextbasket_assets.resources.emr.settings import EmrSettings

_OVER = ("SUCCESS", "FAILED", "CANCELLED")


class Application:
    """The job runs of one run.

    Args:
        settings: application, role and prices.
        aws: how it is reached.
        run_id: whose they are.
        tell: takes a line of the run's log.
    """

    def __init__(self, settings: EmrSettings, aws: Aws, run_id: str, tell: Callable[[str], None]) -> None:
        self._settings, self._aws, self._run_id, self._tell = settings, aws, run_id, tell
        self._package: Package | None = None
        self._jobs: list[str] = []
        self._open: set[str] = set()

    def submit(self, stage: str, plan: str, report: str) -> Job:
        """Start a job run."""
        if self._package is None:
            self._package = upload(self._aws, self._settings.work, self._settings.kms_key)
        answer = self._call(
            "start_job_run",
            name=f"nextbasket {stage}",
            clientToken=plan.rsplit("-", 1)[-1].split("/")[0] + self._run_id[:8],  # asked twice is started once
            executionRoleArn=self._settings.job_role_arn,
            executionTimeoutMinutes=int(self._settings.max_hours * 60) + 1,
            tags={RUN_TAG: self._run_id},
            jobDriver={
                "sparkSubmit": {
                    "entryPoint": self._package.main,
                    "entryPointArguments": [plan, report],
                    "sparkSubmitParameters": " ".join(["--py-files", self._package.zip, *self._arguments()]),
                }
            },
            configurationOverrides={
                "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": f"{self._settings.work}/logs/"}}
            },
        )
        job_id = str(answer["jobRunId"])
        self._jobs.append(job_id)
        self._open.add(job_id)
        application, region = self._settings.application_id, self._settings.region
        link = f"https://{region}.console.aws.amazon.com/emr/home?region={region}#/serverless/{application}/{job_id}"
        self._tell(f"{stage}: job run {job_id} of application {application}, {link}")
        logs = f"{self._settings.work}/logs/applications/{application}/jobs/{job_id}/SPARK_DRIVER"
        return Job(job_id, f"job run {job_id} of application {application}", link, logs)

    def _arguments(self) -> list[str]:
        python = "./environment/bin/python"
        confs = {
            "spark.archives": f"{self._settings.environment}#environment",
            "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": python,
            "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": python,
            "spark.executorEnv.PYSPARK_PYTHON": python,
            **{f"spark.hadoop.{name}": value for name, value in encryption_properties(self._settings).items()},
        }
        return spark_arguments(confs)

    def state(self, job: Job) -> State:
        """What EMR Serverless says about the job run."""
        found = self._call("get_job_run", jobRunId=job.id)["jobRun"]
        name = found["state"]
        if name in _OVER:
            self._open.discard(job.id)
        return State(name, found.get("stateDetails") or "", over=name in _OVER, good=name == "SUCCESS")

    def cancel(self, job: Job) -> None:
        """Cancel a job run."""
        self._call("cancel_job_run", jobRunId=job.id)
        self._open.discard(job.id)

    def lose(self) -> None:
        """Nothing to give up: the next job run gets other machines anyway."""

    def end(self) -> None:
        """Cancel what still runs, each whatever becomes of the others; a run with such jobs has failed already."""
        for job_id in sorted(self._open):
            try:
                self._call("cancel_job_run", jobRunId=job_id)
            except Exception as error:
                self._tell(
                    f"job run {job_id} could not be cancelled ({error}); it ends itself after "
                    f"{self._settings.max_hours:g} hours. To end it now: aws emr-serverless cancel-job-run "
                    f"--application-id {self._settings.application_id} --job-run-id {job_id}"
                )
            else:
                self._open.discard(job_id)

    def facts(self) -> dict[str, str | float]:
        """What a materialisation says about where it was made."""
        return {"emr_application": self._settings.application_id, "emr_usd_so_far": round(self.usd(), 4)}

    def usd(self) -> float:
        """What the run's job runs have cost so far, from the resources that AWS billed."""
        total = 0.0
        for job_id in self._jobs:
            used = self._call("get_job_run", jobRunId=job_id)["jobRun"].get("billedResourceUtilization") or {}
            total += used.get("vCPUHour", 0.0) * self._settings.usd_per_vcpu_hour
            total += used.get("memoryGBHour", 0.0) * self._settings.usd_per_gb_hour
        return total

    def _call(self, operation: str, **arguments: object) -> dict:
        arguments["applicationId"] = self._settings.application_id
        answer: dict = self._aws.call("emr-serverless", operation, **arguments)
        return answer
