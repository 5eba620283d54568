"""What must hold for a week's lines as a whole before they are published: few rejects, a plausible volume.

Both can be allowed for one run by the tag `nextbasket/allow` (comma-separated check names); what was allowed is recorded.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from statistics import median
from typing import Any

import dagster as dg

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import EMPTY_WEEK, LandingFile, week_code
from nextbasket_assets.limits import (
    LEAST_VOLUME,
    MOST_CONFLICTING,
    MOST_REJECTED,
    MOST_VOLUME,
    RECENT_WEEKS,
    SOME_CONFLICTING,
)
from nextbasket_assets.resources.spark import StageReport

_RAW, _STAGED = "raw_transactions", "staged_baskets"
ALLOW_TAG = "nextbasket/allow"
SOME_REPLAYED, MOST_REPLAYED = 0.05, 0.5
_SHOWN_RULES, _SHOWN_COLUMNS = 3, 20

_FEW_REJECTED = "few_lines_are_rejected"
_VOLUME = "the_volume_is_like_recent_weeks"
_REPLAYED = "few_baskets_replay_an_earlier_week"
_CONFLICTING = "few_lines_are_of_conflicting_baskets"
_RECONCILED = "lines_in_are_accepted_or_rejected"
_KNOWN = "every_column_is_known"
_CALENDAR = "every_week_is_in_the_retailers_calendar"


def reconciled(lake: Lake, report: StageReport, table: str, sources: Mapping[date, Sequence[date]]) -> StageReport:
    """The report of a tagging stage with its filter audit: no filter, so every staged basket must come out.

    Args:
        sources: week of the table -> weeks of staged_baskets that it was made from.

    Raises:
        dagster.Failure: baskets were lost or invented.
    """
    staged = lake.rows("staged_baskets")
    counts: dict[str, dict[str, Any]] = {}
    for week, held in sources.items():
        rows_in, rows_out = sum(staged.get(other, 0) for other in held), report.rows(table, week)
        counts[week.isoformat()] = {"rows_in": rows_in, "removed": {}, "rows_out": rows_out}
        if rows_in != rows_out:
            raise dg.Failure(
                f"{table} {week}: {rows_in} baskets in, {rows_out} out. Nothing was published. staged_baskets changed while "
                "it was read: run again.",
                allow_retries=False,
            )
    return replace(report, counts=counts)


def staged_checks() -> list[dg.AssetCheckSpec]:
    """The checks of `conflict_results` and `replay_results`."""
    texts = {
        _CONFLICTING: "Few lines are under a basket id that several customers, hours or stores have: a warning above "
        f"{SOME_CONFLICTING:.0%}, a stop above {MOST_CONFLICTING:.0%}.",
        _REPLAYED: f"Few baskets copy an earlier week's: a warning above {SOME_REPLAYED:.0%}, a stop above "
        f"{MOST_REPLAYED:.0%}.",
    }
    return [dg.AssetCheckSpec(name, asset=_STAGED, blocking=True, description=text) for name, text in texts.items()]


def conflict_results(context: dg.AssetExecutionContext, report: StageReport) -> Iterator[dg.AssetCheckResult]:
    """The check on basket ids that are not unique, over all weeks of the run.

    Raises:
        dagster.Failure: much of a week is under such ids, and the run's tag does not allow it.
    """
    found = {
        week: counts["removed"]["conflicting_basket"] / max(counts["rows_in"], 1)
        for week, counts in report.counts.items()
    }
    yield from _limited(
        context,
        (_CONFLICTING, "conflicting_share"),
        found,
        (SOME_CONFLICTING, MOST_CONFLICTING),
        f"of the lines are under a basket id that several customers, hours or stores have, at most {MOST_CONFLICTING:.0%} "
        "may. BASKET_ID is not unique: add till and date to the id",
    )


def replay_results(context: dg.AssetExecutionContext, report: StageReport) -> Iterator[dg.AssetCheckResult]:
    """The replay check over all weeks of the run.

    Raises:
        dagster.Failure: most baskets of a week are copies, and the run's tag does not allow it.
    """
    found = {week: counts["replayed"] / counts["baskets"] for week, counts in report.counts.items()}
    yield from _limited(
        context,
        (_REPLAYED, "replayed_share"),
        found,
        (SOME_REPLAYED, MOST_REPLAYED),
        f"of the larger baskets copy an earlier week's basket of the same customer, at most {MOST_REPLAYED:.0%} may. Such a "
        "week is no evidence of what people buy next",
    )


def _limited(
    context: dg.AssetExecutionContext,
    names: tuple[str, str],
    found: Mapping[str, float],
    limits: tuple[float, float],
    broken: str,
) -> Iterator[dg.AssetCheckResult]:
    """A check on the worst week's share, of these names: it warns above the first limit and stops above the second."""
    (check, measure), (some, most) = names, limits
    worst = max(found, key=lambda week: found[week], default=None)
    share = found[worst] if worst else 0.0
    allowed = check in allowed_by_tag(context)
    stops = share > most and not allowed
    yield dg.AssetCheckResult(
        asset_key=_STAGED,
        check_name=check,
        passed=share <= some or allowed,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        metadata={measure: share, "worst_week": worst or "none", "allowed_by_tag": allowed},
    )
    if stops:
        raise dg.Failure(
            f"week {worst}: {share:.0%} {broken}. Nothing was published; to keep it all the same, run again with the tag "
            f"{ALLOW_TAG}={check}.",
            allow_retries=False,
        )


def allowed_by_tag(context: dg.AssetExecutionContext) -> set[str]:
    """What this run may do although a check is against it."""
    return {name.strip() for name in context.run.tags.get(ALLOW_TAG, "").split(",")}


