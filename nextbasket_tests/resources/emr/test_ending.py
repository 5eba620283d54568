"""Nothing stays behind: what ends clusters and job runs when AWS answers late, wrongly or not at all."""

import gzip
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, EndpointConnectionError

from nextbasket_assets.resources.emr import package, spark
from nextbasket_assets.resources.emr.calls import Aws, passing
from nextbasket_assets.resources.emr.cluster import Cluster, EndError
from nextbasket_assets.resources.emr.failures import Job, State, stderr_tail
from nextbasket_assets.resources.emr.package import Package
from nextbasket_assets.resources.emr.serverless import Application
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.resources.emr.stages import FarStages
from nextbasket_tests.emr_bed.scripted import FakeClock, error
from nextbasket_tests.resources.emr.conftest import Answers

WORK = "s3://shop/emr"
CODE = Package(f"{WORK}/zip", f"{WORK}/stage.py", f"{WORK}/bootstrap.sh")


def cluster(aws: Answers, clock: FakeClock | None = None, **settings: Any) -> Cluster:
    clock = clock or FakeClock()
    chosen = EmrSettings(work=WORK, region="us-east-1", **settings)
    made = Cluster(chosen, cast(Aws, aws), "run", "s3://shop/lake", print, clock)
    made._package = CODE
    return made


def begun(clock: FakeClock | None = None, **answers: Any) -> tuple[Cluster, Answers]:
    """A cluster that works on a stage, in front of an AWS whose list does not have it yet."""
    usual = {"run_job_flow": {"JobFlowId": "j-1"}, "add_job_flow_steps": {"StepIds": ["s-1"]}}
    aws = Answers(**{**usual, "list_clusters": {"Clusters": []}, "describe_cluster": status("RUNNING"), **answers})
    made = cluster(aws, clock)
    made.submit("stage", f"{WORK}/plan.json", f"{WORK}/report.json")
    return made, aws


def status(state: str) -> dict[str, Any]:
    return {"Cluster": {"Status": {"State": state}}}


@pytest.mark.parametrize("listed", [{"Clusters": []}, error("AccessDeniedException", "no")], ids=["late", "refused"])
def test_a_cluster_that_no_list_shows_is_ended(listed: object) -> None:
    """The one that is known is ended, though AWS does not list it yet or does not let us look."""
    made, aws = begun(list_clusters=listed)
    made.end()

    assert aws.of("terminate_job_flows") == [{"JobFlowIds": ["j-1"]}]
    assert aws.patience
    assert all(0 < patience <= 600 for patience in aws.patience)


def test_a_cluster_that_ended_itself_is_left_alone() -> None:
    """There is nothing to end, and a second end asks for nothing."""
    made, aws = begun(describe_cluster=status("TERMINATED"))
    made.end()
    asked = len(aws.asked)
    made.end()

    assert aws.of("terminate_job_flows") == []
    assert len(aws.asked) == asked


def test_a_creation_that_was_never_answered_is_ended() -> None:
    """By the run's name, on whatever page of the list; another run's cluster stays."""
    pages = {
        None: {"Clusters": [{"Id": "j-9", "Name": "nextbasket another"}], "Marker": "more"},
        "more": {"Clusters": [{"Id": "j-1", "Name": "nextbasket run"}]},
    }
    aws = Answers(run_job_flow=error("Unknown", "?"), list_clusters=lambda asked: pages[asked.get("Marker")])
    made = cluster(aws)
    with pytest.raises(ClientError):
        made.submit("stage", f"{WORK}/plan.json", f"{WORK}/report.json")
    made.end()

    assert aws.of("terminate_job_flows") == [{"JobFlowIds": ["j-1"]}]


