"""What larger shops would take: the tables of docs/scale.md, from the figures that were measured here.

    python benchmarks/scale.py [benchmarks/figures.json]

CPU seconds per unit of work as measured in rows 1, 4, 5 and 6 (locally, the compiler of the JVM included), times the units.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextbasket_assets.resources.emr.settings import EmrSettings

FIGURES = Path(__file__).with_name("figures.json")
CORES_OF_A_NODE = 4
USD_PER_NODE_HOUR = float(EmrSettings.model_fields["usd_per_node_hour"].default)
BUSY = 0.6  # share of a cluster's core seconds that do work; the rest is skew, shuffles that wait, and the last task


@dataclass(frozen=True)
class Shop:
    """A retailer's size."""

    name: str
    customers: float
    lines: float
    baskets: float
    nodes: int


SHOPS = (
    Shop("full LGSR", 500e3, 300e6, 47e6, 4),
    Shop("100 M customers", 100e6, 60e9, 9.4e9, 200),
)


@dataclass(frozen=True)
class Stage:
    """A stage: the row and figure that measured it, what its work is counted in, and how much of that the figure did."""

    name: str
    row: str
    figure: str
    unit: str
    done: str


STAGES = (
    Stage("files to baskets", "1", "Spark stages, staging", "lines", "lines"),
    Stage("tagging", "4", "tagging, ours", "baskets", "baskets"),
    Stage("sequences", "1", "Spark stages, sequences", "baskets", "baskets"),
    Stage("training, an epoch", "5", "lgsr_dev, ours, an epoch", "baskets", "prefixes"),
    Stage("scoring", "6", "ours, lgsr_dev", "customers", "customers"),
)


def costs(found: dict[str, Any]) -> dict[str, tuple[str, float]]:
    """Stage -> what its work is counted in, and CPU seconds for one of it; of the stages whose rows were measured."""
    measured = {}
    for stage in STAGES:
        for figure in found.get(stage.row, {}).get("figures", ()):
            if figure["name"] == stage.figure:
                measured[stage.name] = (stage.unit, figure["cpu_seconds"] / figure["more"][stage.done])
    return measured


def table(shop: Shop, found: dict[str, Any]) -> str:
    """Core hours, hours on the shop's cluster and dollars of every stage over the whole history."""
    lines = [
        f"{shop.name}: {shop.customers:,.0f} customers, {shop.lines:,.0f} lines, {shop.baskets:,.0f} baskets; "
        f"{shop.nodes} nodes of {CORES_OF_A_NODE} cores",
        "",
        "| stage | work | CPU microseconds each | core hours | hours | USD |",
        "|---|---|---|---|---|---|",
    ]
    for stage, (unit, seconds) in costs(found).items():
        work = getattr(shop, unit)
        core_hours = work * seconds / 3600
        hours = core_hours / (shop.nodes * CORES_OF_A_NODE * BUSY)
        usd = hours * shop.nodes * USD_PER_NODE_HOUR
        lines.append(
            f"| {stage} | {work:,.0f} {unit} | {seconds * 1e6:,.0f} | {core_hours:,.1f} | {hours:,.2f} | {usd:,.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    found = json.loads((Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES).read_text())
    print("\n\n".join(table(shop, found) for shop in SHOPS))


if __name__ == "__main__":
    main()
