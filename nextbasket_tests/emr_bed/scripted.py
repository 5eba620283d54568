"""EMR as a play: steps follow a script, time passes when somebody waits, and no process is started."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import urlparse

import boto3
import botocore.client
from botocore.exceptions import ClientError
from moto import mock_aws

from nextbasket_assets.resources.emr.calls import Clock
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.resources.emr.spark import EmrSparkResource
from nextbasket_tests.emr_bed.aws import REGION
from nextbasket_tests.emr_bed.emulator import patched
from nextbasket_tests.emr_bed.worker import Worker

BUCKET = "shop"
LAKE = f"s3://{BUCKET}/lake"
REPORT = {"seconds": 1.0, "tables": {}, "counts": {}, "metrics": {}}


@dataclass
class Scene:
    """How one step plays: seconds, its lines, whether it writes a report, its stderr and reason when it fails."""

    seconds: float = 30.0
    says: tuple[str, ...] = ("begun on Spark 3.5.6, Python 3.11.9",)
    reports: bool = True
    stderr: str = ""
    reason: str = ""

    @property
    def fails(self) -> bool:
        return bool(self.stderr or self.reason)


@dataclass
class Play:
    """One step on the stage."""

    bed: "ScriptedBed"
    scene: Scene
    arguments: list[str]
    logs: str
    began: float
    killed: bool = False

    def __post_init__(self) -> None:
        for number, line in enumerate(self.scene.says):
            self.bed.put(f"{self.arguments[-1]}.log/{number:05d}", line.encode())

    def poll(self) -> tuple[bool, str] | None:
        if self.bed.clock.now() - self.began < self.scene.seconds:
            return None
        if self.scene.fails:
            self.bed.put(f"{self.logs}/stderr.gz", gzip.compress(self.scene.stderr.encode()))
        elif self.scene.reports:
            plan = json.loads(self.bed.get(self.arguments[-2]))
            self.bed.put(self.arguments[-1], json.dumps({"stage": plan["stage"], **REPORT}).encode())
        return not self.scene.fails, self.scene.reason

    def kill(self) -> None:
        self.killed = True


class FakeClock(Clock):
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[Callable[[], None]] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for wait in list(self.waits):
            wait()


@dataclass
class ScriptedBed:
    """The bed of the fast tests.

    Attributes:
        scenes: of the steps to come; then they go well.
        faults: operation -> errors of its next calls.
        calls: every operation that was called, in order.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    scenes: list[Scene] = field(default_factory=list)
    plays: list[Play] = field(default_factory=list)
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.worker = Worker(self._execute, self.clock.now)
        self.clock.waits.append(self.worker.tick)

    def resource(self, **settings: Any) -> EmrSparkResource:
        """The product's resource, on this bed's time."""
        bed = self

        class BedSparkResource(EmrSparkResource):
            def clock(self) -> Clock:
                return bed.clock

        return BedSparkResource(settings=EmrSettings(work=f"s3://{BUCKET}/emr", region=REGION, **settings), lake=LAKE)

    def put(self, uri: str, data: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=urlparse(uri).path[1:], Body=data)

    def get(self, uri: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=urlparse(uri).path[1:])["Body"].read()
        return body

    def states(self) -> list[str]:
        """States of all clusters, oldest first."""
        return [str(cluster.state) for cluster in self.worker.clusters]

    def _execute(self, _: str, arguments: list[str], logs: str) -> Play:
        scene = self.scenes.pop(0) if self.scenes else Scene()
        play = Play(self, scene, arguments, logs, self.clock.now())
        self.plays.append(play)
        return play


def error(code: str, message: str = "said the test", status: int = 400) -> ClientError:
    """An error as AWS answers it."""
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Test")  # type: ignore[arg-type]


@contextmanager
def scripted_bed() -> Iterator[ScriptedBed]:
    """A bed with its bucket."""
    real = botocore.client.BaseClient._make_api_call

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        bed.calls.append(operation)
        if bed.faults.get(operation):
            raise bed.faults[operation].pop(0)
        return real(client, operation, arguments)

    with mock_aws(), patched():
        bed = ScriptedBed()
        bed.s3.create_bucket(Bucket=BUCKET)
        with mock.patch.object(botocore.client.BaseClient, "_make_api_call", call):
            yield bed