def test_a_creation_that_was_never_answered_is_named_when_nobody_may_look() -> None:
    """Without an id and without a list nothing can be ended: the run says so, by the cluster's name."""
    aws = Answers(run_job_flow=error("Unknown", "?"), list_clusters=error("AccessDeniedException", "no"))
    made = cluster(aws)
    with pytest.raises(ClientError):
        made.submit("stage", f"{WORK}/plan.json", f"{WORK}/report.json")

    with pytest.raises(EndError, match="the cluster named 'nextbasket run' could not be ended"):
        made.end()


def test_a_cluster_is_looked_for_while_it_starts() -> None:
    """The list that is asked for has every state in which a cluster is paid for."""
    made, aws = begun()
    made.end()

    assert aws.of("list_clusters") == [{"ClusterStates": ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]}]


def test_the_next_stage_has_its_whole_patience() -> None:
    """The minutes for ending a cluster end with it; the stage that is tried again on another one is not hurried by them."""
    made, aws = begun(describe_step={"Step": {"Status": {"State": "COMPLETED"}}})
    made.lose()
    hurried = len(aws.patience)
    made.state(made.submit("stage", f"{WORK}/plan.json", f"{WORK}/report.json"))

    assert hurried > 0
    assert len(aws.patience) == hurried


def test_an_ended_cluster_costs_no_more() -> None:
    """Three nodes for an hour at 0.22 USD; the hour after the end is free, and the next cluster's is added."""
    clock = FakeClock()
    made, _ = begun(clock)
    costs = []
    for then in (made.end, lambda: made.submit("stage", "plan", "report"), made.end):
        clock.sleep(3600)
        then()
        costs.append(round(made.usd(), 2))

    assert costs == [0.66, 0.66, 1.32]


def test_only_a_cluster_that_stays_has_its_step_cancelled() -> None:
    """Our own is ended anyway; on somebody else's the step is stopped and the cluster is not."""
    ours, theirs = Answers(), Answers()
    job = Job("s-1", "step s-1", "", "")
    cluster(ours).cancel(job)
    other = cluster(theirs, cluster_id="j-7")
    other.cancel(job)
    other.end()

    stop = {"ClusterId": "j-7", "StepIds": ["s-1"], "StepCancellationOption": "TERMINATE_PROCESS"}
    assert ours.asked == []
    assert theirs.asked == [("cancel_steps", stop)]


def test_each_job_run_is_cancelled_whatever_becomes_of_the_others() -> None:
    """Of three the first is over and the second cannot be cancelled: the third is, and the second is named."""
    ids = iter(("1", "2", "3"))
    refused = lambda asked: error("AccessDenied", "no") if asked["jobRunId"] == "2" else {}  # noqa: E731
    aws = Answers(
        start_job_run=lambda _: {"jobRunId": next(ids)},
        get_job_run={"jobRun": {"state": "SUCCESS"}},
        cancel_job_run=refused,
    )
    told: list[str] = []
    settings = EmrSettings(work=WORK, region="us-east-1", application_id="a")
    application = Application(settings, cast(Aws, aws), "run-id-of-36-characters", told.append)
    application._package = CODE
    plans = [f"{WORK}/runs/run-id/stage-{number:08x}/plan.json" for number in range(3)]
    first, *_ = [application.submit("stage", plan, "report") for plan in plans]
    assert application.state(first).good
    application.end()

    assert [asked["jobRunId"] for asked in aws.of("cancel_job_run")] == ["2", "3"]
    assert told[-1].startswith("job run 2 could not be cancelled")
    assert [asked["clientToken"] for asked in aws.of("start_job_run")] == [
        f"{number:08x}run-id-o" for number in range(3)
    ]


