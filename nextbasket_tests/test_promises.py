"""The platform's promises, end to end: landing files in, scores out, through Dagster, Spark and torch.

The shop is written by hand: every customer buys one item that nobody else buys, so that a mixed-up row shows.
"""

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import yaml

from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake import registry, reports
from nextbasket_assets.landing import week_code
from nextbasket_assets.lineage import LANDING_TABLES
from nextbasket_tests.faults import shop
from nextbasket_tests.platforms import BAG, CUSTOMERS, WEEKS, Platform, failure, header, small_models, week_lines

pytestmark = pytest.mark.slow  # four shops go through real Spark

AS_OF, LAST = WEEKS[7], WEEKS[9]
SPARE = "PRD0820009"
SETTINGS = {
    **{asset: ops["config"] for asset, ops in small_models().items()},
    "staged_baskets": {"non_merchandise": [BAG, SPARE]},
    "mission_profiles": {"top_items": 2},
    "customer_sequences": {"max_baskets": 13},
    "next_basket_scores": {"k": 12},
}


def play(platform: Platform, weeks: list[date], later_seed: int | None) -> None:
    """Backfill, train as of AS_OF, score the week after it. Weeks after AS_OF are other ones with another seed."""
    for week in weeks:
        platform.deliver(week, week_lines(week, later_seed if later_seed and week > AS_OF else 0))
    assert platform.run("backfill_weeks", weeks[0], AS_OF - timedelta(weeks=1)).success
    if later_seed is None:
        assert platform.run("train_and_score_week", AS_OF, config={}).success
        return
    # The future is in the lake before the models are made: it must not matter.
    assert platform.run("backfill_weeks", AS_OF, weeks[-1]).success
    assert platform.run("train_and_score_week", AS_OF, config={}).success


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Platform]:
    """A platform whose landing folder has settings of the shop's own; nothing else tells its runs any.

    What a stage wrote is copied when the same input, to the byte, is asked for again: another input goes through Spark.
    """
    recordings = tmp_path_factory.mktemp("recordings")

    def platform(name: str) -> Platform:
        root = tmp_path_factory.mktemp(name)
        (root / "landing").mkdir()
        (root / "landing" / "settings.yaml").write_text(yaml.safe_dump(SETTINGS))
        return shop.platform(root, recordings, record=True)

    return platform


@pytest.fixture(scope="module")
def calm(make: Callable[[str], Platform]) -> Platform:
    """Weeks up to AS_OF, and nothing after it."""
    platform = make("calm")
    play(platform, [week for week in WEEKS if week <= AS_OF], None)
    return platform


def test_every_asset_has_its_week(calm: Platform) -> None:
    """After the main job every table holds the week, and every table's rows follow its columns."""
    for table, columns in TABLES.items():
        rows = calm.lake.read(table, [AS_OF])
        assert rows.schema.names == [column.name for column in columns]
        assert rows.num_rows > 0 or table == "rejected_lines", table


def test_the_week_has_its_report(calm: Platform) -> None:
    """The page is in the lake, its place and numbers are in the metadata, its light is a tag of the run; it shows customers."""
    record = calm.instance.fetch_materializations(dg.AssetKey("weekly_report"), limit=1).records[0]
    assert record.asset_materialization is not None
    shown = {name: value.value for name, value in record.asset_materialization.metadata.items()}
    run = calm.instance.get_run_by_id(record.run_id)
    page = reports.read(calm.lake, AS_OF)

    assert shown["report"] == calm.lake.uri(reports.place(AS_OF))
    assert 5 <= sum(isinstance(value, int | float) for name, value in shown.items() if "/" not in name) <= 12
    assert run is not None
    assert run.tags["nextbasket/light"] == shown["light"] in {"green", "amber", "red"}
    assert run.tags["nextbasket/week"] == week_code(AS_OF)
    assert page.startswith("<!doctype html>")
    assert sum(f"CUST{number:010d}" in page for number in range(CUSTOMERS)) == 12
    assert "CUST00000" not in str(shown)


def test_each_customer_gets_their_own_item(calm: Platform) -> None:
    """Alignment: every customer buys an item that nobody else buys; it is on their list, and on no other one."""
    for row in calm.rows("customer_sequences", AS_OF):
        own = f"PRD07{int(row['customer'][4:]):05d}"
        assert all(own in basket["items"] for basket in row["baskets"])
    for row in calm.rows("next_basket_scores", AS_OF):
        if row["item"].startswith("PRD07"):
            assert row["item"] == f"PRD07{int(row['customer'][4:]):05d}"
    listed = {row["customer"] for row in calm.rows("next_basket_scores", AS_OF) if row["item"].startswith("PRD07")}
    assert len(listed) == CUSTOMERS


