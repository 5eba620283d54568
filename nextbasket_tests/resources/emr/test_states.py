"""When a step is over and how it went, by what EMR says of it and of its cluster."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.cluster import Cluster
from nextbasket_assets.resources.emr.failures import Job, State
from nextbasket_assets.resources.emr.package import Package
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_tests.emr_bed.scripted import FakeClock, error
from nextbasket_tests.resources.emr.conftest import Answers

WORK = "s3://shop/emr"


def theirs(**answers: Any) -> tuple[Cluster, Answers]:
    """A cluster that is there and stays, in front of this AWS."""
    aws, settings = Answers(**answers), EmrSettings(work=WORK, region="us-east-1", cluster_id="j-1")
    cluster = Cluster(settings, cast(Aws, aws), "run", "s3://shop/lake", print, FakeClock())
    cluster._package = Package(f"{WORK}/zip", f"{WORK}/stage.py", f"{WORK}/bootstrap.sh")
    return cluster, aws


def state(step: dict[str, Any], cluster: str = "RUNNING") -> State:
    """What a run is told of a step on a cluster in this state."""
    answers = {
        "describe_step": {"Step": {"Status": step}},
        "describe_cluster": {"Cluster": {"Status": {"State": cluster}}},
    }
    return theirs(**answers)[0].state(Job("s-1", "step s-1", "", ""))


@pytest.mark.parametrize(
    ("name", "over"),
    [("PENDING", False), ("RUNNING", False), ("FAILED", True), ("CANCELLED", True), ("INTERRUPTED", True)],
)
def test_a_step_that_somebody_stopped_is_over(name: str, over: bool) -> None:
    """A run does not wait for a step that was cancelled in the console, and none of these is a success."""
    found = state({"State": name})

    assert (found.over, found.good, found.gone) == (over, False, False)


@pytest.mark.parametrize("cluster", ["TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS"])
def test_a_step_goes_with_its_cluster(cluster: str) -> None:
    """A step still shown as running on a cluster that ends is over; one that completed before stays a success."""
    lost, done = state({"State": "RUNNING"}, cluster), state({"State": "COMPLETED"}, cluster)

    assert (lost.over, lost.good, lost.gone) == (True, False, True)
    assert lost.reason == f"the cluster is {cluster}"
    assert done.good


def test_emrs_own_words_about_a_failure_are_shown() -> None:
    """EMR puts them in three places: the change's code, its message, and the details of the failure."""
    change = {"Code": "NONE", "Message": "Unknown Error."}
    found = state({"State": "FAILED", "StateChangeReason": change, "FailureDetails": {"Message": "Exit code 1"}})

    assert found.reason == "NONE: Unknown Error.; Exit code 1"


@pytest.mark.parametrize("code", ["ValidationException", "InvalidRequestException"])
def test_somebody_elses_cluster_that_ended_is_not_replaced(code: str) -> None:
    """A cluster that was to stay and is gone fails the run in AWS's words: no other one is made and paid for."""
    gone = {"Cluster": {"Status": {"State": "TERMINATED"}}}
    cluster, aws = theirs(describe_cluster=gone, add_job_flow_steps=error(code, "A job flow that is terminated"))

    with pytest.raises(ClientError, match="A job flow that is terminated"):
        cluster.submit("stage", f"{WORK}/plan.json", f"{WORK}/report.json")
    assert aws.of("run_job_flow") == []
