"""The calibration targets, measured with polars on written files. Works on any folder of dialect B files."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

BAG = "PRD0903678"
ORDINALS = ((2, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 200), (201, 10_000))
_REPLAY_LINES = 4


def read_lines(folder: Path) -> pl.DataFrame:
    """All lines of a folder's weekly files, everything but numbers as strings."""
    numbers = {"SHOP_WEEK", "SHOP_DATE", "SHOP_WEEKDAY", "SHOP_HOUR", "QUANTITY", "SPEND"}
    columns = [
        "SHOP_WEEK", "SHOP_DATE", "SHOP_WEEKDAY", "SHOP_HOUR", "QUANTITY", "SPEND", "PROD_CODE", "PROD_CODE_30",
        "PROD_CODE_40", "CUST_CODE", "BASKET_ID", "BASKET_SIZE", "BASKET_PRICE_SENSITIVITY", "BASKET_TYPE",
        "BASKET_DOMINANT_MISSION", "STORE_CODE",
    ]  # fmt: skip
    categories = {name: pl.Categorical for name in columns if name not in numbers and name != "BASKET_ID"}
    kinds = {name: pl.Float64 if name == "SPEND" else pl.Int32 for name in numbers}
    parts = [
        pl.read_csv(
            path, columns=columns, schema_overrides={**categories, **kinds, "BASKET_ID": pl.Int64}, null_values=[""]
        )
        for path in sorted(folder.glob("transactions_??????.csv*"))
    ]
    lines = pl.concat(parts)
    day = pl.col("SHOP_DATE").cast(pl.String).str.to_date("%Y%m%d") - date(2006, 4, 10)
    return lines.with_columns(day.dt.total_days().cast(pl.Int32).alias("day"), pl.col("CUST_CODE").cast(pl.String))


