"""A run's cluster: made when the first stage needs it, ended with the run, whatever ends the run.

Successor of the original's EmrCreateJobFlow, EmrAddSteps, EmrStepSensor and EmrTerminate.
"""

from collections.abc import Callable
from typing import Any

from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.resources.emr import requests
from nextbasket_assets.resources.emr.calls import Aws, Clock
from nextbasket_assets.resources.emr.failures import Job, State
from nextbasket_assets.resources.emr.package import Package, upload
from nextbasket_assets.resources.emr.settings import EmrSettings

ACTIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
GONE = ("TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS")
_NOT_TAKEN = ("ValidationException", "InvalidRequestException")  # of a step for a cluster that ends, too
_STEP_OVER = ("COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED")


class EndError(NextbasketError):
    """A cluster may still run; the message names it, and what ends it without us."""


class Cluster:
    """The cluster of one run.

    Args:
        settings: how it is made.
        aws: how it is reached.
        run_id: whose it is.
        lake: root of the run's lake, a tag.
        tell: takes a line of the run's log.
        clock: for the cost.
    """

    def __init__(
        self, settings: EmrSettings, aws: Aws, run_id: str, lake: str, tell: Callable[[str], None], clock: Clock
    ) -> None:
        self._settings, self._aws, self._run_id, self._lake, self._tell = settings, aws, run_id, lake, tell
        self._clock = clock
        self._id = settings.cluster_id
        self._asked = False  # a creation was asked for, answered or not
        self._on_demand = False
        self._package: Package | None = None
        self._paid_since: float | None = None
        self._paid_hours = 0.0
        self._until: float | None = None  # when calls give up, while the cluster is being ended

    def submit(self, stage: str, plan: str, report: str) -> Job:
        """Add a step for a stage; creates the cluster when there is none."""
        if self._package is None:
            self._package = upload(self._aws, self._settings.work, self._settings.kms_key)
        if not self._id or self._ended_itself():
            self._create(self._package)
        step_id = self._add(requests.step_request(self._settings, self._package, stage, plan, report), self._package)
        link = requests.cluster_link(self._settings.region, self._id)
        logs = f"{self._settings.work}/logs/{self._id}/steps/{step_id}"
        self._tell(f"{stage}: step {step_id} of cluster {self._id}, {link}")
        return Job(step_id, f"step {step_id} of cluster {self._id}", link, logs)

    def _add(self, step: dict[str, Any], package: Package) -> str:
        """Add a step; when the cluster went idle since we looked, to another one."""
        from botocore.exceptions import ClientError

        try:
            return self._add_here(step)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _NOT_TAKEN or not self._ended_itself():
                raise
            self._create(package)
            return self._add_here(step)

    def _add_here(self, step: dict[str, Any]) -> str:
        def lost() -> dict[str, list[str]] | None:
            """Ours has our plan and report at its end; the newest steps come first, so it is on the first page."""
            listed = self._emr("list_steps", ClusterId=self._id)["Steps"]
            ours = step["HadoopJarStep"]["Args"][-2:]
            found = [one["Id"] for one in listed if one["Config"]["Args"][-2:] == ours]
            return {"StepIds": found} if found else None

        answer = self._aws.make("emr", "add_job_flow_steps", lost, JobFlowId=self._id, Steps=[step])
        (step_id,) = answer["StepIds"]
        return str(step_id)

    def state(self, job: Job) -> State:
        """What EMR says about the step, and about the cluster when that is over."""
        step = self._emr("describe_step", ClusterId=self._id, StepId=job.id)["Step"]["Status"]
        name, reason = step["State"], _reason(step)
        if name == "COMPLETED":
            return State(name, reason, over=True, good=True)
        cluster = self._emr("describe_cluster", ClusterId=self._id)["Cluster"]["Status"]
        if cluster["State"] in GONE:
            reason = "; ".join(filter(None, (reason, f"the cluster is {cluster['State']}", _reason(cluster))))
            return State(name, reason, over=True, gone=True)
        detail = step.get("FailureDetails", {}).get("Message", "")
        waits = f"the cluster is {cluster['State']}" if name == "PENDING" else ""
        return State(name, "; ".join(filter(None, (reason, detail, waits))), over=name in _STEP_OVER)

    def cancel(self, job: Job) -> None:
        """Stop a step on a cluster that stays; one that is ours is ended anyway."""
        if self._settings.cluster_id:
            arguments = {"ClusterId": self._id, "StepIds": [job.id], "StepCancellationOption": "TERMINATE_PROCESS"}
            self._emr("cancel_steps", **arguments)

    def lose(self) -> None:
        """End a cluster whose machines went away; the next stage gets one on demand."""
        self.end()
        self._on_demand = True

    def end(self) -> None:
        """Terminate every cluster of this run that still lives, also one whose creation was never answered.

        Raises:
            EndError: AWS did not let us within `ending_minutes`.
        """
        if not self._asked:
            return
        self._until = self._clock.now() + self._settings.ending_minutes * 60
        try:
            living = self._living()
            if living:
                self._emr("terminate_job_flows", JobFlowIds=living)
        except Exception as error:
            which = self._id or f"named {requests.cluster_name(self._run_id)!r}"
            raise EndError(
                f"the cluster {which} could not be ended within {self._settings.ending_minutes:g} minutes ({error}). "
                f"{self._what_ends_it()}"
            ) from error
        finally:
            self._until = None
        if living:
            self._tell(f"ended cluster {', '.join(living)}; about {self.usd():.2f} USD")
        if self._paid_since is not None:
            self._paid_hours, self._paid_since = self._hours(), None
        self._id, self._asked = "", False

    def _living(self) -> list[str]:
        """Clusters to end; the one that is known also when AWS does not list it, as it may not do for a new one."""
        known = [self._id] if self._id else []
        try:
            named = self._named()
            unlisted = [one for one in known if one not in named and not self._gone(one)]
            return [*named, *unlisted]
        except Exception:
            if not known:
                raise
            return known

    def _gone(self, cluster: str) -> bool:
        state: str = self._emr("describe_cluster", ClusterId=cluster)["Cluster"]["Status"]["State"]
        return state in GONE

    def _what_ends_it(self) -> str:
        settings = self._settings
        return (
            f"It ends itself when it was idle for {settings.idle_minutes} minutes, a step after {settings.max_hours:g} "
            "hours, and the sensor cluster_reaper ends it as soon as AWS answers. To end it now: "
            f"aws emr terminate-clusters --cluster-ids {self._id or 'ID'}"
        )

    def usd(self) -> float:
        """What the run's clusters have cost so far, by the settings' price for a node's hour."""
        return self._hours() * self._settings.usd_per_node_hour * (1 + self._settings.core_units)

    def facts(self) -> dict[str, str | float]:
        """What a materialisation says about where it was made."""
        link = requests.cluster_link(self._settings.region, self._id)
        return {"emr_cluster": self._id, "emr_console": link, "emr_usd_so_far": round(self.usd(), 4)}

    def _ended_itself(self) -> bool:
        """Whether our cluster went away between two stages: idle, while torch was training here."""
        if self._settings.cluster_id:
            return False
        status = self._emr("describe_cluster", ClusterId=self._id)["Cluster"]["Status"]
        if status["State"] in GONE:
            self._tell(f"cluster {self._id} is {status['State']} ({_reason(status)}): the next stage gets another one")
        return status["State"] in GONE

    def _create(self, package: Package) -> None:
        self._paid_hours, self._asked, self._paid_since = self._hours(), True, self._clock.now()
        request = requests.cluster_request(self._settings, package, self._run_id, self._lake, on_demand=self._on_demand)

        def lost() -> dict[str, str] | None:
            found = self._named()
            return {"JobFlowId": found[0]} if found else None

        self._id = str(self._aws.make("emr", "run_job_flow", lost, **request)["JobFlowId"])
        market = "on demand" if self._on_demand or not self._settings.spot else "spot"
        self._tell(f"created cluster {self._id}: {self._settings.release}, {self._settings.core_units} nodes, {market}")

    def _named(self) -> list[str]:
        """Living clusters of this run."""
        return [one["Id"] for one in living(self._emr) if one["Name"] == requests.cluster_name(self._run_id)]

    def _hours(self) -> float:
        running = self._clock.now() - self._paid_since if self._paid_since is not None else 0.0
        return self._paid_hours + running / 3600

    def _emr(self, operation: str, **arguments: object) -> dict:
        if self._until is None:
            answer: dict = self._aws.call("emr", operation, **arguments)
        else:
            patience = max(self._until - self._clock.now(), 0.0)
            answer = self._aws.call_within(patience, "emr", operation, arguments)
        return answer


def living(emr: Callable[..., dict]) -> list[dict[str, Any]]:
    """All living clusters of the account, as EMR lists them, whosever they are.

    Args:
        emr: calls an operation of EMR by its name.
    """
    found: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        page = emr("list_clusters", ClusterStates=ACTIVE, **marker)
        found += page["Clusters"]
        if not page.get("Marker"):
            return found
        marker = {"Marker": page["Marker"]}


def _reason(status: dict) -> str:
    change = status.get("StateChangeReason") or {}
    return ": ".join(filter(None, (change.get("Code"), change.get("Message"))))
