"""Weeks that a correction, a late arrival or a dead run left behind, as runs that make them anew, one table at a time."""

from collections.abc import Callable
from datetime import date

from nextbasket_assets.lake import freshness
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.requests import Request
from nextbasket_assets.partitions import contiguous

REFRESH = "refresh_weeks"


def refreshes(lake: Lake, asked: Callable[[str], bool] = lambda key: False) -> list[Request]:
    """Runs for the first table that is behind, one per range without a gap; the tables after it wait for the next look.

    A run that failed is not asked for again until its table's source changes; what is behind it gets its turn meanwhile.

    Args:
        lake: the tables.
        asked: whether there was a run under a key.
    """
    for table, weeks in freshness.behind(lake).items():
        version = lake.version(freshness.SOURCES[table].table)
        left = [week for week in weeks if not asked(_key(table, week, week, version))]
        requests = [_request(table, first, last, version) for first, last in contiguous(left)]
        open_requests = [request for request in requests if not asked(request.key)]
        if open_requests:
            return open_requests
    return []


def _request(table: str, first: date, last: date, version: int) -> Request:
    span = week_code(first) if first == last else f"{week_code(first)} to {week_code(last)}"
    why = f"{table} {span}: {freshness.SOURCES[table].table} changed since, or the week was never made"
    return Request(_key(table, first, last, version), REFRESH, first, last, why, table)


def _key(table: str, first: date, last: date, version: int) -> str:
    """The weeks and the version of what the table is made from: a change elsewhere makes no failed run worth another try."""
    return f"{table} {first}..{last}:{version}"
