"""A lake that was written by hand: three customers, one scored week, no model; and a run of the command line on it."""

from datetime import date
from pathlib import Path

import pyarrow as pa

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, arrow_schema
from nextbasket_tests.exports import small

CODES = ("ANN", "BOB", "CAT")


def history(customer: str, baskets: int) -> dict[str, object]:
    return {
        "customer": customer,
        "baskets_seen": baskets,
        "mission_model": None,
        "baskets": [
            {"date": date(2006, 4, 10 + day), "hour": 9, "items": ["a", "b"], "mission_weights": []}
            for day in range(baskets)
        ],
    }


def sequences() -> pa.Table:
    columns = tuple(column for column in TABLES["customer_sequences"] if column.name != WEEK)
    return pa.Table.from_pylist([history(code, 1 + i) for i, code in enumerate(CODES)], arrow_schema(columns))


def write(root: Path) -> Lake:
    """The lake, and a landing folder with a name for the item `a`."""
    lake = Lake(str(root / "lake"))
    rows = {
        "customer_sequences": sequences(),
        "next_basket_scores": small.scores(),
        "next_trip_outlook": small.outlook(),
    }
    for table, content in rows.items():
        with stage(lake, table, "run") as folder:
            write_staged(lake, table, folder, small.MONDAY, content)
            publish(lake, table, folder, [small.MONDAY], Provenance("run", "code", {}))
    (root / "landing").mkdir()
    (root / "landing" / "products.csv").write_text("PROD_CODE,PROD_NAME\na,apples\n")
    return lake
