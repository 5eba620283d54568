"""Names of items and of their categories, where a retailer has them: `products.csv` in the landing folder, for screens only.

LGSR has no names; a code then stands for itself.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import BinaryIO

from nextbasket_assets.landing import LandingError

FILE_NAME = "products.csv"
_CATEGORIES = [(f"PROD_CODE_{level}", f"PROD_NAME_{level}") for level in (10, 20, 30, 40)]


@dataclass(frozen=True)
class Catalogue:
    """Code of an item or of a category to its name."""

    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, item: str) -> str:
        """What to show for an item or a category: its name, or its code without one."""
        return self.names.get(item, item)


def read_catalogue(stream: BinaryIO) -> Catalogue:
    """The names in a products.csv with the columns PROD_CODE and PROD_NAME; PROD_CODE_10, PROD_NAME_10 and so on if there.

    Raises:
        LandingError: one of the columns is missing.
    """
    rows = csv.DictReader(TextIOWrapper(stream, encoding="utf-8", newline=""))
    missing = {"PROD_CODE", "PROD_NAME"} - set(rows.fieldnames or ())
    if missing:
        raise LandingError(
            f"{FILE_NAME}: no column {', '.join(sorted(missing))}. Name the columns PROD_CODE and PROD_NAME."
        )
    names: dict[str, str] = {}
    for row in rows:
        names[row["PROD_CODE"]] = row["PROD_NAME"]
        names |= {row[code]: row[name] for code, name in _CATEGORIES if row.get(code) and row.get(name)}
    return Catalogue(names)
