"""A run's cluster: one, made late, ended always; and the run says exactly what went wrong."""

import gzip
from collections.abc import Callable
from typing import cast

import boto3
import dagster as dg
import pytest
from botocore.exceptions import EndpointConnectionError

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.cluster import Cluster
from nextbasket_assets.resources.emr.failures import stderr_tail
from nextbasket_assets.resources.spark import SparkResource
from nextbasket_tests.emr_bed.aws import objects
from nextbasket_tests.emr_bed.scripted import LAKE, Scene, ScriptedBed, error
from nextbasket_tests.emr_bed.worker import Fate
from nextbasket_tests.resources.emr.conftest import SECRET, Ran

Run = Callable[..., Ran]


def test_two_stages_share_one_cluster_that_ends_with_the_run(bed: ScriptedBed, run: Run) -> None:
    """A run of two stages makes one cluster with two steps, and ends it; the materialisations say where and for how much."""
    ran = run()

    assert ran.success
    assert bed.states() == ["TERMINATED"]
    [cluster] = bed.worker.clusters
    assert [step.state for step in cluster.steps] == ["COMPLETED", "COMPLETED"]
    (event,) = [one for one in ran.result.get_asset_materialization_events() if one.asset_key == dg.AssetKey("baskets")]
    metadata = event.materialization.metadata
    assert metadata["emr_cluster"].value == cluster.id
    # three nodes for the seconds that passed, at 0.22 USD an hour
    assert metadata["emr_usd_so_far"].value == pytest.approx(3 * 0.22 * bed.clock.seconds / 3600, abs=2e-3)


def test_the_request_says_what_must_hold_when_nobody_is_left(bed: ScriptedBed, run: Run) -> None:
    """The cluster's own request ends it when idle, tags it for the reaper, and runs the Python and Spark that were tested."""
    ran = run(idle_minutes=7, step_concurrency=3, subnets=["subnet-1"], kms_key="arn:key")
    request = bed.worker.clusters[0].request

    assert request["AutoTerminationPolicy"] == {"IdleTimeout": 420}
    assert {tag["Key"]: tag["Value"] for tag in request["Tags"]} == {
        "nextbasket/run_id": ran.result.run_id,
        "nextbasket/lake": LAKE,
        "for-use-with-amazon-emr-managed-policies": "true",
    }
    assert request["ReleaseLabel"] == "emr-7.13.0"  # Spark 3.5
    assert request["LogUri"].endswith("/")
    assert request["StepConcurrencyLevel"] == 3
    assert request["Instances"]["Ec2SubnetIds"] == ["subnet-1"]
    [primary, core] = request["Instances"]["InstanceFleets"]
    assert primary["TargetOnDemandCapacity"] == 1
    assert core["LaunchSpecifications"]["SpotSpecification"]["TimeoutAction"] == "SWITCH_TO_ON_DEMAND"
    assert {"fs.s3.serverSideEncryption.kms.keyId", "fs.s3.bucketKey.enabled"} < {
        name for one in request["Configurations"] for name in one["Properties"]
    }
    assert "spark.pyspark.python=/usr/bin/python3.11" in bed.plays[0].arguments


def test_no_stage_no_cluster(bed: ScriptedBed) -> None:
    """A run whose assets need no Spark makes no cluster and calls nothing."""

    @dg.asset(required_resource_keys={"spark"})
    def torch_only() -> None: ...

    assert dg.materialize([torch_only], resources={"spark": bed.resource()}).success
    assert bed.calls == []


def test_a_failing_step_is_shown_with_the_end_of_its_stderr(bed: ScriptedBed, run: Run) -> None:
    """A step that fails: the run is red at once and once, with state, console link and the last lines; no cluster stays."""
    noise = "\n".join(f"INFO {number}" for number in range(100))
    bed.scenes = [Scene(), Scene(says=("begun", "failed: ValueError: too few"), stderr=f"{noise}\nValueError: too few")]
    ran = run()

    assert not ran.success
    assert "staged_baskets: step s-" in ran.error
    assert "is FAILED" in ran.error
    assert ran.error.endswith("INFO 99\nValueError: too few")
    assert "INFO 60" not in ran.error
    metadata = ran.failure.user_failure_data.metadata
    assert bed.worker.clusters[0].id in metadata["console"].value
    assert len(bed.plays) == 2
    assert bed.states() == ["TERMINATED"]


