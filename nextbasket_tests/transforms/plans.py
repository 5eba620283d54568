"""Running stages on files that a test wrote: landing text in, rows and report out."""

import gzip
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from nextbasket_assets.landing import FIELDS, week_code
from nextbasket_assets.transforms.stages import run
from nextbasket_assets.transforms.tables import read, schema, write

WEEK = date(2006, 4, 10)  # 200607
DIALECTS = {
    "A": {},
    "B": {"CUST_PRICE_SENSITIVITY": "seg_1", "CUST_LIFESTAGE": "seg_2"},
    "C": {
        "CUST_PRICE_SENSITIVITY": "seg_1",
        "CUST_LIFESTAGE": "seg_2",
        "SPEND": "SFNND",
        "BASKET_TYPE": "BASKET_TYFN",
    },
}
SOUND = {
    "SHOP_WEEK": "200607",
    "SHOP_DATE": "20060415",
    "SHOP_WEEKDAY": "7",
    "SHOP_HOUR": "19",
    "QUANTITY": "1",
    "SPEND": "0.93",
    "PROD_CODE": "PRD0900001",
    "PROD_CODE_10": "CL00001",
    "PROD_CODE_20": "DEP00001",
    "PROD_CODE_30": "G00001",
    "PROD_CODE_40": "D00001",
    "CUST_CODE": "CUST0000000001",
    "CUST_PRICE_SENSITIVITY": "UM",
    "CUST_LIFESTAGE": "OT",
    "BASKET_ID": "994100100000001",
    "BASKET_SIZE": "L",
    "BASKET_PRICE_SENSITIVITY": "MM",
    "BASKET_TYPE": "Full Shop",
    "BASKET_DOMINANT_MISSION": "Mixed",
    "STORE_CODE": "STORE00001",
    "STORE_FORMAT": "LS",
    "STORE_REGION": "E02",
}


def line(**fields: str) -> str:
    """A sound line of dialect A but for these fields."""
    return ",".join({**SOUND, **fields}.values())


def header(dialect: str = "A") -> list[str]:
    """The header's names in one of the three dialects."""
    return [DIALECTS[dialect].get(name, name) for name in FIELDS]


def ingest(
    spark: SparkSession,
    folder: Path,
    lines: list[str],
    *,
    names: list[str] | None = None,
    week: date = WEEK,
    end: str = "\n",
    packed: bool = False,
    **parameters: Any,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Rows of raw_transactions and of rejected_lines, and the report, of one landing file with these lines."""
    columns = names or header()
    name = f"transactions_{week_code(week)}.csv" + (".gz" if packed else "")
    text = end.join([",".join(columns), *lines, ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(gzip.compress(text) if packed else text)
    found = {"header": columns, "lines": text.count(b"\n") - 1, "bytes": (folder / name).stat().st_size}
    file = {"uri": str(folder / name), "name": name, "week": week.isoformat(), **found}
    tables = ("raw_transactions", "rejected_lines")
    report = stage(spark, folder, "raw_transactions", {}, tables, weeks=[week.isoformat()], files=[file], **parameters)
    accepted, rejected = (rows(spark, folder, table) for table in tables)
    return accepted, rejected, report


def stage(
    spark: SparkSession,
    folder: Path,
    name: str,
    inputs: dict[str, list[str]],
    outputs: tuple[str, ...],
    **parameters: Any,
) -> dict[str, Any]:
    """Report of a stage that writes each output to the folder of that name."""
    plan = {
        "stage": name,
        "inputs": inputs,
        "outputs": {output: str(folder / output) for output in outputs},
        "parameters": parameters,
    }
    return run(spark, plan)


def uris(folder: Path, table: str) -> list[str]:
    """Files of a table below the folder."""
    return sorted(str(path) for path in (folder / table).glob("week=*/*.parquet"))


def rows(spark: SparkSession, folder: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a table below the folder, by the table's own order of columns."""
    return [row.asDict(recursive=True) for row in read(spark, table, uris(folder, table)).collect()]


def keep(spark: SparkSession, folder: Path, table: str, rows_: list[dict[str, Any]]) -> list[str]:
    """Write hand-made rows as a table; its files."""
    columns = schema(table)
    values = [tuple(row[name] for name in columns.names) for row in rows_]
    write(spark.createDataFrame(values, columns).coalesce(1), table, str(folder / table))
    return uris(folder, table)


def broken(report: dict[str, Any]) -> list[str]:
    """Claims that do not hold, over all tables and weeks of a report."""
    return [
        claim
        for weeks in report["tables"].values()
        for week in weeks.values()
        for claim, offenders in week["violations"].items()
        if offenders
    ]