def raw_checks() -> list[dg.AssetCheckSpec]:
    """The blocking checks of `raw_results`."""
    texts = {
        _RECONCILED: "Every data line of the landing file is in raw_transactions or in rejected_lines.",
        _FEW_REJECTED: f"At most {MOST_REJECTED:.0%} of a week's lines are rejected.",
        _VOLUME: f"A week has {LEAST_VOLUME:g} to {MOST_VOLUME:g} times the lines of the median recent week.",
    }
    warnings = {
        _KNOWN: "Every column of the landing file is one that a table takes; others are not read.",
        _CALENDAR: "The week is in the retailer's time.csv, where it delivered one.",
    }
    return [
        *(dg.AssetCheckSpec(name, asset=_RAW, blocking=True, description=text) for name, text in texts.items()),
        *(dg.AssetCheckSpec(name, asset=_RAW, description=text) for name, text in warnings.items()),
    ]


def raw_warnings(files: Sequence[LandingFile], calendar: Collection[date] | None) -> Iterator[dg.AssetCheckResult]:
    """What is worth a look and stops nothing: columns that are not read, weeks that the retailer does not know."""
    ignored = [f"{file.name}: ignored {_named(file.extra_columns)}" for file in files if file.extra_columns]
    unknown = [week_code(file.week) for file in files if calendar is not None and file.week not in calendar]
    for name, found in ((_KNOWN, ignored), (_CALENDAR, unknown)):
        metadata: dict[str, Any] = {"found": "\n".join(found) or "none"}
        yield dg.AssetCheckResult(
            asset_key=_RAW, check_name=name, passed=not found, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
        )


def _named(columns: Sequence[str]) -> str:
    """A few of the columns, each cut to a length that a screen takes."""
    more = f" and {len(columns) - _SHOWN_COLUMNS} more" if len(columns) > _SHOWN_COLUMNS else ""
    return ", ".join(column[:40] for column in columns[:_SHOWN_COLUMNS]) + more


def raw_results(
    context: dg.AssetExecutionContext, lake: Lake, report: StageReport, files: Sequence[LandingFile]
) -> Iterator[dg.AssetCheckResult]:
    """One result per check over all weeks of the run.

    Raises:
        dagster.Failure: one does not hold and was not allowed by the run's tag.
    """
    rows = {file.week: report.rows("raw_transactions", file.week) for file in files}
    rejected = {file.week: report.rows("rejected_lines", file.week) for file in files}
    known = lake.rows("raw_transactions") | rows
    allowed = allowed_by_tag(context) - {_RECONCILED}
    weighed = [file for file in files if file.lines or EMPTY_WEEK not in allowed]
    problems = {
        _RECONCILED: [problem for file in files if (problem := unreconciled(file, rows, rejected))],
        _FEW_REJECTED: [problem for file in files if (problem := many_rejected(file, rejected[file.week], report))],
        _VOLUME: [problem for file in weighed if (problem := odd_volume(file.week, known))],
    }
    for name, found in problems.items():
        metadata: dict[str, Any] = {"problems": "\n".join(found) or "none", "allowed_by_tag": name in allowed}
        yield dg.AssetCheckResult(
            asset_key="raw_transactions", check_name=name, passed=not found or name in allowed, metadata=metadata
        )
    broken = {name: found for name, found in problems.items() if found and name not in allowed}
    if broken:
        told = "; ".join(problem for found in broken.values() for problem in found)
        tag = f", or run again with the tag {ALLOW_TAG}={','.join(broken)} if the week is right as it is"
        raise dg.Failure(
            f"{told}. Nothing was published, the last good version stays. Correct the file"
            f"{'' if _RECONCILED in broken else tag}.",
            allow_retries=False,
        )


def unreconciled(file: LandingFile, accepted: dict[date, int], rejected: dict[date, int]) -> str | None:
    """What is wrong when lines were lost or invented; None when they add up."""
    out = accepted[file.week] + rejected[file.week]
    if out == file.lines:
        return None
    return f"{file.name}: {file.lines} lines in, {accepted[file.week]} accepted + {rejected[file.week]} rejected = {out} out"


def many_rejected(file: LandingFile, rejected: int, report: StageReport) -> str | None:
    """What is wrong when too many lines of a file were rejected, by the most frequent rules; None when few were."""
    if rejected <= MOST_REJECTED * file.lines:
        return None
    counts = report.counts.get(file.week.isoformat(), {}).get("removed", {})
    first = report.metrics.get("first_rejected", {}).get(file.name, {})
    rules = sorted(counts, key=lambda rule: (-counts[rule], rule))[:_SHOWN_RULES]
    shown = "; ".join(f"rule {rule} {counts[rule]} times, first in {first[rule]}" for rule in rules if rule in first)
    return f"{file.name}: {rejected} of {file.lines} lines rejected, more than {MOST_REJECTED:.0%} ({shown})"


def odd_volume(week: date, rows: dict[date, int]) -> str | None:
    """What is wrong when a week's volume is far from the weeks before it; None when it is not, or when it is the first."""
    recent = [rows[before] for before in sorted(rows) if before < week][-RECENT_WEEKS:]
    if not recent:
        return None if rows[week] else f"week {week_code(week)}: 0 rows, expected > 0"
    usual = median(recent)
    # The first export of a retailer often begins in the middle of a week: that one alone does not say what is too much.
    most = MOST_VOLUME * usual if len(recent) > 1 else float("inf")
    if LEAST_VOLUME * usual <= rows[week] <= most:
        return None
    return f"week {week_code(week)}: {rows[week]} rows, the median of {len(recent)} recent weeks is {usual:.0f}"
