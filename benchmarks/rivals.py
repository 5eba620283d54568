"""What row 1 measures Spark against: the same work in DuckDB and in Polars, with nothing of this project's but names.

The work: find the columns by name, type strictly and set broken lines apart, remove duplicates, returns and bags, make
baskets, then each customer's last 200 baskets as of the last week.
"""

import os
from pathlib import Path
from typing import Any

from benchmarks.clock import Span, peak_mb
from benchmarks.inputs import landing_files
from nextbasket_assets.landing import FIELDS, LandingFile

BAG = "PRD0903678"
MAX_BASKETS = 200
THREADS = 2
PRICE = {"AZ": "LA", "CT": "MM", "BG": "UM", "DY": "XX"}
LIFESTAGE = {"BU": "OT", "DI": "YF", "AT": "YA", "CZ": "OA", "FN": "PE", "EQ": "OF"}
PATTERNS = {
    "SHOP_DATE": r"^\d{8}$",
    "SHOP_HOUR": r"^([01]?\d|2[0-3])$",
    "QUANTITY": r"^-?\d{1,7}$",
    "SPEND": r"^-?\d{1,9}(\.\d{1,2}0*)?$",
    "PROD_CODE": r"^[!-~]{1,64}$",
    "BASKET_ID": r"^[!-~]{1,64}$",
    "STORE_CODE": r"^[!-~]{1,64}$",
    "CUST_CODE": r"^[!-~]{0,64}$",
}
DOMAINS = {
    "CUST_PRICE_SENSITIVITY": ("", *PRICE, *PRICE.values()),
    "CUST_LIFESTAGE": ("", *LIFESTAGE, *LIFESTAGE.values()),
    "BASKET_SIZE": ("", "S", "M", "L"),
    "BASKET_PRICE_SENSITIVITY": ("", "LA", "MM", "UM", "XX"),
    "BASKET_TYPE": ("", "Small Shop", "Top Up", "Full Shop", "XX"),
    "BASKET_DOMINANT_MISSION": ("", "Fresh", "Grocery", "Mixed", "Nonfood", "Non Food", "XX"),
    "STORE_FORMAT": ("", "SS", "MS", "LS", "XLS"),
}


def duckdb(folder: Path, out: Path) -> dict[str, Any]:
    """The same work as SQL."""
    import duckdb as engine

    db = engine.connect(config={"threads": THREADS, "temp_directory": str(out)})
    staging = Span()
    sound = [f"regexp_matches({field}, '{pattern}')" for field, pattern in PATTERNS.items()]
    sound += [f"{field} in {_tuple(codes)}" for field, codes in DOMAINS.items()]
    days = "date between week and week + 6 and SHOP_WEEK = week_code"
    parts = []
    for path, file in landing_files(folder):
        columns = ", ".join(f"coalesce(\"{_header_name(file, field)}\", '') as {field}" for field in FIELDS)
        parts.append(
            f"select {columns}, date '{file.week}' as week, '{file.name[13:19]}' as week_code "
            f"from read_csv('{path}', header=true, delim=',', quote='\"', all_varchar=true, strict_mode=false)"
        )
    db.execute(
        f"create temp table lines as select *, {' and '.join(sound)} and {days} as sound from (select *, "
        f"try_strptime(SHOP_DATE, '%Y%m%d')::date as date from ({' union all '.join(parts)}))"
    )
    db.execute(
        f"create temp table raw as select week, date, SHOP_HOUR::int as hour, QUANTITY::int as quantity, "
        f"SPEND::decimal(14,2) as spend, PROD_CODE as item, nullif(CUST_CODE, '') as customer, BASKET_ID as basket, "
        f"{_case('CUST_PRICE_SENSITIVITY', PRICE)} as price_sensitivity, {_case('CUST_LIFESTAGE', LIFESTAGE)} as lifestage, "
        "BASKET_SIZE, BASKET_PRICE_SENSITIVITY, BASKET_TYPE, BASKET_DOMINANT_MISSION, STORE_CODE as store, STORE_FORMAT, "
        "STORE_REGION, PROD_CODE_10, PROD_CODE_20, PROD_CODE_30, PROD_CODE_40 from lines where sound"
    )
    rejected = _one(db, "select count(*) from lines where not coalesce(sound, false)")
    db.execute("drop table lines")
    db.execute(f"copy raw to '{out}/raw' (format parquet, partition_by (week), compression zstd)")
    kept = f"quantity > 0 and spend >= 0 and item <> '{BAG}'"
    labels = "customer, date, hour, store, price_sensitivity, lifestage, BASKET_SIZE, BASKET_PRICE_SENSITIVITY, " + (
        "BASKET_TYPE, BASKET_DOMINANT_MISSION, STORE_FORMAT, STORE_REGION"
    )
    db.execute(
        f"create temp table staged as with item_lines as (select week, basket, {labels}, item, "
        f"sum(quantity) filter ({kept}) as quantity, sum(spend) filter ({kept}) as spend from (select distinct * from raw) "
        f"group by all) select week, basket, {', '.join(f'any_value({name}) as {name}' for name in labels.split(', '))}, "
        "sum(quantity) as units, sum(spend) as spend, coalesce(list({'item': item, 'quantity': quantity, 'spend': spend} "
        "order by item) filter (quantity is not null), []) as items from item_lines group by week, basket"
    )
    db.execute(f"copy staged to '{out}/staged' (format parquet, partition_by (week), compression zstd)")
    staging.stop()
    sequences = Span()
    db.execute(
        f"create temp table sequences as select customer, len(b) as baskets_seen, b[-{MAX_BASKETS}:] as baskets from "
        "(select customer, coalesce(list({'date': date, 'hour': hour, 'items': [i.item for i in items]} order by date, hour, "
        "hash(store, items)) filter (len(items) > 0), []) as b from staged where customer is not null group by customer)"
    )
    db.execute(f"copy sequences to '{out}/sequences.parquet' (format parquet, compression zstd)")
    tables = {"raw_transactions": "raw", "staged_baskets": "staged", "customer_sequences": "sequences"}
    rows = {name: _one(db, f"select count(*) from {table}") for name, table in tables.items()}
    sequences.stop()
    return _found(staging, sequences, {**rows, "rejected_lines": rejected})


