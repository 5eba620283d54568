"""The platform's promises, end to end: landing files in, scores out, through Dagster, Spark and torch.

The shop is written by hand: every customer buys one item that nobody else buys, so that a mixed-up row shows.
"""

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from nextbasket_assets.columns import TABLES
from nextbasket_assets.definitions import build_definitions, settings
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import FIELDS, monday, week_code

FIRST = monday("200607")
WEEKS = [FIRST + timedelta(weeks=number) for number in range(16)]
AS_OF = WEEKS[12]
CUSTOMERS = 60
BAG = "PRD0903678"


def line(week: date, customer: int, visit: int, item: str, quantity: int = 1) -> str:
    day = week + timedelta(days=(customer * 3 + visit * 2) % 7)
    fields = {
        "SHOP_WEEK": week_code(week),
        "SHOP_DATE": day.strftime("%Y%m%d"),
        "SHOP_WEEKDAY": str(day.isoweekday() % 7 + 1),
        "SHOP_HOUR": str(9 + customer % 8),
        "QUANTITY": str(quantity),
        "SPEND": f"{quantity * 1.5:g}",
        "PROD_CODE": item,
        "PROD_CODE_10": "CL00001",
        "PROD_CODE_20": "DEP00001",
        "PROD_CODE_30": "G00001",
        "PROD_CODE_40": "D00001",
        "CUST_CODE": f"CUST{customer:010d}",
        "seg_1": "CT",
        "seg_2": '""',
        # The trap: ids within a week follow the customer, not the day.
        "BASKET_ID": f"9941{(week - FIRST).days // 7 + 1:03d}{customer:06d}{9 - visit:02d}",
        "BASKET_SIZE": "M",
        "BASKET_PRICE_SENSITIVITY": "MM",
        "BASKET_TYPE": "Small Shop",
        "BASKET_DOMINANT_MISSION": "Fresh",
        "STORE_CODE": f"STORE{customer % 5:05d}",
        "STORE_FORMAT": "LS",
        "STORE_REGION": "E01",
    }
    return ",".join(fields.values())


def week_lines(week: date, seed: int = 0) -> list[str]:
    """Two visits of every customer: their own item, two of their mission's ten, and a carrier bag now and then."""
    draw = random.Random(f"{week}{seed}")
    lines = []
    for customer in range(CUSTOMERS):
        for visit in range(2):
            items = {f"PRD07{customer:05d}", *(f"PRD08{customer % 3}{draw.randrange(10):04d}" for _ in range(2))}
            items |= {BAG} if draw.random() < 0.2 else set()
            lines += [line(week, customer, visit, item) for item in sorted(items)]
    return lines


def header() -> str:
    names = {"CUST_PRICE_SENSITIVITY": "seg_1", "CUST_LIFESTAGE": "seg_2"}
    return ",".join(names.get(field, field) for field in FIELDS)


@dataclass
class Platform:
    """A landing folder, a lake, and jobs that run in this process."""

    root: Path
    instance: dg.DagsterInstance

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root / "lake"))

    def deliver(self, week: date, lines: list[str]) -> None:
        folder = self.root / "landing"
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join([header(), *lines, ""])
        (folder / f"transactions_{week_code(week)}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))

    def run(self, job: str, first: date, last: date | None = None) -> dg.ExecuteInProcessResult:
        places = {"NEXTBASKET_LANDING": str(self.root / "landing"), "NEXTBASKET_LAKE": str(self.root / "lake")}
        definitions = build_definitions(settings(places))
        arguments: dict[str, Any] = {"partition_key": first.isoformat()}
        if last:
            ends = {"start": first.isoformat(), "end": last.isoformat()}
            arguments = {"tags": {f"dagster/asset_partition_range_{end}": key for end, key in ends.items()}}
        config = small_models() if job == "train_and_score_week" else {}
        run_config = {"ops": config, "loggers": {"console": {"config": {"log_level": "ERROR"}}}}
        return definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, run_config=run_config, raise_on_error=False, **arguments
        )

    def rows(self, table: str, week: date) -> list[dict[str, Any]]:
        return sorted(self.lake.read(table, [week]).to_pylist(), key=str)


def small_models() -> dict[str, Any]:
    """Settings of a model that fits this shop in seconds."""
    return {
        "mission_model": {"config": {"k": 3, "restarts": 3, "sweeps": 30, "min_item_baskets": 5}},
        "rnn_model": {"config": {"epochs": 4, "held_out_weeks": 3, "hidden": 16, "embedding": 16}},
    }


def play(platform: Platform, weeks: list[date], later_seed: int | None) -> None:
    """Backfill, train as of AS_OF, score the week after it. Weeks after AS_OF are other ones with another seed."""
    for week in weeks:
        platform.deliver(week, week_lines(week, later_seed if later_seed and week > AS_OF else 0))
    assert platform.run("backfill_weeks", weeks[0], AS_OF - timedelta(weeks=1)).success
    if later_seed is None:
        assert platform.run("train_and_score_week", AS_OF).success
        return
    # The future is in the lake before the models are made: it must not matter.
    assert platform.run("backfill_weeks", AS_OF, weeks[-1]).success
    assert platform.run("train_and_score_week", AS_OF).success


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Platform]:
    def platform(name: str) -> Platform:
        return Platform(tmp_path_factory.mktemp(name), dg.DagsterInstance.ephemeral())

    return platform


