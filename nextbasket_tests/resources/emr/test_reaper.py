"""The reaper: what outlived its run is ended and named; what lives with its run, or is not ours, stays."""

from typing import cast

import boto3
import dagster as dg
import pytest
from botocore.exceptions import ClientError
from dagster._core.test_utils import create_run_for_test

from nextbasket_assets.operations.reaper import cluster_reaper
from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.cluster import EndError
from nextbasket_assets.resources.emr.reaper import reap
from nextbasket_tests.emr_bed.scripted import LAKE, ScriptedBed, error
from nextbasket_tests.resources.emr.conftest import Answers


def start(bed: ScriptedBed, run_id: str, lake: str = LAKE, name: str | None = None) -> str:
    answer = boto3.client("emr").run_job_flow(
        Name=name or f"nextbasket {run_id}",
        Instances={"KeepJobFlowAliveWhenNoSteps": True, "MasterInstanceType": "m5.xlarge", "InstanceCount": 1},
        Tags=[{"Key": "nextbasket/run_id", "Value": run_id}, {"Key": "nextbasket/lake", "Value": lake}],
        AutoTerminationPolicy={"IdleTimeout": 36000},
    )
    bed.worker.tick()
    return str(answer["JobFlowId"])


def test_only_clusters_whose_run_is_over_are_ended(bed: ScriptedBed) -> None:
    """Killed, finished and forgotten runs lose their clusters, by name; a running one and strangers keep theirs."""
    with dg.DagsterInstance.ephemeral() as instance:
        states = {"killed": "FAILURE", "canceled": "CANCELED", "alive": "STARTED"}
        runs = {
            name: create_run_for_test(instance, status=dg.DagsterRunStatus[state]).run_id
            for name, state in states.items()
        }
        clusters = {name: start(bed, run_id) for name, run_id in runs.items()}
        clusters["forgotten"] = start(bed, "no-such-run")
        clusters["other lake"] = start(bed, runs["killed"], lake="s3://other/lake")
        clusters["other team"] = start(bed, runs["killed"], name="theirs")
        tick = cluster_reaper(LAKE).evaluate_tick(dg.build_sensor_context(instance=instance))
        again = cluster_reaper(LAKE).evaluate_tick(dg.build_sensor_context(instance=instance))

    living = {name for name, cluster in clusters.items() if _state(bed, cluster) != "TERMINATED"}
    assert living == {"alive", "other lake", "other team"}
    assert tick.skip_message is not None
    assert "ended 3 cluster(s)" in tick.skip_message
    assert f"{clusters['killed']} (run {runs['killed']} is FAILURE)" in tick.skip_message
    assert "(run no-such-run is unknown to this Dagster)" in tick.skip_message
    assert again.skip_message == "no cluster outlived its run"


def test_clusters_are_watched_without_a_click() -> None:
    """A deployment on EMR has its reaper running: nobody has to think of it before the first run dies."""
    assert cluster_reaper(LAKE).default_status is dg.DefaultSensorStatus.RUNNING


def _state(bed: ScriptedBed, cluster_id: str) -> str:
    return next(str(cluster.state) for cluster in bed.worker.clusters if cluster.id == cluster_id)


def test_a_cluster_that_stays_is_no_orphan() -> None:
    """Somebody's own cluster for our steps has the lake's tag and may have a name like ours; it is nobody's run's."""
    described = {"Cluster": {"Tags": [{"Key": "nextbasket/lake", "Value": LAKE}]}}
    aws = Answers(list_clusters={"Clusters": [{"Id": "j-1", "Name": "nextbasket shared"}]}, describe_cluster=described)

    assert reap(cast(Aws, aws), LAKE, lambda run_id: f"{run_id} is over") == []
    assert aws.of("terminate_job_flows") == []


def test_a_cluster_that_we_may_not_look_at_is_not_ours(bed: ScriptedBed) -> None:
    """A foreign cluster under a name like ours, which the role may not describe, keeps no orphan of ours alive."""
    foreign, ours = start(bed, "theirs"), start(bed, "no-such-run")
    bed.faults["DescribeCluster"] = [error("AccessDeniedException", "not authorized to perform: DescribeCluster")]
    with dg.DagsterInstance.ephemeral() as instance:
        tick = cluster_reaper(LAKE).evaluate_tick(dg.build_sensor_context(instance=instance))

    assert {_state(bed, cluster) for cluster in (foreign, ours)} == {"WAITING", "TERMINATED"}
    assert tick.skip_message is not None
    assert "ended 1 cluster(s)" in tick.skip_message


def test_a_look_that_fails_is_no_look_that_found_nothing() -> None:
    """A cluster that cannot be described for another reason than a refusal fails the look, so that somebody hears of it."""
    listed = {"Clusters": [{"Id": "j-1", "Name": "nextbasket run"}]}
    aws = Answers(list_clusters=listed, describe_cluster=error("InternalServerException", "try later"))

    with pytest.raises(ClientError, match="try later"):
        reap(cast(Aws, aws), LAKE, lambda _: None)


def test_one_refusal_leaves_the_others_ended(bed: ScriptedBed) -> None:
    """Of two orphans AWS refuses to end one: the other is ended, and the look fails with both names."""
    clusters = [start(bed, "no-such-run"), start(bed, "nor-this-one")]
    bed.faults["TerminateJobFlows"] = [error("ValidationException", "is terminate protected")]
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(
            EndError, match=r"is terminate protected.*Ended: j-.*aws emr terminate-clusters --cluster-ids j-"
        ),
    ):
        cluster_reaper(LAKE)(dg.build_sensor_context(instance=instance))

    assert sorted(_state(bed, cluster) for cluster in clusters) == ["TERMINATED", "WAITING"]