def test_every_customer_has_exactly_k_rows(calm: Platform) -> None:
    """As many ranks as the shop asks for, here twelve, for every known customer, each item once, probabilities falling."""
    by_customer: dict[str, list[dict[str, Any]]] = {}
    for row in calm.rows("next_basket_scores", AS_OF):
        by_customer.setdefault(row["customer"], []).append(row)

    assert len(by_customer) == CUSTOMERS
    for rows in by_customer.values():
        ranked = sorted(rows, key=lambda row: row["rank"])
        assert [row["rank"] for row in ranked] == list(range(1, 13))
        assert len({row["item"] for row in ranked}) == 12
        assert all(0 <= row["probability"] <= 1 for row in ranked)
        assert all(a["probability"] >= b["probability"] for a, b in pairwise(ranked))


def test_filters_add_up(calm: Platform) -> None:
    """Filter audit: rows in = rows out + rows removed by each named filter, at every stage, in the metadata."""
    audited = set()
    stages = (
        *("raw_transactions", "staged_baskets", "mission_model", "mission_history", "mission_tagged_baskets"),
        *("mission_profiles", "customer_sequences", "next_basket_scores"),
    )
    for table in stages:
        records = calm.instance.fetch_materializations(dg.AssetKey(table), limit=20).records
        for record in records:
            assert record.asset_materialization is not None
            numbers = {name: value.value for name, value in record.asset_materialization.metadata.items()}
            removed = [count for name, count in numbers.items() if name.startswith("removed_")]
            assert numbers["rows_in"] == numbers["rows_out"] + sum(removed)
            audited.add(table)
    assert audited == set(stages)
    bags = sum(line.count(item) for line in week_lines(AS_OF) for item in (BAG, SPARE))
    record = calm.instance.fetch_materializations(dg.AssetKey("staged_baskets"), limit=1).records[0]
    assert record.asset_materialization is not None
    assert record.asset_materialization.metadata["removed_non_merchandise"].value == bags > 0


def test_every_asset_follows_the_shops_settings(calm: Platform) -> None:
    """Whatever settings.yaml says of an asset is seen in what it made, with a run that was launched with nothing."""
    items = {line["item"] for row in calm.rows("staged_baskets", AS_OF) for line in row["items"]}
    models = {name: registry.decisions(calm.lake, name)[0].artifact for name in ("mission_model", "rnn_model")}
    made = {name: json.loads(Path(calm.lake.uri(folder, "config.json")).read_text()) for name, folder in models.items()}
    shown = [row for row in calm.rows("mission_profiles", AS_OF) if row["section"] == "item"]

    assert not items & {BAG, SPARE}
    assert {len(row["baskets"]) for row in calm.rows("customer_sequences", AS_OF)} == {13}
    assert SETTINGS["mission_model"].items() <= made["mission_model"]["settings"].items()
    assert SETTINGS["rnn_model"].items() <= made["rnn_model"]["training"].items()
    assert max(Counter(row["mission"] for row in shown).values()) == 2


def test_every_asset_has_numbers_to_plot_over_weeks(calm: Platform) -> None:
    """Five numbers or more beside each asset's rows, the week's row count among them where it is a table."""
    for name in (*TABLES, "mission_model", "rnn_model"):
        [record] = calm.instance.fetch_materializations(
            dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[AS_OF.isoformat()]), limit=1
        ).records
        assert record.asset_materialization is not None
        metadata = record.asset_materialization.metadata
        numbers = {key for key, value in metadata.items() if isinstance(value.value, int | float)}
        assert len(numbers) >= 5, f"{name} plots only {sorted(numbers)}"
        assert name not in TABLES or "dagster/partition_row_count" in numbers
        assert name not in TABLES.keys() - {*LANDING_TABLES} or "dagster/column_lineage" in metadata


def test_every_run_says_its_week_and_its_model(calm: Platform) -> None:
    """Runs can be filtered by branch, week and model version, whoever launched them."""
    champion = registry.promoted(calm.lake, "rnn_model", AS_OF)
    runs = calm.instance.get_runs(
        dg.RunsFilter(tags={"nextbasket/branch": "train_and_score_week", "nextbasket/week": week_code(AS_OF)})
    )

    assert [run.tags["nextbasket/model_version"] for run in runs] == [champion.version if champion else "top-frequency"]
    assert [run.tags["nextbasket/week"] for run in calm.instance.get_runs()] == ["200614", "200607-200613"]