def _one(db: Any, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _tuple(codes: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{code}'" for code in codes) + ")"


def _case(field: str, letters: dict[str, str]) -> str:
    whens = " ".join(f"when '{code}' then '{letter}'" for code, letter in letters.items())
    return f"case {field} {whens} else nullif({field}, '') end"


def _header_name(file: LandingFile, field: str) -> str:
    return next(name for name in FIELDS[field] if name in file.header)


def polars(folder: Path, out: Path) -> dict[str, Any]:
    """The same work as lazy frames."""
    import polars as pl

    staging = Span()
    parts = []
    for path, file in landing_files(folder):
        scanned = pl.scan_csv(path, infer_schema=False, truncate_ragged_lines=True)
        named = scanned.select(pl.col(_header_name(file, field)).fill_null("").alias(field) for field in FIELDS)
        parts.append(named.with_columns(week=pl.lit(file.week), week_code=pl.lit(file.name[13:19])))
    lines = pl.concat(parts).with_columns(date=pl.col("SHOP_DATE").str.to_date("%Y%m%d", strict=False))
    sound = pl.all_horizontal(
        *(pl.col(field).str.contains(pattern) for field, pattern in PATTERNS.items()),
        *(pl.col(field).is_in(codes) for field, codes in DOMAINS.items()),
        pl.col("SHOP_WEEK") == pl.col("week_code"),
        (pl.col("date") - pl.col("week")).dt.total_days().is_between(0, 6),
    ).fill_null(False)
    lines = lines.with_columns(sound=sound).collect()
    rejected = int((~lines["sound"]).sum())
    raw = (
        lines.lazy()
        .filter("sound")
        .select(
            *("week", "date", pl.col("SHOP_HOUR").cast(pl.Int32).alias("hour")),
            pl.col("QUANTITY").cast(pl.Int32).alias("quantity"),
            pl.col("SPEND").cast(pl.Decimal(14, 2)).alias("spend"),
            *(pl.col("PROD_CODE").alias("item"), pl.col("CUST_CODE").replace("", None).alias("customer")),
            *(pl.col("BASKET_ID").alias("basket"), pl.col("STORE_CODE").alias("store")),
            pl.col("CUST_PRICE_SENSITIVITY").replace({"": None, **PRICE}).alias("price_sensitivity"),
            pl.col("CUST_LIFESTAGE").replace({"": None, **LIFESTAGE}).alias("lifestage"),
            *(
                pl.col(field)
                for field in FIELDS
                if field.startswith(("BASKET_", "STORE_")) and field[-3:] not in ("_ID", "ODE")
            ),
            *(pl.col(f"PROD_CODE_{level}") for level in (10, 20, 30, 40)),
        )
        .collect()
    )
    del lines
    raw.write_parquet(pl.PartitionBy(f"{out}/raw", key="week"), compression="zstd")
    kept = (pl.col("quantity") > 0) & (pl.col("spend") >= 0) & (pl.col("item") != BAG)
    labels = [name for name in raw.columns if name not in ("week", "basket", "item", "quantity", "spend")]
    labels = [name for name in labels if not name.startswith("PROD_CODE_")]
    staged = (
        raw.lazy()
        .unique()
        .group_by("week", "basket", *labels, "item")
        .agg(pl.col("quantity", "spend").filter(kept).sum(), kept.any().alias("kept"))
        .group_by("week", "basket")
        .agg(
            pl.col(labels).first(),
            pl.col("quantity").sum().alias("units"),
            pl.col("spend").sum(),
            pl.struct("item", "quantity", pl.col("spend").alias("paid")).filter("kept").sort().alias("items"),
        )
        .collect()
    )
    staged.write_parquet(pl.PartitionBy(f"{out}/staged", key="week"), compression="zstd")
    staging.stop()
    sequences = Span()
    full = pl.col("items").list.len() > 0
    customers = (
        staged.lazy()
        .filter(pl.col("customer").is_not_null())
        .with_columns(items=pl.col("items").list.eval(pl.element().struct.field("item")), tie=pl.col("items").hash())
        .sort("customer", "date", "hour", "tie")
        .group_by("customer")
        .agg(
            full.sum().alias("baskets_seen"),
            pl.struct("date", "hour", "items").filter(full).tail(MAX_BASKETS).alias("baskets"),
        )
        .collect()
    )
    customers.write_parquet(out / "sequences.parquet", compression="zstd")
    rows = {"raw_transactions": raw.height, "staged_baskets": staged.height, "customer_sequences": customers.height}
    sequences.stop()
    return _found(staging, sequences, {**rows, "rejected_lines": rejected})


def _found(staging: Span, sequences: Span, rows: dict[str, int]) -> dict[str, Any]:
    peak = peak_mb(os.getpid())
    return {"staging": staging.taken(), "sequences": sequences.taken(), "rows": rows, "peak_mb": peak}
