"""A platform in a folder: weekly files by hand, jobs in this process, tables to look at.

The shop is written by hand: every customer buys one item that nobody else buys, so that a mixed-up row shows.
"""

import gzip
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import FIELDS, monday, week_code
from nextbasket_assets.settings.reading import settings

FIRST = monday("200607")
WEEKS = [FIRST + timedelta(weeks=number) for number in range(16)]
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


def week_lines(week: date, seed: int = 0, customers: int = CUSTOMERS) -> list[str]:
    """Two visits of every customer: their own item, two of their mission's ten, and a carrier bag now and then."""
    draw = random.Random(f"{week}{seed}")
    lines = []
    for customer in range(customers):
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
    resources: dict[str, Any] = field(default_factory=dict)  # that replace the ones of the definitions
    environment: dict[str, str] = field(default_factory=dict)  # beside the two places

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root / "lake"))

    def deliver(self, week: date, lines: list[str]) -> None:
        folder = self.root / "landing"
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join([header(), *lines, ""])
        (folder / f"transactions_{week_code(week)}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))

    def run(
        self,
        job: str,
        first: date,
        last: date | None = None,
        tags: dict[str, str] | None = None,
        config: dict[str, Any] | None = None,
        selection: list[str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        arguments: dict[str, Any] = {"partition_key": first.isoformat(), "tags": tags or {}}
        if last:
            ends = {"start": first.isoformat(), "end": last.isoformat()}
            ranged = {f"dagster/asset_partition_range_{end}": key for end, key in ends.items()}
            arguments = {"tags": {**(tags or {}), **ranged}}
        ops = config if config is not None else small_models() if job == "train_and_score_week" else {}
        run_config = {"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return (
            self.definitions()
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance,
                run_config=run_config,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(name) for name in selection] if selection else None,
                **arguments,
            )
        )

    def definitions(self) -> dg.Definitions:
        places = {"NEXTBASKET_LANDING": str(self.root / "landing"), "NEXTBASKET_LAKE": str(self.root / "lake")}
        return build_definitions(settings(places | self.environment), **self.resources)

    def rows(self, table: str, week: date) -> list[dict[str, Any]]:
        return sorted(self.lake.read(table, [week]).to_pylist(), key=str)


def small_models() -> dict[str, Any]:
    """Settings of a model that fits this shop in seconds."""
    return {
        "mission_model": {"config": {"k": 3, "restarts": 3, "sweeps": 30, "min_item_baskets": 5}},
        "rnn_model": {"config": {"epochs": 4, "held_out_weeks": 3, "hidden": 16, "embedding": 16, "trip_steps": 200}},
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    """All that the failed steps of a run say, tracebacks included."""
    return str([event.event_specific_data for event in result.all_events if event.is_step_failure])