def test_a_failure_names_the_stages_error_before_emr_brings_its_logs(bed: ScriptedBed, run: Run) -> None:
    """EMR's logs come minutes late: what the stage itself said about its end is in the failure at once."""
    bed.scenes = [Scene(says=("begun", "failed: ValueError: no item is in 50 baskets."), reason="Unknown Error.")]

    assert "(Unknown Error.). Its error is ValueError: no item is in 50 baskets. Nothing was published." in run().error


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        (Scene(reports=False), "It wrote no report"),
        (Scene(says=(), reason="Unknown Error."), "It ended before it said a word"),
    ],
    ids=["completed", "failed"],
)
def test_a_step_that_never_opens_its_report_is_no_success(
    bed: ScriptedBed, run: Run, scene: Scene, message: str
) -> None:
    """COMPLETED without a report, or FAILED without a line: red, with what is missing."""
    bed.scenes = [scene]
    ran = run()

    assert message in ran.error
    assert bed.states() == ["TERMINATED"]


def test_a_cluster_that_cannot_start_is_an_error_not_a_retry(bed: ScriptedBed, run: Run) -> None:
    """A wrong subnet or role: the run fails once, in EMR's own words."""
    bed.worker.fates = [Fate(5, ("VALIDATION_ERROR", "The subnet does not exist"))]
    ran = run()

    assert "the cluster is TERMINATED_WITH_ERRORS; VALIDATION_ERROR: The subnet does not exist" in ran.error
    assert "before it said a word" not in ran.error  # which would send the reader to the code
    assert bed.states() == ["TERMINATED_WITH_ERRORS"]


@pytest.mark.parametrize(
    "missing",
    [
        ("INTERNAL_ERROR", "Insufficient capacity for instance type m6a.xlarge"),
        ("INSTANCE_FLEET_TIMEOUT", "Provisioning of the core fleet timed out"),
    ],
    ids=lambda missing: missing[0],
)
def test_missing_machines_are_asked_for_on_demand(bed: ScriptedBed, run: Run, missing: tuple[str, str]) -> None:
    """No spot machine to start with, then machines taken away in the middle: new clusters on demand, and a green run."""
    bed.worker.fates = [Fate(5, missing)]
    bed.clock.waits.append(lambda: _take_machines(bed, cluster=1, after=60))
    ran = run(capacity_wait_seconds=0)

    assert ran.success
    fleets = [cluster.request["Instances"]["InstanceFleets"][1] for cluster in bed.worker.clusters]
    assert ["TargetSpotCapacity" in fleet for fleet in fleets] == [True, False, False]
    assert bed.states() == ["TERMINATED_WITH_ERRORS", "TERMINATED_WITH_ERRORS", "TERMINATED"]
    assert "the next try gets them on demand" in ran.log()


def _take_machines(bed: ScriptedBed, cluster: int, after: float) -> None:
    if len(bed.worker.clusters) == cluster + 1 and bed.clock.now() > after:
        taken = bed.worker.clusters[cluster]
        if taken.state == "RUNNING":
            bed.worker.end(taken, "TERMINATED_WITH_ERRORS", "INSTANCE_FAILURE", "core nodes were terminated")


def test_capacity_is_not_waited_for_for_ever(bed: ScriptedBed, run: Run) -> None:
    """When there are never machines, the run fails after the retries that were asked for, with EMR's words."""
    bed.worker.fates = [Fate(0, ("INTERNAL_ERROR", "Insufficient capacity")) for _ in range(9)]
    ran = run(capacity_wait_seconds=0, capacity_retries=2)

    assert len(bed.worker.clusters) == 3
    assert "Insufficient capacity" in ran.log()
    assert not ran.success


