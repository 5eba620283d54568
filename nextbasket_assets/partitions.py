"""The retail calendar as Dagster sees it: one partition per week, named by its Monday."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import dagster as dg

from nextbasket_assets.errors import BAD_INPUT, NextbasketError

LGSR_FIRST_WEEK = date(2006, 4, 10)
LGSR_LAST_WEEK = date(2008, 6, 30)
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


class CalendarError(NextbasketError, ValueError):
    """A calendar that no retailer has."""

    exit_code = BAD_INPUT


class Weeks(dg.WeeklyPartitionsDefinition):
    """A calendar whose exclusions are written out as rarely as can be: they are 83 kB, and a millisecond."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        written_out: int = super().__hash__()  # type: ignore[no-untyped-call]
        return written_out

    def get_partition_subset_in_time_window(self, time_window: dg.TimeWindow) -> Any:
        """The weeks of a run, which Dagster writes into its log for every check of every week; without the exclusions."""
        return self._bare.get_partition_subset_in_time_window(time_window)

    @cached_property
    def _bare(self) -> dg.TimeWindowPartitionsDefinition:
        return dg.TimeWindowPartitionsDefinition(
            start=self.start, end=self.end, cron_schedule=self.cron_schedule, fmt=self.fmt, end_offset=self.end_offset
        )


def weekly(first: date, last: date | None) -> Weeks:
    """Weeks from `first` to `last`, both Mondays, both included; an open end for a live retailer when `last` is None.

    Raises:
        CalendarError: a bound is no Monday, or they are in the wrong order.
    """
    for bound in (first, last):
        if bound is not None and bound.weekday() != 0:
            raise CalendarError(f"{bound} is not a Monday. Name a retail week by its first day.")
    if last is not None and last < first:
        raise CalendarError(f"the last week {last} is before the first week {first}. Correct NEXTBASKET_LAST_WEEK.")
    if last is None:
        return Weeks(start_date=first.isoformat(), day_offset=1, end_offset=1)
    end = last + timedelta(weeks=1)  # the library's end is exclusive
    return Weeks(
        start_date=first.isoformat(), end_date=end.isoformat(), day_offset=1, exclusions=_mondays_since(end) or None
    )


def _mondays_since(end: date) -> list[datetime]:
    """Mondays from the end of a calendar to the end of this year: not partitions, and said so (docs/decisions/0065).

    Dagster 1.13 pages through the newest partitions from today backwards and forgets the end, so that the plots of a calendar
    that has ended long ago are empty.
    """
    weeks = (date(date.today().year + 1, 1, 1) - end).days // 7 + 1
    return [datetime.combine(end + timedelta(weeks=week), datetime.min.time()) for week in range(weeks)]


LGSR_WEEKS = weekly(LGSR_FIRST_WEEK, LGSR_LAST_WEEK)


def weeks_of(partition_keys: Sequence[str]) -> list[date]:
    """The Mondays of these partition keys, in order."""
    return sorted(date.fromisoformat(key) for key in partition_keys)


def contiguous(weeks: list[date]) -> list[tuple[date, date]]:
    """The weeks as ranges without a gap: a range run marks every week in it as made, so it must not span a missing one.

    >>> contiguous([date(2006, 4, 10), date(2006, 4, 17), date(2006, 5, 1)])
    [(datetime.date(2006, 4, 10), datetime.date(2006, 4, 17)), (datetime.date(2006, 5, 1), datetime.date(2006, 5, 1))]
    """
    ranges: list[tuple[date, date]] = []
    for week in sorted(weeks):
        if ranges and week - ranges[-1][1] == timedelta(weeks=1):
            ranges[-1] = (ranges[-1][0], week)
        else:
            ranges.append((week, week))
    return ranges


def weeks_of_tags(tags: Mapping[str, str]) -> list[date]:
    """The weeks that a run makes, by its tags: its partition, or every partition of its range; empty when they name none."""
    if "dagster/partition" in tags:
        return weeks_of([tags["dagster/partition"]])
    if _RANGE[0] not in tags:
        return []
    first, last = (date.fromisoformat(tags[end]) for end in _RANGE)
    return [first + timedelta(weeks=step) for step in range((last - first).days // 7 + 1)]
