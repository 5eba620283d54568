"""Files dropped in an S3 prefix become scores in an S3 lake, on clusters that are gone afterwards, as on a laptop."""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest

from nextbasket_assets.columns import TABLES
from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_assets.settings.reading import settings
from nextbasket_assets.shop.shop import write_shop
from nextbasket_tests.emr_bed.aws import REGION, local_aws, objects

pytestmark = pytest.mark.emr

BUCKET = "shop"
ON_EMR = {
    "NEXTBASKET_DEPLOYMENT": "emr",
    "NEXTBASKET_LANDING": f"s3://{BUCKET}/landing",
    "NEXTBASKET_LAKE": f"s3://{BUCKET}/platform/lake",
    "NEXTBASKET_EMR_POLL_SECONDS": "0.5",
    "AWS_REGION": REGION,
}


@dataclass
class Side:
    """One deployment of the platform, and what its sensor has asked for so far."""

    environment: dict[str, str]
    instance: dg.DagsterInstance
    cursor: str | None = None
    runs: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        chosen = settings(self.environment)
        self.definitions = build_definitions(chosen)
        self.lake = Lake(chosen.lake)
        self.landing = chosen.landing

    def look(self) -> list[dg.RunRequest]:
        """One tick of the landing sensor."""
        resources = self.definitions.resources or {}
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=self.definitions,
            resources={"landing": LandingResource(uri=self.landing), "lake": resources["lake"]},
        )
        (sensor,) = [one for one in self.definitions.sensors or () if one.name == "landing_sensor"]
        tick = sensor.evaluate_tick(context)  # type: ignore[union-attr]
        self.cursor = tick.cursor
        return list(tick.run_requests or ())

    def follow(self) -> None:
        """Two looks, as the daemon takes them, and the runs that are asked for."""
        assert self.look() == []
        for request in self.look():
            job = self.definitions.resolve_job_def(str(request.job_name))
            quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
            self.runs.append(
                job.execute_in_process(
                    instance=self.instance,
                    partition_key=request.partition_key,
                    tags=request.tags,
                    run_config=quiet,
                    raise_on_error=False,
                )
            )

    def content(self, table: str) -> dict[str, Any]:
        """Rows of every week, in a canonical order, and their digest."""
        found = {}
        for week in self.lake.weeks(table):
            rows = sorted(
                json.dumps(row, default=str, sort_keys=True) for row in self.lake.read(table, [week]).to_pylist()
            )
            found[str(week)] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two weekly files."""
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder, customers=150, weeks=2, seed=3, products=300)
    return sorted(folder.glob("transactions_*"))


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with local_aws(str(tmp_path_factory.mktemp("nodes"))):
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="module")
def far(s3: Any, shop: list[Path]) -> Side:
    """Two weeks on EMR, each dropped, noticed and run before the next one."""
    side = Side(ON_EMR, dg.DagsterInstance.ephemeral())
    for file in shop:
        s3.upload_file(str(file), BUCKET, f"landing/{file.name}")
        side.follow()
    return side


@pytest.fixture(scope="module")
def near(shop: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The same two weeks on this machine."""
    root = tmp_path_factory.mktemp("near")
    (root / "landing").mkdir()
    places = {"NEXTBASKET_LANDING": str(root / "landing"), "NEXTBASKET_LAKE": str(root / "lake")}
    side = Side({**places, "NEXTBASKET_DRIVER_MEMORY": "1g"}, dg.DagsterInstance.ephemeral())
    for file in shop:
        (root / "landing" / file.name).write_bytes(file.read_bytes())
        side.follow()
    return side


def failures(run: dg.ExecuteInProcessResult) -> list[str]:
    return [str(event.event_specific_data) for event in run.all_events if event.is_failure]


def clusters() -> list[dict[str, Any]]:
    emr = boto3.client("emr")
    return [
        {**cluster, "steps": emr.list_steps(ClusterId=cluster["Id"])["Steps"]}
        for cluster in emr.list_clusters()["Clusters"]
    ]


def test_two_weeks_are_two_clusters_and_none_is_left(far: Side) -> None:
    """Each week's run is green, made one cluster, ran every Spark stage as a step of it, and ended it."""
    assert [failures(run) for run in far.runs] == [[], []]
    found = clusters()

    assert [cluster["Status"]["State"] for cluster in found] == ["TERMINATED", "TERMINATED"]
    assert {cluster["Name"] for cluster in found} == {f"nextbasket {run.run_id}" for run in far.runs}
    for cluster in found:
        names = [step["Name"] for step in cluster["steps"]]
        assert {"raw_transactions", "staged_baskets", "customer_sequences"} <= set(names)
        assert {step["Status"]["State"] for step in cluster["steps"]} == {"COMPLETED"}


def test_the_tables_are_those_of_a_laptop(far: Side, near: Side) -> None:
    """Every table holds the same rows with the same digest as a local run on the same files."""
    assert [run.success for run in near.runs] == [True, True]

    made = {table for table in TABLES if near.lake.weeks(table)}
    assert {"raw_transactions", "staged_baskets", "customer_sequences", "next_basket_scores"} <= made
    for table in TABLES:
        assert far.content(table) == near.content(table), table
    assert all(rows > 0 for rows, _ in far.content("next_basket_scores").values())


def test_the_run_shows_what_the_steps_said(far: Side) -> None:
    """The stages' own lines came over while they ran: Python 3.11 and Spark 3.5, as on the release that was asked for."""
    log = "\n".join(entry.user_message for entry in far.instance.all_logs(far.runs[0].run_id))

    assert "raw_transactions: begun on Spark 3.5." in log
    assert ", Python 3.11." in log
    assert "ended cluster j-" in log


def test_logs_lie_where_the_failure_page_looks_for_them(far: Side, s3: Any) -> None:
    """Every step's stdout and stderr are under the cluster's LogUri."""
    keys = objects(s3, BUCKET, "platform/emr/logs/")
    steps = [(cluster["Id"], step["Id"]) for cluster in clusters() for step in cluster["steps"]]

    assert {f"platform/emr/logs/{cluster}/steps/{step}/stderr.gz" for cluster, step in steps} <= set(keys)


def test_a_damaged_week_leaves_no_cluster_and_the_old_data(far: Side, s3: Any, shop: list[Path]) -> None:
    """A corrected file with another item in every second line's spend: the step's claim fails, the run is red and says what,
    the published week stays as it was, and the cluster is gone."""
    before = far.content("raw_transactions")
    lines = gzip.decompress(shop[1].read_bytes()).decode().splitlines()
    spoiled = [line if number % 2 else line.replace("PRD", "\N{EURO SIGN}RD") for number, line in enumerate(lines)]
    spoiled[0] = lines[0]
    body = gzip.compress(("\n".join(spoiled) + "\n").encode())
    s3.put_object(Bucket=BUCKET, Key=f"landing/{shop[1].name}", Body=body)
    far.follow()

    (failure,) = [event for event in far.runs[-1].all_events if event.is_step_failure]
    assert "lines rejected" in str(failure.step_failure_data)
    assert far.content("raw_transactions") == before
    assert [cluster["Status"]["State"] for cluster in clusters()] == ["TERMINATED"] * 3
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "testing"