def test_a_throttled_quarter_of_an_hour_is_survived(bed: ScriptedBed, run: Run) -> None:
    """AWS throttles whatever is asked, ten times in a row: the run waits, says so, and is green; the cluster is ended."""
    for operation in ("RunJobFlow", "AddJobFlowSteps", "DescribeStep", "PutObject", "TerminateJobFlows"):
        bed.faults[operation] = [error("ThrottlingException", "Rate exceeded") for _ in range(10)]
    ran = run()

    assert ran.success
    assert "AWS answers ThrottlingException; trying again" in ran.log()
    assert bed.states() == ["TERMINATED"]


def test_throttling_without_an_end_fails_and_still_ends_the_cluster(bed: ScriptedBed, run: Run) -> None:
    """A call that is throttled longer than our patience fails the run with AWS's words, and the cluster is ended."""
    bed.faults["DescribeStep"] = [error("ThrottlingException", "Rate exceeded") for _ in range(1000)]
    ran = run(patience_minutes=15)

    assert "ThrottlingException" in ran.error
    assert bed.clock.seconds > 14 * 60
    assert bed.states() == ["TERMINATED"]


def test_a_wrong_request_is_not_repeated(bed: ScriptedBed, run: Run) -> None:
    """What AWS refuses for good is asked once: its own words, no waiting."""
    bed.faults["AddJobFlowSteps"] = [error("AccessDeniedException", "not authorized to perform: AddJobFlowSteps")]
    ran = run()

    assert "not authorized to perform: AddJobFlowSteps" in ran.error
    assert bed.clock.seconds == 0
    assert bed.states() == ["TERMINATED"]


@pytest.mark.parametrize("moment", [0, 25], ids=["while the cluster starts", "while a step runs"])
def test_a_cancelled_run_ends_its_cluster(bed: ScriptedBed, run: Run, moment: float) -> None:
    """Cancelling raises no Exception but a BaseException, anywhere: the cluster is ended all the same."""
    bed.worker.fates = [Fate(20)]

    def cancel() -> None:
        if bed.clock.now() > moment:
            bed.clock.waits.remove(cancel)
            raise dg._core.errors.DagsterExecutionInterruptedError

    bed.clock.waits.append(cancel)
    ran = run()

    assert not ran.success
    assert "DagsterExecutionInterruptedError" in ran.log()
    assert bed.states() == ["TERMINATED"]
    assert all(play.killed for play in bed.plays if play.scene.seconds > 1)


def test_a_long_step_is_waited_for(bed: ScriptedBed, run: Run) -> None:
    """Forty-five minutes, where Dagster's own client gives up after thirty: green, and ended."""
    bed.scenes = [Scene(seconds=45 * 60)]

    assert run().success
    assert bed.clock.seconds > 45 * 60
    assert bed.states() == ["TERMINATED"]


def test_a_cluster_that_went_idle_in_the_middle_is_replaced(bed: ScriptedBed) -> None:
    """Torch trains for an hour between two stages: the idle cluster ends itself, the next stage gets one, and none is left."""

    @dg.asset
    def before(spark: SparkResource) -> None:
        spark.run("customer_sequences", {}, {}, weeks=[])

    @dg.asset(deps=[before])
    def training() -> None:
        for _ in range(60):
            bed.clock.sleep(60)

    @dg.asset(deps=[training])
    def after(spark: SparkResource) -> None:
        spark.run("audit", {}, {}, weeks=[])

    resources = {"spark": bed.resource(idle_minutes=10)}
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions([before, training, after], executor=dg.in_process_executor, resources=resources)
        assert job.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance).success

    assert bed.states() == ["TERMINATED", "TERMINATED"]
    assert [len(cluster.steps) for cluster in bed.worker.clusters] == [1, 1]


