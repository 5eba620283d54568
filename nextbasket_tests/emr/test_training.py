"""Models on EMR: learnt from an S3 lake, kept in it, promoted, and the same bytes' worth of lists as on a laptop."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest

from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake import registry
from nextbasket_assets.landing import week_code
from nextbasket_tests.emr.test_end_to_end import BUCKET, ON_EMR, Side, clusters, failures
from nextbasket_tests.emr_bed.aws import local_aws, objects
from nextbasket_tests.platforms import FIRST, header, small_models, week_lines

pytestmark = pytest.mark.emr

WEEKS = [FIRST + timedelta(weeks=number) for number in range(5)]
AS_OF = WEEKS[-1]
SCORED_THERE = {
    **ON_EMR,
    "NEXTBASKET_EMR_SCORE_ON_SPARK": "true",
    "NEXTBASKET_EMR_ENVIRONMENT": f"s3://{BUCKET}/platform/emr/environment.tar.gz",
}
QUIET = {"console": {"config": {"log_level": "ERROR"}}}


def run(side: Side, job: str, *, config: dict[str, Any], tags: dict[str, str]) -> None:
    ran = side.definitions.resolve_job_def(job).execute_in_process(
        instance=side.instance, tags=tags, run_config={"ops": config, "loggers": QUIET}, raise_on_error=False
    )
    assert failures(ran) == []
    side.runs.append(ran)


def play(side: Side) -> Side:
    """Four weeks in one run, then the fifth with new models."""
    ends = {"start": WEEKS[0], "end": WEEKS[-2]}
    run(side, "backfill_weeks", config={}, tags={f"dagster/asset_partition_range_{e}": str(w) for e, w in ends.items()})
    run(side, "train_and_score_week", config=small_models(), tags={"dagster/partition": str(AS_OF)})
    return side


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    texts = {week: "\n".join([header(), *week_lines(week), ""]) for week in WEEKS}
    return {f"transactions_{week_code(week)}.csv.gz": gzip.compress(text.encode()) for week, text in texts.items()}


@pytest.fixture(scope="module")
def far(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    with local_aws(str(tmp_path_factory.mktemp("nodes"))):
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        for name, content in files.items():
            client.put_object(Bucket=BUCKET, Key=f"landing/{name}", Body=content)
        with dg.DagsterInstance.ephemeral() as instance:
            yield play(Side(SCORED_THERE, instance))


@pytest.fixture(scope="module")
def near(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    root: Path = tmp_path_factory.mktemp("near")
    (root / "landing").mkdir()
    for name, content in files.items():
        (root / "landing" / name).write_bytes(content)
    places = {"NEXTBASKET_LANDING": str(root / "landing"), "NEXTBASKET_LAKE": str(root / "lake")}
    with dg.DagsterInstance.ephemeral() as instance:
        yield play(Side({**places, "NEXTBASKET_DRIVER_MEMORY": "1g"}, instance))


def test_models_and_lists_are_those_of_a_laptop(far: Side, near: Side) -> None:
    """Missions, network, evaluation and scores of the trained week: the same decisions, versions, rows and digests."""
    for name in ("mission_model", "rnn_model"):
        ours, theirs = (registry.decisions(side.lake, name) for side in (far, near))
        assert [(one.version, one.decision, one.digest) for one in ours] == [
            (one.version, one.decision, one.digest) for one in theirs
        ]
    for table in TABLES:
        assert far.content(table) == near.content(table), table
    (scored,) = far.lake.weeks("next_basket_scores")
    assert scored == AS_OF


def test_customers_were_scored_on_the_nodes(far: Side) -> None:
    """The training run's lists and outlooks are steps of its cluster."""
    names = [
        step["Name"]
        for cluster in clusters()
        for step in cluster["steps"]
        if cluster["Name"].endswith(far.runs[-1].run_id)
    ]

    assert {"next_basket_scores", "next_trip_outlook"} <= set(names)


def test_two_runs_two_clusters_no_leftovers(far: Side) -> None:
    """The backfill and the training had a cluster each, which are gone; the models are in the bucket, nothing is scratched."""
    keys = objects(boto3.client("s3"), BUCKET, "platform/lake/")

    assert [cluster["Status"]["State"] for cluster in clusters()] == ["TERMINATED"] * len(far.runs)
    assert any("/models/rnn_model/" in key and key.endswith("SHA256SUMS") for key in keys)
    assert not any("/scratch/" in key and not key.endswith("/") for key in keys)
