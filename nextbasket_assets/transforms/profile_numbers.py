"""Counts of a week to the rows of its profile: shares, means, indices and their intervals. Plain Python, no engine.

An index is 100 times a mission's share over that of all baskets. Its interval is Wilson's 95 % score interval of the mission's
share, with the share of all baskets taken as known: a little too wide for a mission that is most of the trade. Where lines
are counted, baskets are the clusters: the number of cases is the one that would give the variance found between baskets.
Intervals are one at a time: among hundreds of levels one in forty lies above 100, and one below, by chance.

Sums of real numbers are exact (`fsum`), so that their order does not matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import fsum, sqrt
from typing import Any

from nextbasket_assets.stability import by_chance, stability_index
from nextbasket_assets.transforms.intervals import Z, newcombe, wilson

ALL, UNASSIGNED = "all", "unassigned"
ITEM, NEXT_MISSION = "item", "next_mission"

Counts = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """What a profile shows and how far it looks back."""

    look_back_weeks: int = 8  # of the trend, and how old a customer's previous basket may be
    training_weeks: int = 52  # up to the model's week: the window that drift is measured against
    min_item_baskets: int = 10  # of the mission in this week: below it a lift is chance
    top_items: int = 20  # per mission


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A row of mission_profiles without its model."""

    week: date
    mission: str
    section: str
    name: str
    level: str
    baskets: int
    value: float
    index: float | None = None
    low: float | None = None
    high: float | None = None


