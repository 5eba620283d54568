"""The lake's answers as tables for a terminal."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rich.markup import escape
from rich.table import Table

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code

_METRICS = (("recall", 10), ("recall", 20), ("ndcg", 10), ("ndcg", 20), ("phr", 10), ("precision", 10))


def missions_table(lake: Lake, week: date, catalogue: Catalogue, items: int = 5) -> Table:
    """The missions of the model as of `week`: share of the tagged history, and the most over-represented items."""
    topics = lake.read("mission_topics", [week]).to_pylist()
    tagged = lake.read("mission_history", [week])["mission"].value_counts().to_pylist()
    baskets = {row["values"]: row["counts"] for row in tagged}
    names = {row["mission"]: row["name"] for row in lake.read("mission_identities", [week]).to_pylist()}
    table = Table(title=f"Missions as of week {week_code(week)}", title_justify="left")
    table.add_column("mission")
    table.add_column("name")
    table.add_column("baskets", justify="right")
    table.add_column(f"items by lift, of the {10 * items} most probable")
    by_mission: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for topic in topics:
        by_mission[topic["mission"]].append(topic)
    for mission, rows in sorted(by_mission.items()):
        common = [row for row in rows if row["rank"] <= 10 * items]
        best = sorted(common, key=lambda row: (-row["lift"], row["item"]))[:items]
        share = baskets.get(mission, 0) / max(sum(baskets.values()), 1)
        table.add_row(
            mission,
            escape(names.get(mission, "")),
            f"{share:.1%}",
            ", ".join(escape(catalogue.name(row["item"])) for row in best),
        )
    return table


def customer_table(scores: Iterable[Mapping[str, Any]], customer: str, week: date, catalogue: Catalogue) -> Table:
    """One customer's next basket: items in order of probability, each with its reason."""
    table = Table(title=f"Next basket of {escape(customer)} after week {week_code(week)}", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("item")
    table.add_column("probability", justify="right")
    table.add_column("why")
    for row in sorted(scores, key=lambda row: row["rank"]):
        name, reason = escape(catalogue.name(row["item"])), escape(row["reason"])
        table.add_row(str(row["rank"]), name, f"{row['probability']:.1%}", reason)
    return table


def evaluation_table(rows: Iterable[Mapping[str, Any]], title: str) -> Table:
    """Methods against metrics, best recall@10 first."""
    values: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    customers = 0
    for row in rows:
        values[row["method"]][(row["metric"], row["k"])] = row["value"]
        customers = max(customers, row["customers"])
    table = Table(title=f"{title} ({customers:,} customers)", title_justify="left")
    table.add_column("method")
    for metric, k in _METRICS:
        table.add_column(f"{metric}@{k}", justify="right")
    for method in sorted(values, key=lambda name: -values[name].get(("recall", 10), 0.0)):
        cells = [values[method].get(key) for key in _METRICS]
        table.add_row(method, *("" if cell is None else f"{cell:.4f}" for cell in cells))
    return table
