"""Scores follow the registry: a promotion changes them, a rollback brings the former ones back."""

import dataclasses
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nextbasket_assets.assets.scores import _score, _scored
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, ROLLED_BACK, Decision
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.recommender.artifact import verify
from nextbasket_assets.recommender.scoring import ScoringReport
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

WEEK = small.AS_OF


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the planted shop's sequences of one week."""
    lake = Lake(str(tmp_path / "lake"))
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=40))
    with stage(lake, "customer_sequences", "run-1") as folder:
        write_staged(lake, "customer_sequences", folder, WEEK, pq.read_table(file))
        publish(lake, "customer_sequences", folder, [WEEK], Provenance("run-1", "c", {}))
    return lake


def decided(lake: Lake, artifact: str, decision: str) -> None:
    """A model of another seed for another name, trained once, and a decision about it."""
    if not Path(lake.uri(artifact)).exists():
        settings = dataclasses.replace(small.SETTINGS, epochs=1, seed=len(artifact))
        small.train_quietly(lake.files("customer_sequences", [WEEK]), Path(lake.uri(artifact)), settings)
    registry.record(
        lake, Decision(
            week=WEEK, name="rnn_model", version=artifact, decision=decision, why="so", metrics={}, artifact=artifact,
            digest=verify(lake.uri(artifact)), inputs={}, run_id="r",
        ),
    )  # fmt: skip


def test_a_rollback_reproduces_the_former_scores_bit_for_bit(lake: Lake, tmp_path: Path) -> None:
    """First champion, second champion, the second rolled back: the first file again, byte for byte."""
    files = []
    for number, (artifact, decision) in enumerate(
        [("models/one", PROMOTED), ("models/number-two", PROMOTED), ("models/number-two", ROLLED_BACK)]
    ):
        decided(lake, artifact, decision)
        report = _score(lake, lake.uri(f"scored-{number}"), WEEK, 5)
        assert report.fallback_customers == 0
        files.append(next(Path(lake.uri(f"scored-{number}")).rglob("*.parquet")).read_bytes())

    assert files[0] == files[2]
    assert files[0] != files[1]


def test_rows_in_are_customers_read_and_rows_out_customers_written() -> None:
    """Two counts of two passes: one number twice would hide every loss. The fallback's share is of those written."""
    shown = _scored(ScoringReport("v", customers_read=3, customers=2, fallback_customers=1))

    assert (shown["rows_in"], shown["rows_out"], shown["fallback_share"]) == (3, 2, 0.5)
