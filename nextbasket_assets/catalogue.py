"""Names of items and categories, where a retailer has them: `products.csv` in the landing folder, for screens only.

LGSR has no names; a code then stands for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from nextbasket_assets.landing_text import LandingError, small_table

FILE_NAME = "products.csv"
LEVELS = (10, 20, 30, 40)


@dataclass(frozen=True)
class Catalogue:
    """Names by code.

    Attributes:
        names: of items.
        groups: of categories of any level.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def name(self, item: str) -> str:
        """What to show for an item: its name, or its code without one."""
        return self.names.get(item) or item


def read_catalogue(stream: BinaryIO) -> Catalogue:
    """The names in a products.csv with the columns PROD_CODE and PROD_NAME, and PROD_CODE_20 and PROD_NAME_20 and the like.

    Raises:
        LandingError: one of the columns is missing, or it is no CSV file.
    """
    columns, rows = small_table(stream, FILE_NAME)
    missing = {"PROD_CODE", "PROD_NAME"} - set(columns)
    if missing:
        raise LandingError(
            f"{FILE_NAME}: no column {', '.join(sorted(missing))}. Name the columns PROD_CODE and PROD_NAME."
        )
    levels = [level for level in LEVELS if {f"PROD_CODE_{level}", f"PROD_NAME_{level}"} <= set(columns)]
    names: dict[str, str] = {}
    groups: dict[str, str] = {}
    for row in rows:
        names[row["PROD_CODE"]] = row["PROD_NAME"]
        groups |= {row[f"PROD_CODE_{level}"]: row[f"PROD_NAME_{level}"] for level in levels}
    return Catalogue(names, groups)
