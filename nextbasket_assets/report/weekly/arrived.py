"""What arrived: lines in, accepted, quarantined by rule, and what they became."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import DAMAGED_ID
from nextbasket_assets.limits import RECENT_WEEKS


@dataclass(frozen=True)
class ArrivedWeek:
    """One week's lines and baskets."""

    week: date
    lines: int
    accepted: int
    quarantined: int
    baskets: int


@dataclass(frozen=True)
class Arrived:
    """What arrived for a week, and before it.

    Attributes:
        weeks: the recent weeks in the lake and the week itself, oldest first.
        files: names of the landing files.
        rules: rule to lines that it quarantined, the commonest first.
        customers: different customers with a basket.
        anonymous: baskets of nobody known.
        conflicting: accepted lines under a basket id that several baskets have.
    """

    weeks: Sequence[ArrivedWeek]
    files: Sequence[str]
    rules: Sequence[tuple[str, int]]
    customers: int
    anonymous: int
    conflicting: int

    @property
    def now(self) -> ArrivedWeek:
        """The week itself."""
        return self.weeks[-1]

    @property
    def usual_lines(self) -> float | None:
        """Median of the accepted lines of the weeks before; None without any."""
        before = [one.accepted for one in self.weeks[:-1]]
        return median(before) if before else None

    @property
    def quarantined_share(self) -> float:
        """Of the week's lines."""
        return self.now.quarantined / max(self.now.lines, 1)

    @property
    def conflicting_share(self) -> float:
        """Of the week's accepted lines."""
        return self.conflicting / max(self.now.accepted, 1)


def arrived(lake: Lake, week: date) -> Arrived:
    """What arrived for the week; reads no later one."""
    recent = [other for other in lake.weeks("landed_files") if other < week][-RECENT_WEEKS:]
    landed = lake.read("landed_files", [*recent, week]).to_pylist()
    baskets = lake.rows("staged_baskets")
    rules = Counter(lake.read("rejected_lines", [week], ["rule"])["rule"].to_pylist())
    staged = lake.read("staged_baskets", [week], ["basket", "customer"])
    customers = staged["customer"]
    return Arrived(
        weeks=[_week(other, landed, baskets.get(other, 0)) for other in [*recent, week]],
        files=sorted(row["source_file"] for row in landed if row["week"] == week),
        rules=sorted(rules.items(), key=lambda item: (-item[1], item[0])),
        customers=len(pc.unique(customers.drop_null())),
        anonymous=customers.null_count,
        conflicting=_conflicting(lake, week, staged["basket"]),
    )


def _conflicting(lake: Lake, week: date, staged: pa.ChunkedArray) -> int:
    """Lines whose id is no staged basket's; a damaged id is none either, for its baskets were rebuilt under others."""
    lines = 0
    for batch in lake.batches("raw_transactions", [week], ["basket"]):
        there = pc.or_(pc.is_in(batch["basket"], staged), pc.match_substring_regex(batch["basket"], DAMAGED_ID))
        lines += pc.sum(pc.invert(there)).as_py() or 0
    return lines


def _week(week: date, landed: list[dict[str, object]], baskets: int) -> ArrivedWeek:
    lines, accepted, rejected = (
        sum(int(str(row[name])) for row in landed if row["week"] == week) for name in ("lines", "accepted", "rejected")
    )
    return ArrivedWeek(week, lines, accepted, rejected, baskets)
