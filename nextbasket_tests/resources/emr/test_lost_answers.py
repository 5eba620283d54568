"""Answers that are lost on the way, as HTTP loses them: what was made once stays one."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.cluster import Cluster
from nextbasket_assets.resources.emr.package import Package
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_tests.emr_bed.aws import environment
from nextbasket_tests.emr_bed.scripted import FakeClock

WORK = "s3://shop/emr"


@dataclass
class Emr:
    """An EMR that does what it is asked, and an S3 of one object; each loses its next answers.

    Attributes:
        losing: operation -> answers that never arrive, or not to their end.
        unlisted: whether its list lacks the clusters.
    """

    losing: dict[str, int] = field(default_factory=dict)
    unlisted: bool = False
    clusters: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "RunJobFlow":
            self.clusters.append({"Id": f"j-{len(self.clusters) + 1}", "Name": asked["Name"]})
            return {"JobFlowId": self.clusters[-1]["Id"]}
        if operation == "AddJobFlowSteps":
            config = {"Args": asked["Steps"][0]["HadoopJarStep"]["Args"]}
            self.steps.insert(0, {"Id": f"s-{len(self.steps) + 1}", "Config": config})
            return {"StepIds": [self.steps[0]["Id"]]}
        if operation == "DescribeCluster":
            return {"Cluster": {"Status": {"State": "WAITING"}}}
        return {"Clusters": [] if self.unlisted else self.clusters, "Steps": self.steps}

    def loses(self, operation: str) -> bool:
        self.losing[operation] = self.losing.get(operation, 0) - 1
        return self.losing[operation] >= 0


@pytest.fixture
def emr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emr]:
    served = Emr()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].split(".")[1]
            answer = json.dumps(served.answer(operation, asked)).encode()
            self.send(b"" if served.loses(operation) else answer, len(answer))

        def do_GET(self) -> None:
            self.send(b"a rep" if served.loses("GetObject") else b"a report", len(b"a report"))

        def send(self, body: bytes, length: int) -> None:
            if body:
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
            self.wfile.write(body)
            self.close_connection = len(body) < length

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in environment(f"http://127.0.0.1:{server.server_port}").items():
            monkeypatch.setenv(name, value)
        yield served
        server.shutdown()


def submitted(stages: int = 1) -> list[str]:
    """Ids of the steps that a run watches, after so many stages."""
    settings, clock = EmrSettings(work=WORK, region="us-east-1"), FakeClock()
    cluster = Cluster(settings, Aws(clock, 900, print), "run", "s3://shop/lake", print, clock)
    cluster._package = Package(f"{WORK}/zip", f"{WORK}/stage.py", f"{WORK}/bootstrap.sh")
    folders = [f"{WORK}/runs/run/stage-{number}" for number in range(stages)]
    return [cluster.submit("stage", f"{one}/plan.json", f"{one}/report.json").id for one in folders]


def test_a_lost_answer_makes_no_second_cluster(emr: Emr) -> None:
    """The cluster was created but the answer never came: it is found by its name, and nothing asks for another one."""
    emr.losing["RunJobFlow"] = 1

    assert submitted() == ["s-1"]
    assert [cluster["Id"] for cluster in emr.clusters] == ["j-1"]


def test_a_lost_answer_makes_no_second_step(emr: Emr) -> None:
    """The step was added but the answer never came: it is found by its plan among the others, and watched."""
    emr.losing["AddJobFlowSteps"] = 1
    emr.steps.append({"Id": "s-1", "Config": {"Args": ["another plan", "another report"]}})

    assert submitted(stages=2) == ["s-2", "s-3"]
    assert len(emr.steps) == 3


def test_what_was_never_made_is_asked_for_again(emr: Emr) -> None:
    """No answer and nothing there: the call is repeated, after another look each time."""
    emr.losing["RunJobFlow"], emr.unlisted = 2, True

    assert submitted() == ["s-1"]
    assert len(emr.clusters) == 3


def test_a_body_that_breaks_off_is_read_again(emr: Emr) -> None:
    """The connection ends in the middle of an object: the whole of it is asked for again."""
    emr.losing["GetObject"] = 2

    assert Aws(FakeClock(), 900, print).read("s3://shop/report.json") == b"a report"
