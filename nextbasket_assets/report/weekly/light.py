"""Is the week safe to use? One claim after another, each with the light of a week that breaks it; the worst one decides."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextbasket_assets.limits import (
    LEAST_VOLUME,
    MOST_DRIFT,
    MOST_FALLBACK,
    MOST_REJECTED,
    MOST_UNASSIGNED,
    MOST_VOLUME,
    OLDEST_CHAMPION_WEEKS,
)

if TYPE_CHECKING:
    from nextbasket_assets.report.weekly.facts import WeekFacts

GREEN, AMBER, RED = "green", "amber", "red"
MOST_CALIBRATION_ERROR = 0.05
LEAST_OF_RECENT_RECALL = 0.8  # of the mean of the weeks before
LEAST_JUDGED = 30  # customers; a comparison over fewer is not made

Answer = tuple[bool | None, str]


@dataclass(frozen=True)
class Finding:
    """One claim about the week.

    Attributes:
        claim: what should hold; the name of the check where there is one.
        light: of a week that breaks it.
        held: None when it cannot be known yet.
        found: the numbers that decided.
    """

    claim: str
    light: str
    held: bool | None
    found: str


def light_of(findings: Iterable[Finding]) -> str:
    """Red when a red claim is broken, else amber when an amber one is, else green. What is not known changes nothing."""
    broken = {finding.light for finding in findings if finding.held is False}
    return next((light for light in (RED, AMBER) if light in broken), GREEN)


def findings(facts: "WeekFacts") -> list[Finding]:
    """Every claim about a week, those that make it red first."""
    return [Finding(claim, light, *answer(facts)) for claim, (light, answer) in CLAIMS.items()]


def _lines_add_up(facts: "WeekFacts") -> Answer:
    now = facts.arrived.now
    held = now.lines > 0 and now.lines == now.accepted + now.quarantined
    return held, f"{now.lines:,} lines in, {now.accepted:,} accepted, {now.quarantined:,} quarantined"


def _everybody_has_a_list(facts: "WeekFacts") -> Answer:
    found = facts.scored
    return 0 < found.listed == found.known, f"{found.listed:,} lists for {found.known:,} known customers"


def _by_the_model_in_service(facts: "WeekFacts") -> Answer:
    champion, scored = facts.models.champion, facts.scored
    held = scored.versions.keys() == {champion.version} if champion else scored.fallback == scored.listed
    words = (
        f"in service: {champion.version if champion else 'none'}; scored by {', '.join(scored.versions) or 'nothing'}"
    )
    return held, words


def _not_worse_than_usual(facts: "WeekFacts") -> Answer:
    return _against_usual(facts, lambda low, high: high >= 0)


def _better_than_usual(facts: "WeekFacts") -> Answer:
    if facts.models.champion is None:
        return None, "no model is in service: the lists are by frequency themselves"
    return _against_usual(facts, lambda low, high: low > 0)


def _against_usual(facts: "WeekFacts", holds: Callable[[float, float], bool]) -> Answer:
    if not facts.judged or facts.judged[-1].quality.customers < LEAST_JUDGED:
        return None, f"no week of lists with {LEAST_JUDGED} customers to judge them by yet"
    newest = facts.judged[-1].quality
    mean, low, high = (100 * value for value in newest.ahead)
    words = f"recall@10 {newest.recall:.1%} against {newest.usual:.1%}: {mean:+.1f} points ({low:+.1f} to {high:+.1f})"
    return holds(low, high), words


def _few_quarantined(facts: "WeekFacts") -> Answer:
    share = facts.arrived.quarantined_share
    return share <= MOST_REJECTED, f"{share:.2%} of the lines, at most {MOST_REJECTED:.0%}"


def _usual_volume(facts: "WeekFacts") -> Answer:
    usual, lines = facts.arrived.usual_lines, facts.arrived.now.accepted
    if not usual:
        return None, "no week before to compare with"
    times = lines / usual
    words = f"{times:.2f} times the median of {len(facts.arrived.weeks) - 1} weeks, {LEAST_VOLUME:g} to {MOST_VOLUME:g} is usual"
    return LEAST_VOLUME <= times <= MOST_VOLUME, words


def _week_before(facts: "WeekFacts") -> Answer:
    weeks = facts.arrived.weeks
    if len(weeks) < 2:
        return None, "the first week"
    gap = (weeks[-1].week - weeks[-2].week).days // 7
    return gap == 1, f"the one before in the lake is {gap} week(s) earlier"


def _a_model_scores(facts: "WeekFacts") -> Answer:
    share = facts.scored.fallback_share
    return share <= MOST_FALLBACK, f"{share:.1%} of the lists are the fallback's, at most {MOST_FALLBACK:.0%}"


def _most_have_a_mission(facts: "WeekFacts") -> Answer:
    if facts.unassigned_share is None:
        return None, "no mission model tagged the week"
    share = facts.unassigned_share
    return share <= MOST_UNASSIGNED, f"{share:.1%} of the baskets have none, at most {MOST_UNASSIGNED:.0%}"


def _champion_won(facts: "WeekFacts") -> Answer:
    champion = facts.models.champion
    if champion is None:
        return None, "no model is in service"
    return not champion.why.startswith("promoted by hand"), champion.why


def _champion_is_recent(facts: "WeekFacts") -> Answer:
    age = facts.models.age
    if age is None:
        return None, "no model is in service"
    return age <= OLDEST_CHAMPION_WEEKS, f"{age} week(s) old, at most {OLDEST_CHAMPION_WEEKS}"


def _missions_are_stable(facts: "WeekFacts") -> Answer:
    index = facts.drifts[0].index
    return (
        (None, "no mission model") if index is None else (index < MOST_DRIFT, f"index {index:.3f}, below {MOST_DRIFT}")
    )


def _baskets_are_stable(facts: "WeekFacts") -> Answer:
    known = [one for one in facts.drifts[1:] if one.index is not None]
    if not known:
        return None, "nothing to compare with"
    worst = max(known, key=lambda one: one.index or 0.0)
    return (worst.index or 0.0) < MOST_DRIFT, f"largest index {worst.index:.3f} ({worst.name}), below {MOST_DRIFT}"


def _probabilities_come_true(facts: "WeekFacts") -> Answer:
    if not facts.judged:
        return None, "no week of lists to judge by yet"
    error = facts.judged[-1].calibration.error
    return (
        error <= MOST_CALIBRATION_ERROR,
        f"off by {100 * error:.1f} points on average, at most {100 * MOST_CALIBRATION_ERROR:.0f}",
    )


def _as_good_as_before(facts: "WeekFacts") -> Answer:
    known = [one.quality for one in facts.judged if one.quality.customers >= LEAST_JUDGED]
    if len(known) < 2:
        return None, "fewer than two weeks of lists to compare"
    before, newest = sum(one.recall for one in known[:-1]) / (len(known) - 1), known[-1]
    words = (
        f"recall@10 {newest.recall:.1%} ± {newest.chance:.1%}, {before:.1%} on average before; "
        f"below {LEAST_OF_RECENT_RECALL:.0%} of that beyond chance is worse"
    )
    return newest.recall + newest.chance >= LEAST_OF_RECENT_RECALL * before, words


CLAIMS: dict[str, tuple[str, Callable[["WeekFacts"], Answer]]] = {
    "lines_in_are_accepted_or_rejected": (RED, _lines_add_up),
    "every_known_customer_has_a_list": (RED, _everybody_has_a_list),
    "the_lists_are_by_the_model_in_service": (RED, _by_the_model_in_service),
    "the_lists_are_not_worse_than_what_each_customer_buys_most": (RED, _not_worse_than_usual),
    "the_lists_are_better_than_what_each_customer_buys_most": (AMBER, _better_than_usual),
    "the_lists_are_as_good_as_in_recent_weeks": (AMBER, _as_good_as_before),
    "the_probabilities_come_true": (AMBER, _probabilities_come_true),
    "most_customers_are_scored_by_the_model": (AMBER, _a_model_scores),
    "the_model_in_service_won_its_gate": (AMBER, _champion_won),
    "the_model_in_service_is_recent": (AMBER, _champion_is_recent),
    "few_lines_are_rejected": (AMBER, _few_quarantined),
    "the_volume_is_like_recent_weeks": (AMBER, _usual_volume),
    "the_week_before_is_there": (AMBER, _week_before),
    "most_baskets_have_a_mission": (AMBER, _most_have_a_mission),
    "mission_shares_are_like_in_training": (AMBER, _missions_are_stable),
    "the_baskets_are_like_those_the_model_learned_from": (AMBER, _baskets_are_stable),
}


def reasons(found: Sequence[Finding]) -> list[Finding]:
    """The broken claims, red ones first; empty for a green week."""
    return sorted((one for one in found if one.held is False), key=lambda one: one.light != RED)