@pytest.fixture(scope="module")
def calm(make: Callable[[str], Platform]) -> Platform:
    """Weeks up to AS_OF, and nothing after it."""
    platform = make("calm")
    play(platform, WEEKS[:13], None)
    return platform


def test_every_asset_has_its_week(calm: Platform) -> None:
    """After the main job every table holds the week, and every table's rows follow its columns."""
    for table, columns in TABLES.items():
        rows = calm.lake.read(table, [AS_OF])
        assert rows.schema.names == [column.name for column in columns]
        assert rows.num_rows > 0 or table == "rejected_lines", table


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
    """Twenty ranks for every known customer, each item once, probabilities falling."""
    by_customer: dict[str, list[dict[str, Any]]] = {}
    for row in calm.rows("next_basket_scores", AS_OF):
        by_customer.setdefault(row["customer"], []).append(row)

    assert len(by_customer) == CUSTOMERS
    for rows in by_customer.values():
        ranked = sorted(rows, key=lambda row: row["rank"])
        assert [row["rank"] for row in ranked] == list(range(1, 21))
        assert len({row["item"] for row in ranked}) == 20
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
    bags = sum(line.count(BAG) for line in week_lines(AS_OF))
    record = calm.instance.fetch_materializations(dg.AssetKey("staged_baskets"), limit=1).records[0]
    assert record.asset_materialization is not None
    assert record.asset_materialization.metadata["removed_non_merchandise"].value == bags > 0


def test_nothing_made_for_a_week_knows_a_later_one(calm: Platform, make: Callable[[str], Platform]) -> None:
    """No leak: with other weeks after W already in the lake, every table and model of W is bit-identical."""
    other = make("other-future")
    play(other, WEEKS, later_seed=7)

    for table in TABLES:
        assert calm.rows(table, AS_OF) == other.rows(table, AS_OF), table
    for name in ("mission_model", "rnn_model"):
        ours, theirs = (registry.promoted(platform.lake, name, AS_OF) for platform in (calm, other))
        assert (ours and ours.version) == (theirs and theirs.version), name


def test_a_correction_replaces_its_week_and_no_other(calm: Platform, make: Callable[[str], Platform]) -> None:
    """A corrected file: its week equals the correction exactly, with nothing stale; the week before keeps its rows."""
    platform = make("corrected")
    for week in WEEKS[:2]:
        platform.deliver(week, week_lines(week))
    assert platform.run("backfill_weeks", WEEKS[0], WEEKS[1]).success
    before = platform.rows("staged_baskets", WEEKS[0])
    platform.deliver(WEEKS[1], [text for text in week_lines(WEEKS[1]) if "CUST0000000007" not in text])
    assert platform.run("score_week", WEEKS[1]).success

    assert platform.rows("staged_baskets", WEEKS[0]) == before
    customers = {row["customer"] for row in platform.rows("staged_baskets", WEEKS[1])}
    assert "CUST0000000007" not in customers
    assert len(customers) == CUSTOMERS - 1


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
def test_a_bad_file_leaves_the_last_good_version(
    make: Callable[[str], Platform], spoil: Callable[[str], str], message: str
) -> None:
    """A file that must not enter fails with what, why and what to do; the week in the lake is untouched."""
    platform = make("bad")
    platform.deliver(WEEKS[0], week_lines(WEEKS[0]))
    assert platform.run("backfill_weeks", WEEKS[0]).success
    before = {table: platform.lake.files(table, [WEEKS[0]]) for table in TABLES}
    path = platform.root / "landing" / f"transactions_{week_code(WEEKS[0])}.csv.gz"
    path.write_bytes(gzip.compress(spoil(gzip.decompress(path.read_bytes()).decode()).encode()))
    result = platform.run("backfill_weeks", WEEKS[0])

    assert not result.success
    assert message in str([event.event_specific_data for event in result.all_events if event.is_step_failure])
    assert {table: platform.lake.files(table, [WEEKS[0]]) for table in TABLES} == before
    assert (
        len(list((platform.root / "lake" / "raw_transactions").glob("*-*"))) == 1
    )  # nothing of the failed run lies about


def test_weeks_are_the_same_alone_and_in_a_range(calm: Platform, make: Callable[[str], Platform]) -> None:
    """A backfill of many weeks makes the same tables as one run per week."""
    platform = make("one-by-one")
    for week in WEEKS[:3]:
        platform.deliver(week, week_lines(week))
        assert platform.run("backfill_weeks", week).success

    for table in ("raw_transactions", "staged_baskets", "mission_tagged_baskets", "customer_sequences"):
        for week in WEEKS[:3]:
            assert platform.rows(table, week) == calm.rows(table, week), (table, week)


def test_another_engine_reads_the_tables(calm: Platform) -> None:
    """The tables are open: Polars reads the same rows from Delta as the lake does."""
    polars = pytest.importorskip("polars")
    frame = polars.read_delta(calm.lake.uri("next_basket_scores")).filter(polars.col("week") == AS_OF)

    assert isinstance(calm.lake.read("next_basket_scores", [AS_OF]), pa.Table)
    assert frame.height == CUSTOMERS * 20
