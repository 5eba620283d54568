"""Arrivals: which files of the landing folder are work to do, and why the others are not.

Pure: listings in, one decision per name out. The sensor looks at the folder, keeps the last listing and asks for runs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from nextbasket_assets import catalogue, retail_calendar
from nextbasket_assets.landing import NAME, LandingError, week_code, week_of

# What a landing folder holds beside the weekly files: it is read with them, and is no work of its own.
COMPANIONS = frozenset(
    {catalogue.FILE_NAME, retail_calendar.FILE_NAME, "missions.yaml", "export.yaml", "settings.yaml"}
)


@dataclass(frozen=True)
class Listed:
    """A name in the landing folder, as a listing shows it."""

    name: str
    size: int  # bytes
    fingerprint: str  # changes when the content does: an ETag, or the time of the last change


Kind = Literal["new", "corrected", "waiting", "ingested", "duplicate", "conflict", "refused", "ignored"]


@dataclass(frozen=True)
class Decision:
    """What to do about one listed name, and why, in a sentence. Only `new` and `corrected` ask for a run."""

    name: str
    kind: Kind
    reason: str
    week: date | None = None  # None for names outside the grammar
    sha256: str | None = None  # None until the content was read


def decide(
    now: Iterable[Listed],
    before: Iterable[Listed],
    ingested: Mapping[date, str],
    first: date,
    last: date,
    digest: Callable[[Listed], str | None],
    calendar: Collection[date] | None = None,
) -> list[Decision]:
    """One decision per listed name, in name order.

    A file is read (`digest`, the sha256 of `inspect`) only when its week is wanted and two listings in a row agree. A run
    reads every file of its week, so a sound file waits while another one of its week is refused or not read yet.

    Args:
        now: what the folder holds.
        before: what it held at the last look.
        ingested: content of every week in the lake, by Monday.
        first: first week wanted, by Monday.
        last: last week wanted, by Monday.
        digest: content of a listed file, None when this look has no time to read it; a `LandingError` from it refuses the file.
        calendar: Mondays of the retailer's own calendar; None where it delivered none.
    """
    held = set(before)
    decisions: dict[str, Decision] = {}
    candidates: list[tuple[Listed, date, str]] = []
    for listed in sorted(now, key=lambda listed: listed.name):
        early = _without_reading(listed, held, first, last) or _outside(listed, calendar)
        if early is not None:
            decisions[listed.name] = early
            continue
        week = week_of(listed.name)
        assert week is not None  # _without_reading settled the other names
        try:
            sha256 = digest(listed)
        except LandingError as error:
            decisions[listed.name] = Decision(listed.name, "refused", str(error), week)
            continue
        if sha256 is None:
            reason = f"{listed.name}: this look had no time left to read it, waiting"
            decisions[listed.name] = Decision(listed.name, "waiting", reason, week)
        else:
            candidates.append((listed, week, sha256))
    unsound = {decision.week: decision for decision in decisions.values()}
    for listed, week, sha256 in candidates:
        kind, reason = _with_content(listed, week, sha256, candidates, ingested, unsound.get(week))
        decisions[listed.name] = Decision(listed.name, kind, reason, week, sha256)
    return [decisions[name] for name in sorted(decisions)]


def _without_reading(listed: Listed, held: set[Listed], first: date, last: date) -> Decision | None:
    name = listed.name
    match = NAME.fullmatch(name)
    if match is None:
        return Decision(name, "ignored", f"{name[:80]!r}: ignored, the name is not transactions_YYYYWW.csv or .csv.gz")
    week = week_of(name)
    if week is None:
        return Decision(name, "refused", f"{name}: there is no retail week {match[1]} (weeks run from 01 to 52)")
    if not first <= week <= last:
        side = "before the first" if week < first else "after the last"
        wanted = f"{week_code(first)} to {week_code(last)}"
        return Decision(name, "refused", f"{name}: week {match[1]} is {side} week wanted ({wanted})", week)
    if not listed.size:
        return Decision(name, "waiting", f"{name}: 0 bytes, waiting", week)
    if listed not in held:
        return Decision(name, "waiting", f"{name}: new or still growing ({listed.size} bytes), waiting", week)
    return None


def _outside(listed: Listed, calendar: Collection[date] | None) -> Decision | None:
    week = week_of(listed.name)
    if calendar is None or week is None or week in calendar:
        return None
    reason = f"{listed.name}: week {week_code(week)} is not in time.csv. Deliver the calendar that has it, or remove the file."
    return Decision(listed.name, "refused", reason, week)


def _with_content(
    listed: Listed,
    week: date,
    sha256: str,
    candidates: list[tuple[Listed, date, str]],
    ingested: Mapping[date, str],
    beside: Decision | None,
) -> tuple[Kind, str]:
    """What a file that was read asks for, and why; `beside` is a file of its week that was refused or not read."""
    name, code = listed.name, week_code(week)
    same = [other for other, _, content in candidates if content == sha256]
    if same[0] != listed:
        return "duplicate", f"{name}: duplicate of {same[0].name} (sha256 {sha256[:12]})"
    rivals = [other.name for other, its, content in candidates if its == week and content != sha256]
    if rivals:
        return "conflict", f"{name}: {rivals[0]} is another file for week {code}. Remove one of them."
    if ingested.get(week) == sha256:
        return "ingested", f"{name}: week {code} holds this content already"
    if beside and beside.kind == "waiting":
        return "waiting", f"{name}: waiting for {beside.name}, another file for week {code}"
    if beside:
        return "conflict", f"{name}: {beside.name} is for week {code}, too, and was refused. Correct or remove it."
    if week in ingested:
        return "corrected", f"{name}: week {code} is in the lake with other content, and this file replaces it"
    return "new", f"{name}: week {code} is not in the lake yet"
