"""The account of a landing: every row of every source, and what became of it. Kept in `land-report/` of the landing folder."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nextbasket_assets.intake.delivery import Delivered
from nextbasket_assets.landing import LandingError

REFUSED = "refused_lines.csv"
REFUSED_HEADER = ("source", "line", "reason", "content")


@dataclass
class SourceCount:
    """A source: its rows, and what became of them."""

    rows: int = 0
    landed: int = 0
    refused: int = 0
    repeated: int = 0  # of an earlier source, too


@dataclass
class LandReport:
    """What a landing did."""

    sources: dict[str, SourceCount] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    quantities_rounded: int = 0
    lines_without_a_product: int = 0  # the products file has no row of their item: they have no category
    products: int = 0
    without_last_line_end: list[str] = field(default_factory=list)  # sources that may be cut
    files: list[Delivered] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)  # what else is in the folders that were named

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; what was new is left out, so that landing again gives the same bytes."""
        weeks = {file.name: file.lines for file in self.files if file.lines is not None}
        kept = ("quantities_rounded", "lines_without_a_product", "products", "without_last_line_end")
        return {
            "sources": {name: asdict(count) for name, count in self.sources.items()},
            "refused": dict(sorted(self.reasons.items())),
            **{name: getattr(self, name) for name in kept},
            "lines_of_weeks": weeks,
            "not_read": self.not_read,
        }

    def refuse_few_landed(self, most_refused: float, folder: Path) -> None:
        """Check that the mapping fits the files.

        Raises:
            LandingError: it fits no row, or more than this share of them is refused: the others may be wrong as well.
        """
        rows, refused = (sum(getattr(count, name) for count in self.sources.values()) for name in ("rows", "refused"))
        why = self.reasons.most_common(1)
        said = f"most often {why[0][0]!r}, {why[0][1]} times" if why else "the files hold no row"
        if refused == rows:
            raise LandingError(f"no row could be landed: {said}. Correct the mapping; see docs/your-data.md.")
        if refused / rows > most_refused:
            raise LandingError(
                f"{refused} of {rows} rows are refused, more than {100 * most_refused:g} %: {said}. Every one is in "
                f"{folder / REFUSED}. Correct the mapping or the export, for the other rows may be misread as well; or give "
                f"--allow-refused {_at_least(refused / rows)}."
            )

    def write(self, refused: Path, folder: Path) -> None:
        """Keep the report and the refused rows in this folder."""
        folder.mkdir(exist_ok=True)
        refused.replace(folder / REFUSED)
        (folder / "report.json").write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")


def _at_least(share: float) -> float:
    """The share with two decimals, not rounded below itself."""
    return round(share + 0.005, 2)
