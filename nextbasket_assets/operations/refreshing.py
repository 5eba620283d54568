"""Weeks that a correction, a late arrival or a dead run left behind, as runs that make them anew, one table at a time."""

import hashlib
from datetime import date

from nextbasket_assets.lake import freshness
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.requests import Request
from nextbasket_assets.partitions import contiguous

REFRESH = "refresh_weeks"


def refreshes(lake: Lake) -> list[Request]:
    """Runs for the first table that is behind, one per range without a gap; the tables after it wait for the next look.

    A run that fails is not asked for again until one of the tables changes.
    """
    found = freshness.behind(lake)
    if not found:
        return []
    table, weeks = next(iter(found.items()))
    state = hashlib.sha256(str(freshness.versions(lake)).encode()).hexdigest()[:16]
    return [_request(table, first, last, state) for first, last in contiguous(weeks)]


def _request(table: str, first: date, last: date, state: str) -> Request:
    span = week_code(first) if first == last else f"{week_code(first)} to {week_code(last)}"
    why = f"{table} {span}: {freshness.SOURCES[table].table} changed since, or the week was never made"
    return Request(f"{table} {first}..{last}:{state}", REFRESH, first, last, why, table)
