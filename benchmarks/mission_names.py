"""Missions of public baskets with names, for a person to judge: Instacart, the groceries, the Complete Journey.

    python benchmarks/mission_names.py (instacart.csv.gz | groceries.csv.gz | transactions_sample.csv.gz) [--k K]

Reads each of the three public layouts by its header, learns missions as the platform does, and prints their names, shares and
items. Baskets have no customers in the first two, so each is held out or not by itself.
"""

import argparse
import csv
import gzip
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from nextbasket_assets.missions.choosing import ChoiceSettings
from nextbasket_assets.missions.documents import Documents
from nextbasket_assets.missions.learning import Naming, Vocabulary, learn
from nextbasket_assets.missions.naming import lifts

Baskets = dict[str, set[str]]
LEAST_BASKETS = 5  # these samples are small


def read(path: Path, products: Path | None) -> tuple[Baskets, dict[str, str], dict[str, str]]:
    """Baskets as sets of items, each item's category, and the owner of each basket.

    Instacart's items are its aisles (1,000 orders hold most products once), the Complete Journey's its product types.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    header, baskets, groups, owner = rows[0], Baskets(), dict[str, str](), dict[str, str]()
    if "aisle" in header:
        for order, _, department, aisle in rows[1:]:
            baskets.setdefault(order, set()).add(aisle)
            groups[aisle] = department
    elif "household_id" in header:
        kinds = _kinds(products or path.with_name("products.csv.gz"))
        for row in rows[1:]:
            item, group = kinds.get(row[3], ("", ""))
            if item:
                baskets.setdefault(row[2], set()).add(item)
                groups[item], owner[row[2]] = group, row[0]
    else:
        baskets = {str(number): set(row) for number, row in enumerate(rows)}
    return baskets, groups, owner


def _kinds(path: Path) -> dict[str, tuple[str, str]]:
    """Product type and category of every product of the Complete Journey."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return {
            row["product_id"]: (row["product_type"].lower(), row["product_category"].lower())
            for row in csv.DictReader(stream)
        }


def documents(baskets: Baskets, owner: dict[str, str]) -> tuple[Documents, list[str], list[int]]:
    """Baskets of two known items and more, the vocabulary and its counts, as Spark's stage makes them."""
    counted = Counter(item for basket in baskets.values() for item in basket)
    items = sorted((i for i in counted if counted[i] >= LEAST_BASKETS), key=lambda item: (-counted[item], item))
    position = {item: index for index, item in enumerate(items)}
    known = {code: sorted(position[item] for item in basket if item in position) for code, basket in baskets.items()}
    kept = sorted((code for code in known if len(known[code]) > 1), key=lambda code: zlib.crc32(code.encode()))
    drawn = np.array([zlib.crc32(owner.get(code, code).encode()[::-1]) for code in kept])
    return (
        Documents(
            np.array([item for code in kept for item in known[code]]),
            np.array([len(known[code]) for code in kept]),
            drawn % 5 == 0,
            drawn // 5 % 2,
            len(items),
        ),
        items,
        [counted[item] for item in items],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("baskets", type=Path)
    parser.add_argument("--products", type=Path, help="the Complete Journey's products, if not beside the transactions")
    parser.add_argument("--k", type=int, help="number of missions; the evidence chooses without")
    arguments = parser.parse_args()
    baskets, groups, owner = read(arguments.baskets, arguments.products)
    learnt_from, items, counts = documents(baskets, owner)
    vocabulary = Vocabulary(items, [groups.get(item, "") for item in items], counts)
    settings = ChoiceSettings(k=arguments.k)
    learnt = learn("v", learnt_from, vocabulary, settings, Naming({}, {}, {}), None, lambda line: print("  ", line))
    print(f"{len(baskets):,} baskets, {len(learnt_from):,} learnt from, {len(items):,} items: {learnt.choice.why}")
    topics = learnt.model.topics
    lift_KV = lifts(topics.counts_KV)
    for number, (mission, name) in enumerate(zip(learnt.model.missions, learnt.model.names, strict=True)):
        told = topics.counts_KV[number] * np.log(np.maximum(lift_KV[number], 1.0))
        best = [items[item] for item in np.argsort(-told, kind="stable")[:8]]
        print(f"{mission} {learnt.model.share_K[number]:6.1%}  {name}\n              {', '.join(best)}")


if __name__ == "__main__":
    main()