def baskets_of(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per basket."""
    first = ["CUST_CODE", "day", "SHOP_HOUR", "SHOP_WEEK", "SHOP_WEEKDAY", "BASKET_SIZE", "BASKET_PRICE_SENSITIVITY",
             "BASKET_TYPE", "BASKET_DOMINANT_MISSION", "STORE_CODE"]  # fmt: skip
    return lines.group_by("BASKET_ID").agg(
        pl.col(first).first(),
        pl.len().alias("lines"),
        pl.col("QUANTITY").sum().alias("units"),
        pl.col("SPEND").sum().alias("spend"),
        pl.col("PROD_CODE").cast(pl.String).sort().str.join(" ").alias("products"),
    )


def basket_measures(baskets: pl.DataFrame) -> dict[str, float]:
    """Size, spend and labels of baskets; shares in percent."""
    lines = baskets["lines"]
    measured = {
        "lines mean": float(lines.mean()),
        "lines median": float(lines.median()),
        "lines p90": float(lines.quantile(0.9)),
        "one line %": 100 * float((lines == 1).mean()),
        "units mean": float(baskets["units"].mean()),
        "spend mean": float(baskets["spend"].mean()),
        "spend median": float(baskets["spend"].median()),
        "anonymous %": 100 * float(baskets["CUST_CODE"].is_null().mean()),
    }
    for column in ("BASKET_TYPE", "BASKET_DOMINANT_MISSION", "BASKET_SIZE", "BASKET_PRICE_SENSITIVITY"):
        for value, share in _percent(baskets, column).items():
            measured[f"{column.removeprefix('BASKET_').lower()} {value} %"] = share
    days = _percent(baskets, "SHOP_WEEKDAY").values()
    measured["weekday max-min pt"] = max(days) - min(days)
    return measured


def _percent(frame: pl.DataFrame, column: str) -> dict[str, float]:
    counts = frame.select(pl.col(column).cast(pl.String).alias("value")).to_series().value_counts()
    return {row[0]: 100 * row[1] / frame.height for row in counts.sort("value").iter_rows()}


def christmas_measures(baskets: pl.DataFrame) -> dict[str, float]:
    """Baskets of the two weeks around Christmas against those of the median week; nothing where no week is one."""
    weekly = baskets.group_by("SHOP_WEEK").len()
    trade = weekly.with_columns(pl.col("len") / pl.col("len").median(), of_year=pl.col("SHOP_WEEK") % 100)
    found = trade.filter(pl.col("of_year").is_in([44, 45])).group_by("of_year").agg(pl.col("len").mean())
    return {f"week {week} of an ordinary one": share for week, share in found.iter_rows()}


def product_measures(lines: pl.DataFrame) -> dict[str, float]:
    """Shares of lines by division and by popularity, in percent."""
    measured = {f"lines {value} %": share for value, share in _percent(lines, "PROD_CODE_40").items()}
    counts = lines["PROD_CODE"].value_counts()["count"].sort(descending=True)
    for top in (10, 100, 1000):
        measured[f"top {top} %"] = 100 * counts.head(top).sum() / lines.height
    return measured


def visit_measures(baskets: pl.DataFrame) -> dict[str, float]:
    """How often customers come, and where; `baskets` without the anonymous ones."""
    per_customer = baskets.group_by("CUST_CODE").len()["len"]
    measured = {f"baskets p{int(100 * q)}": float(per_customer.quantile(q)) for q in (0.25, 0.5, 0.75, 0.9)}
    measured["one basket %"] = 100 * float((per_customer == 1).mean())
    stores = (
        baskets.group_by("CUST_CODE", "STORE_CODE")
        .len()
        .group_by("CUST_CODE")
        .agg(pl.col("len").max().alias("top"), pl.col("len").sum().alias("all"))
    )
    measured["top store share (all)"] = float((stores["top"] / stores["all"]).mean())
    regular = stores.filter(pl.col("all") >= 10)
    measured["top store share"] = float((regular["top"] / regular["all"]).mean())
    measured["weekly customers"] = float(
        baskets.group_by("SHOP_WEEK").agg(pl.col("CUST_CODE").n_unique())["CUST_CODE"].median()
    )
    gap = (
        baskets.sort("CUST_CODE", "day", "SHOP_HOUR")
        .select(pl.col("day").diff().over("CUST_CODE").alias("gap"))["gap"]
        .drop_nulls()
    )
    for days in (0, 1, 7):
        measured[f"gap {days} %"] = 100 * float((gap == days).mean())
    measured |= _retention(baskets)
    return measured


def _retention(baskets: pl.DataFrame) -> dict[str, float]:
    active = baskets.select("CUST_CODE", (pl.col("day") // 28).alias("period")).unique()
    last = int(active["period"].max())
    kept = []
    for period in range(last - 1):
        now = active.filter(pl.col("period") == period).select("CUST_CODE")
        kept.append(
            now.join(active.filter(pl.col("period") == period + 1), on="CUST_CODE", how="semi").height / now.height
        )
    week = baskets.filter(pl.col("day") // 7 == 40).select("CUST_CODE").unique()
    after = baskets.filter((pl.col("day") // 7 > 40) & (pl.col("day") // 7 <= 44)).select("CUST_CODE").unique()
    return {
        "retention 28 days": float(np.median(kept)),
        "retention week to next 4": week.join(after, on="CUST_CODE", how="semi").height / max(week.height, 1),
    }


def repeat_measures(lines: pl.DataFrame) -> dict[str, float]:
    """How often customers buy what they bought before; `lines` without the anonymous ones."""
    order = lines.select("CUST_CODE", "BASKET_ID", "day", "SHOP_HOUR", "PROD_CODE")
    visits = (
        order.select("CUST_CODE", "BASKET_ID", "day", "SHOP_HOUR")
        .unique()
        .sort("CUST_CODE", "day", "SHOP_HOUR", "BASKET_ID")
    )
    visits = visits.with_columns(pl.int_range(1, pl.len() + 1).over("CUST_CODE").alias("ordinal"))
    order = order.join(visits.select("BASKET_ID", "ordinal"), on="BASKET_ID")
    first = pl.col("ordinal").min().over("CUST_CODE", "PROD_CODE")
    order = order.with_columns((pl.col("ordinal") > first).alias("again"))
    measured = {"repeat": float(order["again"].mean())}
    for low, high in ORDINALS:
        part = order.filter(pl.col("ordinal").is_between(low, high))["again"]
        measured[f"repeat {low}-{high}"] = float(part.mean()) if part.len() else float("nan")
    pairs = order.group_by("CUST_CODE", "PROD_CODE").len()["len"]
    measured["pairs once %"] = 100 * float((pairs == 1).mean())
    measured["pairs mean"] = float(pairs.mean())
    heavy = order.filter(pl.col("ordinal").max().over("CUST_CODE") >= 200)
    for k in (10, 25, 50, 100, 200):
        fresh = heavy.filter((pl.col("ordinal") <= k) & ~pl.col("again"))
        measured[f"distinct at {k}"] = fresh.height / max(heavy["CUST_CODE"].n_unique(), 1)
    return measured | _frequency_recall(order)


def _frequency_recall(order: pl.DataFrame) -> dict[str, float]:
    """Recall of each customer's most frequent products on their last basket (at least 10 earlier ones)."""
    last = pl.col("ordinal").max().over("CUST_CODE")
    order = order.with_columns(last.alias("last")).filter(pl.col("last") >= 10)
    target = order.filter(pl.col("ordinal") == pl.col("last")).select("CUST_CODE", "PROD_CODE").unique()
    counts = (
        order.filter(pl.col("ordinal") < pl.col("last"))
        .group_by("CUST_CODE", "PROD_CODE")
        .agg(pl.len().alias("times"), pl.col("ordinal").max().alias("latest"))
    )
    ranked = counts.sort("times", "latest", descending=True).with_columns(
        pl.int_range(1, pl.len() + 1).over("CUST_CODE").alias("rank")
    )
    found = target.join(ranked, on=["CUST_CODE", "PROD_CODE"], how="left")
    per = found.group_by("CUST_CODE").agg(
        *[(pl.col("rank").fill_null(10**6) <= k).mean().alias(f"recall@{k}") for k in (10, 20)]
    )
    return {f"recall@{k}": float(per[f"recall@{k}"].mean()) for k in (10, 20)}


def replay_shares(baskets: pl.DataFrame) -> dict[int, float]:
    """Share of a week's identified baskets of 4+ lines with the (customer, products) of an earlier basket."""
    large = baskets.filter(pl.col("CUST_CODE").is_not_null() & (pl.col("lines") >= _REPLAY_LINES))
    large = large.sort("day", "SHOP_HOUR", "BASKET_ID").with_columns(
        pl.int_range(pl.len()).over("CUST_CODE", "products", "units").alias("earlier")
    )
    weekly = large.group_by("SHOP_WEEK").agg((pl.col("earlier") > 0).mean().alias("share")).sort("SHOP_WEEK")
    return dict(weekly.iter_rows())


def measure(folder: Path) -> dict[str, float]:
    """Every target of the acceptance table."""
    lines = read_lines(folder)
    baskets = baskets_of(lines)
    known = baskets.filter(pl.col("CUST_CODE").is_not_null())
    replayed = replay_shares(baskets)
    return (
        basket_measures(baskets)
        | christmas_measures(baskets)
        | product_measures(lines)
        | visit_measures(known)
        | repeat_measures(lines.filter(pl.col("CUST_CODE").is_not_null()))
        | {"replay % of the worst week": 100 * max(replayed.values())}
    )
