"""The worker: does what EMR does with the emulator's clusters and job runs, one tick at a time.

Executing a step is somebody else's: `spark_submit` really does it, `scripted` plays a scene.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.emr.models import emr_backends
from moto.emrserverless.models import emrserverless_backends

from nextbasket_tests.emr_bed.aws import REGION
from nextbasket_tests.emr_bed.emulator import ACCOUNT


class Execution(Protocol):
    """A step that runs."""

    def poll(self) -> tuple[bool, str] | None:
        """Whether it went well and why not, once it is over."""

    def kill(self) -> None:
        """Stop it."""


@dataclass
class Fate:
    """What happens to one cluster: seconds until it is there, or the code and message of its failure to start."""

    seconds: float = 0.0
    fails: tuple[str, str] | None = None


@dataclass
class Worker:
    """EMR, as far as states are concerned.

    Attributes:
        execute: starts a step, given its id, its arguments and the s3:// prefix of its logs.
        now: seconds.
        fates: of the clusters to come, in order; then they start at once.
    """

    execute: Callable[[str, list[str], str], Execution]
    now: Callable[[], float]
    fates: list[Fate] = field(default_factory=list)
    _starting: dict[str, tuple[float, Fate]] = field(default_factory=dict)
    _idle: dict[str, float] = field(default_factory=dict)
    _running: dict[str, Execution] = field(default_factory=dict)

    @property
    def clusters(self) -> list[Any]:
        """All clusters there ever were."""
        return list(emr_backends[ACCOUNT][REGION].clusters.values())

    def tick(self) -> None:
        """Look at everything once."""
        for cluster in self.clusters:
            if cluster.state == "STARTING":
                self._start(cluster)
            elif cluster.state in ("RUNNING", "WAITING"):
                self._work(cluster)
            self._sweep(cluster)
        for application in list(emrserverless_backends[ACCOUNT][REGION].applications.values()):
            for run in list(emrserverless_backends[ACCOUNT][REGION].job_runs.get(application.id, ())):
                self._job_run(run)

    def stop(self) -> None:
        """Kill what runs."""
        for execution in self._running.values():
            execution.kill()

    def end(self, cluster: Any, state: str, code: str, message: str) -> None:
        """Terminate a cluster for a reason."""
        cluster.state, cluster.code, cluster.message = state, code, message
        self._sweep(cluster)

    def _start(self, cluster: Any) -> None:
        fate = self._starting.setdefault(cluster.id, (self.now(), self.fates.pop(0) if self.fates else Fate()))
        if self.now() - fate[0] < fate[1].seconds:
            return
        if fate[1].fails:
            self.end(cluster, "TERMINATED_WITH_ERRORS", *fate[1].fails)
            return
        cluster.state = "WAITING"
        self._idle[cluster.id] = self.now()

    def _work(self, cluster: Any) -> None:
        for step in cluster.steps:
            active = [other for other in cluster.steps if other.state == "RUNNING"]
            if step.state == "PENDING" and len(active) < int(cluster.step_concurrency_level):
                logs = f"{cluster.log_uri}{cluster.id}/steps/{step.id}"
                step.state = "RUNNING"
                self._running[step.id] = self.execute(step.id, list(step.args), logs)
            elif step.state == "RUNNING" and (over := self._running[step.id].poll()):
                step.state, step.message = "COMPLETED" if over[0] else "FAILED", over[1]
                if not over[0] and step.action_on_failure == "TERMINATE_CLUSTER":
                    self.end(cluster, "TERMINATED_WITH_ERRORS", "STEP_FAILURE", "Shut down as step failed")
                    return
        busy = any(step.state in ("RUNNING", "PENDING") for step in cluster.steps)
        before, after = ("WAITING", "RUNNING") if busy else ("RUNNING", "WAITING")
        if cluster.state == before:  # and not one that a request has ended meanwhile
            cluster.state = after
        self._idle[cluster.id] = self.now() if busy else self._idle.get(cluster.id, self.now())
        if self.now() - self._idle[cluster.id] >= cluster.request["AutoTerminationPolicy"]["IdleTimeout"]:
            self.end(cluster, "TERMINATED", "ALL_STEPS_COMPLETED", "Auto-terminated: idle")

    def _sweep(self, cluster: Any) -> None:
        """Steps of a cluster that is gone, and cancelled ones, do not go on."""
        for step in cluster.steps:
            if cluster.state.startswith("TERMINAT") and step.state in ("PENDING", "RUNNING"):
                step.state = "CANCELLED"
            if step.state == "CANCELLED" and step.id in self._running:
                self._running.pop(step.id).kill()

    def _job_run(self, run: Any) -> None:
        if run.state == "SUBMITTED":
            driver = run.job_driver["sparkSubmit"]
            monitoring = run.configuration_overrides["monitoringConfiguration"]["s3MonitoringConfiguration"]
            logs = f"{monitoring['logUri']}applications/{run.application_id}/jobs/{run.id}/SPARK_DRIVER"
            arguments = ["spark-submit", *driver["sparkSubmitParameters"].split(), driver["entryPoint"]]
            self._running[run.id] = self.execute(run.id, [*arguments, *driver["entryPointArguments"]], logs)
            run.state = "RUNNING"
        elif run.state == "RUNNING" and (over := self._running[run.id].poll()):
            run.state, run.state_details = ("SUCCESS", None) if over[0] else ("FAILED", over[1])
        elif run.state in ("CANCELLING", "CANCELLED") and run.id in self._running:
            self._running.pop(run.id).kill()
            run.state = "CANCELLED"