@pytest.mark.parametrize("code", ["ValidationException", "InvalidRequestException"])
def test_a_cluster_that_goes_idle_at_the_last_moment_is_replaced(
    bed: ScriptedBed, run: Run, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """The cluster ends itself after we looked and before the step is there: the stage gets another one, once."""
    looked = Cluster._ended_itself

    def look(cluster: Cluster) -> bool:
        ended = looked(cluster)
        if not ended and len(bed.worker.clusters) == 1:
            bed.worker.end(bed.worker.clusters[0], "TERMINATED", "ALL_STEPS_COMPLETED", "idle")
            bed.faults["AddJobFlowSteps"] = [error(code, "A job flow that is terminated")]
        return ended

    monkeypatch.setattr(Cluster, "_ended_itself", look)

    assert run().success
    assert [len(cluster.steps) for cluster in bed.worker.clusters] == [1, 1]
    assert bed.states() == ["TERMINATED", "TERMINATED"]


def test_a_wrong_step_makes_no_second_cluster(bed: ScriptedBed, run: Run) -> None:
    """A step that EMR finds wrong, on a cluster that lives, fails the run in EMR's words."""
    bed.faults["AddJobFlowSteps"] = [error("ValidationException", "Maximum number of active steps")]
    ran = run()

    assert "Maximum number of active steps" in ran.error
    assert bed.states() == ["TERMINATED"]


def test_a_run_has_a_longest_time(bed: ScriptedBed, run: Run) -> None:
    """Stages together longer than max_hours: red, named, and ended; the plan tells the step the same limit."""
    bed.scenes = [Scene(seconds=3000), Scene(seconds=90000)]
    ran = run(max_hours=1)

    assert "1 hours, as long as they may (max_hours)" in ran.error
    assert bed.clock.seconds < 3700
    assert b'"limit_seconds": 3600.0' in bed.get(bed.plays[0].arguments[-2])
    assert bed.states() == ["TERMINATED"]


def test_credentials_that_are_renewed_in_the_middle_do_not_matter(bed: ScriptedBed, run: Run) -> None:
    """Expired in the middle of a step, valid again a minute later: green."""
    bed.faults["DescribeStep"] = [error("ExpiredTokenException", "The security token is expired") for _ in range(6)]
    ran = run()

    assert ran.success
    assert "the AWS credentials have expired; trying again" in ran.log()
    assert bed.states() == ["TERMINATED"]


@pytest.mark.parametrize("last", [True, False], ids=["all of AWS", "all but the step"])
def test_ending_is_tried_for_minutes_and_no_longer(bed: ScriptedBed, run: Run, last: bool) -> None:
    """AWS answers nobody any more: the run is over after its patience and five minutes more, the event names the cluster and what
    ends it without us, and it does end itself when it is idle."""
    unreachable = EndpointConnectionError(endpoint_url="https://elasticmapreduce.us-east-1.amazonaws.com")
    for operation in ("DescribeStep", "TerminateJobFlows", "ListClusters")[0 if last else 1 :]:
        bed.faults[operation] = [unreachable for _ in range(10000)]
    ran = run(patience_minutes=2, ending_minutes=5, idle_minutes=10)

    assert bed.clock.seconds < 130 + 120 + 300
    (cluster,) = bed.worker.clusters
    assert (
        f"the cluster {cluster.id} could not be ended within 5 minutes (Could not connect to the endpoint" in ran.log()
    )
    assert f"aws emr terminate-clusters --cluster-ids {cluster.id}" in ran.log()
    assert "idle for 10 minutes" in ran.log()
    assert "the sensor cluster_reaper" in ran.log()
    for _ in range(30):
        bed.clock.sleep(60)
    assert bed.states() == ["TERMINATED"]


def test_ending_needs_no_list(bed: ScriptedBed, run: Run) -> None:
    """A role that may terminate but not list: the cluster that the run knows is ended all the same."""
    bed.faults["ListClusters"] = [error("AccessDeniedException", "not authorized to perform: ListClusters")] * 10

    assert run().success
    assert bed.states() == ["TERMINATED"]


def test_a_cluster_that_aws_does_not_list_is_ended(bed: ScriptedBed, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list may lack what was created a moment ago: the cluster that the run knows is ended all the same."""
    monkeypatch.setattr(Cluster, "_named", lambda self: [])

    assert run().success
    assert bed.states() == ["TERMINATED"]


def test_a_cancel_that_fails_is_not_the_news(bed: ScriptedBed, run: Run) -> None:
    """On somebody else's cluster, a cancelled run whose step cannot be cancelled says both, and its own reason as the error."""
    instances = {"KeepJobFlowAliveWhenNoSteps": True, "MasterInstanceType": "m5.xlarge", "InstanceCount": 1}
    policy = {"IdleTimeout": 3600}
    theirs = boto3.client("emr").run_job_flow(Name="theirs", Instances=instances, AutoTerminationPolicy=policy)
    bed.worker.fates = [Fate(20)]
    bed.faults["CancelSteps"] = [error("AccessDeniedException", "not authorized to perform: CancelSteps")] * 100

    def cancel() -> None:
        if bed.plays:
            bed.clock.waits.remove(cancel)
            raise dg._core.errors.DagsterExecutionInterruptedError

    bed.clock.waits.append(cancel)
    ran = run(cluster_id=theirs["JobFlowId"])

    assert not ran.success
    assert "DagsterExecutionInterruptedError" in ran.log()
    assert "could not be cancelled" in ran.log()


@pytest.mark.parametrize("kept", [slice(None, -9), slice(None, 3), slice(0)], ids=["cut", "a start", "empty"])
def test_a_log_that_is_not_whole_hides_no_failure(kept: slice) -> None:
    """Of a stderr that EMR has not written to its end nothing is shown, and nothing is raised."""
    body = gzip.compress(b"ValueError: too few")[kept]

    class Partly:
        def read(self, _: str) -> bytes:
            return body

    assert stderr_tail(cast(Aws, Partly()), "s3://bucket/logs") == ""


def test_credentials_that_stay_expired_leave_the_cluster_to_itself(bed: ScriptedBed, run: Run) -> None:
    """With nobody left who may end it, the run is red and says why, and the cluster ends itself when it is idle."""
    for operation in ("DescribeStep", "TerminateJobFlows", "ListClusters"):
        bed.faults[operation] = [error("ExpiredTokenException", "The security token is expired") for _ in range(10000)]
    ran = run(patience_minutes=5, idle_minutes=10)

    assert "The security token is expired" in ran.error
    assert not ran.success
    for _ in range(30):
        bed.clock.sleep(60)
    assert bed.states() == ["TERMINATED"]


def test_a_cluster_of_somebody_else_stays(bed: ScriptedBed, run: Run) -> None:
    """With an existing cluster id the run adds its steps there, and leaves the cluster as it was."""
    instances = {"KeepJobFlowAliveWhenNoSteps": True, "MasterInstanceType": "m5.xlarge", "InstanceCount": 1}
    policy = {"IdleTimeout": 3600}
    theirs = boto3.client("emr").run_job_flow(Name="theirs", Instances=instances, AutoTerminationPolicy=policy)
    ran = run(cluster_id=theirs["JobFlowId"])

    assert ran.success
    assert bed.states() == ["WAITING"]
    assert len(bed.worker.clusters[0].steps) == 2


def test_the_stages_own_lines_are_in_the_log(bed: ScriptedBed, run: Run) -> None:
    """What a stage says while it runs is in the run's log, once and in order, beside the states of its step."""
    bed.scenes = [Scene(says=("begun on Spark 3.5.6, Python 3.11.9", "3 of 40 tasks", "40 of 40 tasks"))]
    log = run().log()

    places = [log.index(f"raw_transactions: {line}") for line in bed.plays[0].scene.says]
    assert places == sorted(places)
    assert log.count("raw_transactions: 3 of 40 tasks") == 1
    assert "is COMPLETED" in log


def test_no_secret_is_written_anywhere(bed: ScriptedBed, run: Run) -> None:
    """Neither events, metadata, plans nor steps hold a credential, also when AWS refuses one."""
    bed.scenes = [Scene(), Scene(stderr="died")]
    bed.faults["DescribeStep"] = [error("UnrecognizedClientException", "The security token is invalid")]
    logs = [run().log(), run().log()]
    s3 = boto3.client("s3")
    stored = [s3.get_object(Bucket="shop", Key=key)["Body"].read() for key in objects(s3, "shop")]

    assert "security token is invalid" in logs[0]
    assert not any(SECRET in log for log in logs)
    assert not any(SECRET.encode() in content for content in stored)
    assert not any(SECRET in str(vars(cluster)) for cluster in bed.worker.clusters)
