"""Weeks that a correction, a late arrival or a dead run left behind, as runs that make them anew, one table at a time."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from nextbasket_assets.lake import freshness
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.ingested import identity
from nextbasket_assets.operations.requests import MEND, Request
from nextbasket_assets.partitions import contiguous

REFRESH = "refresh_weeks"
_SHOWN = 3  # tables that a sentence names


def refreshes(lake: Lake, calendar: Iterable[date], asked: Callable[[str], bool] = lambda key: False) -> list[Request]:
    """Runs for the first table that is behind, one per range without a gap; the tables after it wait for the next look.

    A run that failed is not asked for again until its table's source changes; what is behind it gets its turn meanwhile.

    Args:
        lake: the tables.
        calendar: the platform's weeks; a lake may hold others, of a wider calendar, for which no run can be asked.
        asked: whether there was a run under a key.
    """
    return refreshes_or_why(lake, calendar, asked)[0]


def refreshes_or_why(lake: Lake, calendar: Iterable[date], asked: Callable[[str], bool]) -> tuple[list[Request], str]:
    """The same runs; when there are none, what stays behind because its runs ended without it, in a sentence, or nothing."""
    behind = _among(frozenset(calendar), freshness.behind(lake))
    for table, weeks in behind.items():
        state = _state(lake, table)
        left = [week for week in weeks if not asked(_key(table, week, week, state))]
        requests = [_request(table, first, last, state) for first, last in contiguous(left)]
        open_requests = [request for request in requests if not asked(request.key)]
        if open_requests:
            return open_requests, ""
    return [], _left(behind) if behind else ""


def _among(calendar: frozenset[date], behind: Mapping[str, list[date]]) -> dict[str, list[date]]:
    """The tables that are behind in weeks of the calendar, with these weeks."""
    found = {table: [week for week in weeks if week in calendar] for table, weeks in behind.items()}
    return {table: weeks for table, weeks in found.items() if weeks}


def _left(behind: Mapping[str, list[date]]) -> str:
    """Tables and weeks that no run is asked for any more."""
    named = [f"{table} {' and '.join(_span(*span) for span in contiguous(weeks))}" for table, weeks in behind.items()]
    more = f" and {len(named) - _SHOWN} more table(s)" if len(named) > _SHOWN else ""
    return f"behind are {', '.join(named[:_SHOWN])}{more}, and the run(s) for these weeks ended without them: {MEND}"


def _request(table: str, first: date, last: date, state: str) -> Request:
    main, *besides = (source.table for source in freshness.sources(table))
    others = "".join(f", or {other} did" for other in besides)
    why = f"{table} {_span(first, last)}: {main} changed since{others}, or the week was never made"
    return Request(_key(table, first, last, state), REFRESH, first, last, why, table)


def _span(first: date, last: date) -> str:
    return week_code(first) if first == last else f"{week_code(first)} to {week_code(last)}"


def _state(lake: Lake, table: str) -> str:
    """What decides whether a failed run is worth another try: which tables these are, and the versions of the sources."""
    read = [source.table for source in freshness.sources(table)]
    states = ", ".join(f"{lake.version(source)} of {identity(lake, source)}" for source in read)
    return f"{states} for {identity(lake, table) or 'none'}"


def _key(table: str, first: date, last: date, state: str) -> str:
    """The weeks and the state of what the table is made from: a change elsewhere makes no failed run worth another try."""
    return f"{table} {first}..{last}:{state}"
