"""Names of items, where a retailer has them: `products.csv` in the landing folder, for screens only.

LGSR has no names; a code then stands for itself.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import BinaryIO

from nextbasket_assets.landing import LandingError

FILE_NAME = "products.csv"


@dataclass(frozen=True)
class Catalogue:
    """Item code to name."""

    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, item: str) -> str:
        """What to show for an item: its name, or its code without one."""
        return self.names.get(item, item)


def read_catalogue(stream: BinaryIO) -> Catalogue:
    """The names in a products.csv with the columns PROD_CODE and PROD_NAME.

    Raises:
        LandingError: one of the columns is missing.
    """
    rows = csv.DictReader(TextIOWrapper(stream, encoding="utf-8", newline=""))
    missing = {"PROD_CODE", "PROD_NAME"} - set(rows.fieldnames or ())
    if missing:
        raise LandingError(
            f"{FILE_NAME}: no column {', '.join(sorted(missing))}. Name the columns PROD_CODE and PROD_NAME."
        )
    return Catalogue({row["PROD_CODE"]: row["PROD_NAME"] for row in rows})