def test_nothing_made_for_a_week_knows_a_later_one(calm: Platform, make: Callable[[str], Platform]) -> None:
    """No leak: with other weeks after W already in the lake, every table and model of W is bit-identical."""
    other = make("other-future")
    play(other, [week for week in WEEKS if week <= LAST], later_seed=7)

    for table in TABLES:
        assert calm.rows(table, AS_OF) == other.rows(table, AS_OF), table
    for name in ("mission_model", "rnn_model"):
        ours, theirs = (registry.promoted(platform.lake, name, AS_OF) for platform in (calm, other))
        assert (ours and ours.version) == (theirs and theirs.version), name


@pytest.fixture(scope="module")
def one_by_one(make: Callable[[str], Platform]) -> Platform:
    """Two weeks, each in a run of its own."""
    platform = make("one-by-one")
    for week in WEEKS[:2]:
        platform.deliver(week, week_lines(week))
        assert platform.run("backfill_weeks", week).success
    return platform


def test_a_correction_replaces_its_week_and_no_other(one_by_one: Platform, make: Callable[[str], Platform]) -> None:
    """A corrected file: its week equals the correction exactly, with nothing stale; the week before keeps its rows."""
    platform = make("corrected")
    shutil.copytree(one_by_one.root, platform.root, dirs_exist_ok=True)
    before = platform.rows("staged_baskets", WEEKS[0])
    platform.deliver(WEEKS[1], [text for text in week_lines(WEEKS[1]) if "CUST0000000007" not in text])
    assert platform.run("backfill_weeks", WEEKS[1]).success

    assert platform.rows("staged_baskets", WEEKS[0]) == before
    customers = {row["customer"] for row in platform.rows("staged_baskets", WEEKS[1])}
    assert "CUST0000000007" not in customers
    assert len(customers) == CUSTOMERS - 1


@pytest.fixture(scope="module")
def landed(make: Callable[[str], Platform]) -> Platform:
    """One good week in the lake, which no test of bad files changes."""
    platform = make("bad")
    platform.deliver(WEEKS[0], week_lines(WEEKS[0]))
    assert platform.run("backfill_weeks", WEEKS[0]).success
    return platform


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace("SPEND", "SPENT"), "column SPEND is missing; the nearest name found is 'SPENT'"),
        (lambda text: text[:-1], "last line has no newline"),
        (lambda text: text.replace(",1.5,", ",NaN,"), "lines rejected, more than 1%"),
        (lambda text: text.split("\n")[0] + "\n", "0 rows, only a header"),
    ],
    ids=["renamed column", "cut file", "not a number", "header only"],
)
def test_a_bad_file_leaves_the_last_good_version(landed: Platform, spoil: Callable[[str], str], message: str) -> None:
    """A file that must not enter fails with what, why and what to do; the week in the lake is untouched."""
    before = {table: landed.lake.files(table, [WEEKS[0]]) for table in TABLES}
    good = "\n".join([header(), *week_lines(WEEKS[0]), ""])
    path = landed.root / "landing" / f"transactions_{week_code(WEEKS[0])}.csv.gz"
    path.write_bytes(gzip.compress(spoil(good).encode()))
    result = landed.run("backfill_weeks", WEEKS[0])

    assert not result.success
    assert message in failure(result)
    assert {table: landed.lake.files(table, [WEEKS[0]]) for table in TABLES} == before
    assert (
        len(list((landed.root / "lake" / "raw_transactions").glob("*-*"))) == 1
    )  # nothing of the failed run lies about


def test_weeks_are_the_same_alone_and_in_a_range(calm: Platform, one_by_one: Platform) -> None:
    """A backfill of many weeks makes the same tables as one run per week."""
    for table in ("raw_transactions", "staged_baskets", "mission_tagged_baskets", "customer_sequences"):
        for week in WEEKS[:2]:
            assert one_by_one.rows(table, week) == calm.rows(table, week), (table, week)


def test_another_engine_reads_the_tables(calm: Platform) -> None:
    """The tables are open: Polars reads the same rows from Delta as the lake does."""
    polars = pytest.importorskip("polars")
    frame = polars.read_delta(calm.lake.uri("next_basket_scores")).filter(polars.col("week") == AS_OF)

    assert isinstance(calm.lake.read("next_basket_scores", [AS_OF]), pa.Table)
    assert frame.height == CUSTOMERS * 12