def index_rows(counts: Counts, settings: ProfileSettings) -> list[ProfileRow]:
    """Share of the mission's cases at each level, with index and interval; of items the most typical only.

    A level that a mission never has is a row of 0, with the interval that this leaves open.

    Args:
        counts: rows of `profiles.level_counts`.
        settings: how many items per mission.
    """
    asked: dict[tuple[date, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    found: dict[tuple[date, str], dict[tuple[str, str], Mapping[str, Any]]] = defaultdict(dict)
    for row in counts:
        question = (row["week"], row["name"])
        if row["level"] is None:
            asked[question][row["mission"]] = row
        else:
            found[question][row["mission"], row["level"]] = row
    rows: list[ProfileRow] = []
    for question, answers in found.items():
        levels = sorted({level for mission, level in answers if mission == ALL})
        for mission, whole in asked[question].items():
            made = [
                _indexed(question, mission, level, whole, answers, asked[question][ALL])
                for level in levels
                if question[1] != ITEM or (mission, level) in answers
            ]
            rows += made if question[1] != ITEM else _most_typical(mission, made, settings.top_items)
    return rows


def _indexed(
    question: tuple[date, str],
    mission: str,
    level: str,
    whole: Mapping[str, Any],
    answers: Mapping[tuple[str, str], Mapping[str, Any]],
    average: Mapping[str, Any],
) -> ProfileRow:
    """One level of one mission; `whole` has the mission's cases and their squares, `average` those of all baskets."""
    nothing = {"baskets": 0, "x": 0, "xx": 0, "xm": 0}
    row, cases = answers.get((mission, level), nothing), int(whole["x"])
    share, base = row["x"] / cases, answers[ALL, level]["x"] / average["x"]
    # cases^2 * sum((x - share * cases)^2) over baskets, in whole numbers: what the share varies between them.
    x, xx, xm, squares = (int(number) for number in (row["x"], row["xx"], row["xm"], whole["xx"]))
    spread = xx * cases**2 - 2 * x * xm * cases + x**2 * squares
    variance = spread / cases**4
    # Without any spread (never, always, or as often in each) each basket is one case; lines are never more cases than lines.
    certain = x in (0, cases) or spread <= 0
    low, high = wilson(share, whole["baskets"] if certain else min(share * (1 - share) / variance, cases))
    section = {ITEM: ITEM, NEXT_MISSION: "transition"}.get(question[1], "attribute")
    head = (question[0], mission, section, question[1], level, int(row["baskets"]), share)
    if mission == ALL:
        return ProfileRow(*head, 100.0)
    index = 100 * share / base
    return ProfileRow(*head, index, min(index, 100 * low / base), max(index, 100 * high / base))


def _most_typical(mission: str, rows: list[ProfileRow], limit: int) -> list[ProfileRow]:
    """The items with the highest index; ties go by count, then code. 'all' has no index, 'unassigned' no known item."""
    if mission in (ALL, UNASSIGNED):
        return []
    return sorted(rows, key=lambda row: (-(row.index or 0.0), -row.baskets, row.level))[:limit]


def overall_rows(sums: Counts) -> list[ProfileRow]:
    """Share of baskets and of spend, and means per basket with their index.

    Args:
        sums: rows of `profiles.measure_sums`.
    """
    grouped: dict[tuple[date, str, int], dict[str, tuple[int, int, int]]] = defaultdict(dict)
    for row in sums:
        grouped[row["week"], row["name"], row["scale"]][row["mission"]] = (row["n"], int(row["x"]), int(row["xx"]))
    rows: list[ProfileRow] = []
    for (week, name, scale), found in grouped.items():
        n, x, xx = (sum(column) for column in zip(*found.values(), strict=True))
        found = {**found, ALL: (n, x, xx)}
        rows += [_mean(week, mission, name, scale, sums_, found[ALL]) for mission, sums_ in found.items()]
        if name == "mean_items":  # the measure that every basket has
            for mission, (part, _, _) in found.items():
                rows.append(_share(week, mission, "share_of_baskets", part, part / n, n))
        if name == "mean_spend" and x > 0:
            for mission, sums_ in found.items():
                rows.append(_share_of_spend(week, mission, sums_, (n, x, xx)))
    return rows


def _mean(
    week: date, mission: str, name: str, scale: int, sums: tuple[int, int, int], of_all: tuple[int, int, int]
) -> ProfileRow:
    n, x, xx = sums
    mean, mean_all = x / n, of_all[1] / of_all[0]
    head = (week, mission, "overall", name, "", n, mean / scale)
    if mission == ALL:
        return ProfileRow(*head, 100.0)
    if mean_all <= 0:
        return ProfileRow(*head)
    index = 100 * mean / mean_all
    if n < 2:
        return ProfileRow(*head, index)
    half = 100 * Z * sqrt((n * xx - x * x) / (n * n * (n - 1))) / mean_all
    return ProfileRow(*head, index, max(0.0, index - half), index + half)


def _share(week: date, mission: str, name: str, baskets: int, share: float, cases: float) -> ProfileRow:
    head = (week, mission, "overall", name, "", baskets, share, None)
    return ProfileRow(*head) if mission == ALL else ProfileRow(*head, *wilson(share, cases))


def _share_of_spend(week: date, mission: str, sums: tuple[int, int, int], of_all: tuple[int, int, int]) -> ProfileRow:
    """Baskets are the clusters: a mission of a few dear baskets has a share that few cases stand for."""
    (baskets, x, xx), (n, total, squares) = sums, of_all
    share = x / total
    variance = ((1 - share) ** 2 * xx + share**2 * (squares - xx)) / total / total
    cases = n if x in (0, total) or variance <= 0 else share * (1 - share) / variance
    return _share(week, mission, "share_of_spend", baskets, share, cases)


def trend_rows(counts: Counts) -> list[ProfileRow]:
    """A mission's share of the baskets week by week, and its change: this week's less the mean of those before.

    The change is in percentage points; its interval (Newcombe's) is of sampling alone, and knows nothing of seasons.

    Args:
        counts: asked, week, mission, baskets.
    """
    found: dict[date, dict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in counts:
        found[row["asked"]][row["week"]][row["mission"]] = row["baskets"]
    rows: list[ProfileRow] = []
    for asked, weeks in found.items():
        for mission in sorted({mission for baskets in weeks.values() for mission in baskets}):
            shares: dict[date, tuple[int, float, int]] = {}
            for week, baskets in sorted(weeks.items()):
                part, total = baskets.get(mission, 0), sum(baskets.values())
                shares[week] = (part, part / total, total)
                head = (asked, mission, "trend", "share", week.isoformat(), part, part / total, None)
                rows.append(ProfileRow(*head, *wilson(part / total, total)))
            if len(shares) > 1 and asked in shares:
                rows.append(_change(asked, mission, shares))
    return rows


def _change(asked: date, mission: str, shares: Mapping[date, tuple[int, float, int]]) -> ProfileRow:
    baskets, share, total = shares[asked]
    before = [(earlier, n) for week, (_, earlier, n) in shares.items() if week != asked]
    mean = fsum(earlier for earlier, _ in before) / len(before)
    # So many baskets of one week would give a share as certain as the mean of all these weeks' shares.
    cases = len(before) ** 2 / fsum(1 / n for _, n in before)
    low, high = newcombe(share, total, mean, cases)
    change = 100 * (share - mean)
    return ProfileRow(asked, mission, "trend", "change", "", baskets, change, None, 100 * low, 100 * high)


def drift_rows(week: date, now: Mapping[str, int], then: Mapping[str, int]) -> list[ProfileRow]:
    """Population stability index of the missions' shares against the model's training window, and what nobody knows.

    The index compares baskets that have a mission, with half a basket more in each mission, so that an empty one counts and
    does not explode. Both sides are tagged by the same model. `psi_by_chance` is what the index of so few baskets stays below
    in nineteen weeks of twenty when nothing changed: an index at that height is none.

    Args:
        week: of the baskets.
        now: mission, 'unassigned' included, to baskets of the week.
        then: mission to baskets of the training window; empty when there was no model.
    """
    assigned = {mission: baskets for mission, baskets in now.items() if mission != UNASSIGNED}
    total, total_now, total_then = sum(now.values()), sum(assigned.values()), sum(then.values())
    unknown = now.get(UNASSIGNED, 0)
    head = (week, ALL, "drift", "share_without_known_item", "", unknown, unknown / total, None)
    rows = [ProfileRow(*head, *wilson(unknown / total, total))]
    if not then or not assigned:
        return rows
    missions = sorted(assigned.keys() | then.keys())
    for mission in missions:
        share = then.get(mission, 0) / total_then
        head = (week, mission, "drift", "training_share", "", then.get(mission, 0), share, None)
        rows.append(ProfileRow(*head, *wilson(share, total_then)))
    rows.append(ProfileRow(week, ALL, "drift", "psi", "", total_now, stability_index(assigned, then)))
    chance = by_chance(len(missions), total_now, total_then)
    rows.append(ProfileRow(week, ALL, "drift", "psi_by_chance", "", total_now, chance))
    return rows
