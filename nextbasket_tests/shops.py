"""Hand-made shops with planted structure and their shuffled twins, as files of the table customer_sequences."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_MONDAY = datetime.date(2006, 4, 10)
BASKET = pa.struct(
    [
        ("date", pa.date32()),
        ("hour", pa.int32()),
        ("items", pa.list_(pa.string())),
        ("mission_weights", pa.list_(pa.float32())),
    ]
)
SCHEMA = pa.schema(
    [
        ("customer", pa.string()),
        ("baskets_seen", pa.int32()),
        ("mission_model", pa.string()),
        ("baskets", pa.list_(BASKET)),
    ]
)

Baskets = list[list[str]]


def week(number: int) -> datetime.date:
    """The Monday of a week, counted from 0."""
    return FIRST_MONDAY + datetime.timedelta(weeks=number)


def write_sequences(
    path: Path,
    shop: dict[str, Baskets],
    days: int = 7,
    missions: dict[str, list[list[float]]] | None = None,
    mission_model: str | None = None,
) -> str:
    """One file of customer_sequences: a customer's baskets are `days` days apart, the first on the first Monday.

    Args:
        path: the file to write.
        shop: {customer: baskets, oldest first}.
        days: between two baskets.
        missions: {customer: mission weights of each basket}; unassigned without it.
        mission_model: the version of the model whose weights these are.
    """
    rows = [
        {
            "customer": customer,
            "baskets_seen": len(baskets),
            "mission_model": mission_model,
            "baskets": [
                {
                    "date": FIRST_MONDAY + datetime.timedelta(days=days * number),
                    "hour": 12,
                    "items": items,
                    "mission_weights": missions[customer][number] if missions else [],
                }
                for number, items in enumerate(baskets)
            ],
        }
        for customer, baskets in shop.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return str(path)


def planted(customers: int = 240, baskets: int = 12, items: int = 30, seed: int = 0) -> dict[str, Baskets]:
    """A shop in which each basket implies the next: who bought item i now buys item i + 1, round and round.

    Every customer starts two walks anywhere, so all items are equally popular, and with fewer baskets than items the
    customer's own past says nothing: only order does.
    """
    random = np.random.default_rng(seed)
    starts = random.integers(0, items, (customers, 2))
    return {
        f"C{customer:04d}": [sorted({f"P{(start + t) % items:03d}" for start in walks}) for t in range(baskets)]
        for customer, walks in enumerate(starts)
    }


def shuffled(shop: dict[str, Baskets], seed: int = 0) -> dict[str, Baskets]:
    """The twin: the same baskets, dealt anew among all customers and times, so that nothing implies anything."""
    random = np.random.default_rng(seed)
    pool = [basket for baskets in shop.values() for basket in baskets]
    dealt = iter(random.permutation(len(pool)))
    return {customer: [pool[next(dealt)] for _ in baskets] for customer, baskets in shop.items()}


def tastes(customers: int = 240, baskets: int = 12, kinds: int = 8, items: int = 40) -> dict[str, Baskets]:
    """A shop of tastes alone: each customer buys items of one kind, three at a time and none twice.

    Neither habits nor popularity nor order say anything: only who else bought the same.
    """
    random = np.random.default_rng(0)
    shop = {}
    for customer in range(customers):
        bought = customer % kinds * items + random.permutation(items)[: 3 * baskets].reshape(baskets, 3)
        shop[f"C{customer:04d}"] = [sorted(f"P{item:03d}" for item in basket) for basket in bought]
    return shop


def unique_items(customers: int = 40, baskets: int = 8) -> dict[str, Baskets]:
    """A shop in which every customer buys one item that nobody else buys, beside a bread that all buy."""
    return {f"C{c:04d}": [["bread", f"only-{c:04d}"] for _ in range(baskets)] for c in range(customers)}


def habits(customers: int = 150, baskets: int = 12, items: int = 30, seed: int = 0) -> dict[str, Baskets]:
    """A shop of habits: three favourites of each customer's own are in most of their baskets, beside a random item."""
    random = np.random.default_rng(seed)
    shop = {}
    for customer in range(customers):
        favourites = random.choice(items, 3, replace=False)
        bought = [{*favourites[random.random(3) < 0.7].tolist(), int(random.integers(items))} for _ in range(baskets)]
        shop[f"C{customer:04d}"] = [sorted(f"P{item:03d}" for item in basket) for basket in bought]
    return shop
