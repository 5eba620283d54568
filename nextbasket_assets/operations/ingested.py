"""What the weeks in the lake were made from, and which lake it is: what a run that is asked for would replace."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from nextbasket_assets.lake.tables import Lake

_LANDED = "landed_files"
_newest: dict[str, tuple[tuple[int, int], "Ingested"]] = {}  # the newest look, of one lake


@dataclass(frozen=True)
class Ingested:
    """What the landing files of the lake's weeks were.

    Attributes:
        content: sha256 of every week in the lake.
        published: how often each of them was published again: more after every success.
        table: identity of their table; empty before there is one.
        former: identity of the table whose place it took, when somebody saw that one; empty otherwise.
    """

    content: Mapping[date, str] = field(default_factory=dict)
    published: Mapping[date, int] = field(default_factory=dict)
    table: str = ""
    former: str = ""

    def after(self, table: str, former: str) -> "Ingested":
        """The same, given the table that was seen last and the one before it: a lake begun anew has lost what it held."""
        return replace(self, former=table if table and table != self.table else former)

    def state(self, week: date) -> str:
        """What a run of the week would replace, in words that no success and no lake begun anew leaves as they were."""
        return f"{self.former} {self.published.get(week, 0)} {self.content.get(week, '')}"


def ingested(lake: Lake) -> Ingested:
    """What the weeks in the lake were made from; read again when the table changed since the last look."""
    place, mark = lake.uri(_LANDED), lake.mark(_LANDED)
    kept = _newest.get(place)
    if kept is None or kept[0] != mark:
        kept = mark, _read(lake)
        _newest.clear()
        _newest[place] = kept
    return kept[1]


def _read(lake: Lake) -> Ingested:
    snapshot = lake.snapshot(_LANDED)
    if snapshot is None:
        return Ingested()
    weeks = sorted({file.week for file in snapshot.published})
    content = {row["week"]: row["sha256"] for row in lake.read(_LANDED, weeks).to_pylist()}
    published = {week: snapshot.delta.transaction_version(f"week={week}") or 0 for week in weeks}
    return Ingested(content, published, identity(lake, _LANDED))


def identity(lake: Lake, table: str) -> str:
    """What tells a table from another one that is made in its place; empty when nothing was ever published."""
    snapshot = lake.snapshot(table)
    return str(snapshot.delta.metadata().id) if snapshot else ""