def test_what_a_stage_says_at_its_very_end_is_its_error() -> None:
    """Its last line arrives after the look that found it failed."""
    reads = iter((None, b"failed: ValueError: too few", None))

    def read(uri: str) -> bytes:
        found = next(reads) if ".log/" in uri else None
        if found is None:
            raise error("NoSuchKey", "no")
        return found

    aws = Answers()
    aws.read = read  # type: ignore[attr-defined]
    place: Any = SimpleNamespace(
        submit=lambda *_: Job("s-1", "step s-1", "", "logs"),
        state=lambda _: State("FAILED", "", over=True),
    )
    stages = FarStages(place, EmrSettings(work=WORK, region="r"), cast(Aws, aws), "run", print, FakeClock())
    with pytest.raises(Exception, match="is FAILED") as failed:
        stages.run({"stage": "staged_baskets"})

    assert "Its error is ValueError: too few." in str(failed.value.description)  # type: ignore[attr-defined]


def test_a_second_signal_ends_the_cluster_all_the_same() -> None:
    """Interrupted in the middle of ending, it is ended again; an error of AWS is not asked for twice."""
    ends: list[BaseException | None] = []

    def end() -> None:
        ends.append(None)
        if len(ends) == 1:
            raise first

    for first, tries in ((KeyboardInterrupt(), 2), (ValueError(), 1)):
        ends.clear()
        with pytest.raises(type(first)):
            spark._end(cast(FarStages, SimpleNamespace(place=SimpleNamespace(end=end))))
        assert len(ends) == tries


def test_a_wait_is_no_longer_than_the_patience() -> None:
    """Ten seconds of patience are over after waits of 1, 2 and 4, since the next one would be 8."""
    clock = FakeClock()

    def ask() -> None:
        raise error("ThrottlingException", "x")

    with pytest.raises(ClientError):
        Aws(clock, 10, print)._patiently(10, "list", ask)
    assert clock.seconds == 7


@pytest.mark.parametrize(
    ("raised", "passes"),
    [
        (error("ThrottlingException", "x"), True),
        (ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 502}}, "x"), True),  # type: ignore[typeddict-item]
        (EndpointConnectionError(endpoint_url="x"), True),
        (error("Unheard", "x", status=500), True),
        (error("TooManyRequestsException", "x"), True),
        (error("RequestTimeout", "x"), True),
        (error("RequestExpired", "x"), True),
        (CredentialRetrievalError(provider="iam-role", error_msg="x"), True),
        (error("AccessDenied", "x"), False),
        (error("Unheard", "x", status=404), False),
        (ValueError("x"), False),
    ],
)
def test_what_may_pass_is_told_from_what_is_wrong(raised: Exception, passes: bool) -> None:
    """Throttling, a server's fault, no network and credentials that are being renewed pass; a refusal and our mistakes do not."""
    assert (passing(raised) is not None) is passes


def test_renewed_credentials_are_read_again() -> None:
    """After an expired token the next try has other clients than the one before."""
    aws = Aws(FakeClock(), 900, print)
    aws._clients["emr", 3] = "with the expired token"
    answers = iter((error("ExpiredTokenException", "x"), None))

    def ask() -> list[Any]:
        if (failed := next(answers)) is not None:
            raise failed
        return list(aws._clients)

    assert aws._patiently(900, "list", ask) == []


@pytest.mark.parametrize(("code", "fails"), [("PreconditionFailed", False), ("AccessDenied", True)])
def test_code_that_another_run_put_meanwhile_stays(code: str, fails: bool) -> None:
    """The object is put only where there is none; that another run was first is no error, a refusal is."""
    aws = Answers(list_objects_v2={"KeyCount": 0}, put_object=error(code, "x"))
    try:
        package._put_once(cast(Aws, aws), f"{WORK}/zip", b"zip", None)
    except ClientError:
        assert fails
    else:
        assert not fails
    assert aws.of("put_object")[0]["IfNoneMatch"] == "*"


def test_without_a_stderr_the_stdout_is_shown() -> None:
    """The end of what there is; EMR may bring one of the two only."""

    def read(uri: str) -> bytes:
        if "stderr" in uri:
            raise error("NoSuchKey", "no")
        return gzip.compress(b"a\nlast line\n")

    assert stderr_tail(cast(Aws, SimpleNamespace(read=read)), "s3://shop/logs") == "a\nlast line"
