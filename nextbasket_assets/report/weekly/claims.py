"""What is asked about a week: one claim after another, those that make it red first, each with what to do when it is broken."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nextbasket_assets.landing import week_code
from nextbasket_assets.limits import (
    LEAST_VOLUME,
    MOST_FALLBACK,
    MOST_REJECTED,
    MOST_UNASSIGNED,
    MOST_VOLUME,
    SOME_CONFLICTING,
)
from nextbasket_assets.report.weekly.light import AMBER, RED, Answer, Claim, Finding

if TYPE_CHECKING:
    from nextbasket_assets.report.weekly.facts import WeekFacts
    from nextbasket_assets.report.weekly.quality import JudgedWeek

MOST_CALIBRATION_ERROR = 0.05
LEAST_OF_RECENT_RECALL = 0.8  # of the mean of the weeks before
LEAST_JUDGED = 30  # customers; a comparison over fewer is not made

_NOBODY_TO_JUDGE_BY = f"no newest week of lists with {LEAST_JUDGED} customers who came in the week after"


def findings(facts: "WeekFacts") -> list[Finding]:
    """Every claim about a week, those that make it red first."""
    return [Finding(name, claim.light, *claim.answer(facts)) for name, claim in CLAIMS.items()]


def remedy(claim: str, facts: "WeekFacts") -> str:
    """What to do about a broken claim, which may differ when no model is in service."""
    broken = CLAIMS[claim]
    return broken.without_model or broken.remedy if facts.models.champion is None else broken.remedy


def _lines_add_up(facts: "WeekFacts") -> Answer:
    now = facts.arrived.now
    held = now.lines == now.accepted + now.quarantined
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
    newest, why_not = _newest(facts)
    if newest is None:
        return None, why_not
    found = newest.quality
    mean, low, high = (100 * value for value in found.ahead)
    points = f"{mean:+.1f} points ({low:+.1f} to {high:+.1f})"
    return holds(low, high), f"{_lists_of(newest)}: recall@10 {found.recall:.1%} against {found.usual:.1%}: {points}"


def _newest(facts: "WeekFacts") -> "tuple[JudgedWeek | None, str]":
    """The newest lists that can be judged; none, and why, where few came, or where they say nothing of what is in service."""
    if not facts.judged or facts.judged[-1].quality.customers < LEAST_JUDGED:
        return None, _NOBODY_TO_JUDGE_BY
    newest, champion = facts.judged[-1], facts.models.champion
    if newest.versions != ({champion.version} if champion else set()):
        made = ", ".join(sorted(newest.versions)) or "the fallback"
        return (
            None,
            f"{_lists_of(newest)}, the newest that can be judged, were made by {made}, which is not in service now",
        )
    return newest, ""


def _lists_of(week: "JudgedWeek") -> str:
    return f"lists of {week_code(week.week)}"


def _few_quarantined(facts: "WeekFacts") -> Answer:
    share = facts.arrived.quarantined_share
    return share <= MOST_REJECTED, f"{share:.2%} of the lines, at most {MOST_REJECTED:.0%}"


def _few_conflicting(facts: "WeekFacts") -> Answer:
    share = facts.arrived.conflicting_share
    return share <= SOME_CONFLICTING, f"{share:.2%} of the lines, at most {SOME_CONFLICTING:.0%}"


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
    return age <= facts.oldest_champion, f"{age} week(s) old, at most {facts.oldest_champion}"


def _missions_are_stable(facts: "WeekFacts") -> Answer:
    index, limit = facts.drifts[0].index, facts.drifts[0].limit
    return (None, "no mission model") if index is None else (index < limit, f"index {index:.3f}, below {limit:.3g}")


def _baskets_are_stable(facts: "WeekFacts") -> Answer:
    known = [one for one in facts.drifts[1:] if one.index is not None]
    if not known:
        return None, "nothing to compare with"
    worst = max(known, key=lambda one: (one.index or 0.0) / one.limit)
    return (worst.index or 0.0) < worst.limit, f"index {worst.index:.3f} ({worst.name}), below {worst.limit:.3g}"


def _probabilities_come_true(facts: "WeekFacts") -> Answer:
    newest, why_not = _newest(facts)
    if newest is None:
        return None, why_not
    error, most = newest.calibration.error, MOST_CALIBRATION_ERROR
    return error <= most, f"{_lists_of(newest)}: off by {100 * error:.1f} points on average, at most {100 * most:.0f}"


def _as_good_as_before(facts: "WeekFacts") -> Answer:
    newest, why_not = _newest(facts)
    if newest is None:
        return None, why_not
    earlier = [one.quality.recall for one in facts.judged[:-1] if one.quality.customers >= LEAST_JUDGED]
    if not earlier:
        return None, "fewer than two weeks of lists to compare"
    now, before = newest.quality, sum(earlier) / len(earlier)
    words = (
        f"{_lists_of(newest)}: recall@10 {now.recall:.1%} ± {now.chance:.1%}, {before:.1%} on average before; "
        f"below {LEAST_OF_RECENT_RECALL:.0%} of that beyond chance is worse"
    )
    return now.recall + now.chance >= LEAST_OF_RECENT_RECALL * before, words


CLAIMS = {
    "lines_in_are_accepted_or_rejected": Claim(RED, _lines_add_up, "start the run again; report it if it stays"),
    "every_known_customer_has_a_list": Claim(RED, _everybody_has_a_list, "score the week again"),
    "the_lists_are_by_the_model_in_service": Claim(
        RED, _by_the_model_in_service, "score again: a rollback or a promotion came after the lists"
    ),
    "the_lists_are_not_worse_than_what_each_customer_buys_most": Claim(
        RED, _not_worse_than_usual, "nextbasket rollback, then look at drift", "train a model, then look at drift"
    ),
    "the_lists_are_better_than_what_each_customer_buys_most": Claim(
        AMBER, _better_than_usual, "train a new model; with few customers wait for more weeks"
    ),
    "the_lists_are_as_good_as_in_recent_weeks": Claim(
        AMBER, _as_good_as_before, "look at segments and drift; train a new model if it stays"
    ),
    "the_probabilities_come_true": Claim(
        AMBER, _probabilities_come_true, "use the order of the lists, not the probabilities; train again"
    ),
    "most_customers_are_scored_by_the_model": Claim(
        AMBER, _a_model_scores, "train a model; until one is promoted this is as it should be"
    ),
    "the_model_in_service_won_its_gate": Claim(AMBER, _champion_won, "know why it was: the registry says who and why"),
    "the_model_in_service_is_recent": Claim(
        AMBER, _champion_is_recent, "train_models; the retraining policy does it with the next week"
    ),
    "few_lines_are_rejected": Claim(AMBER, _few_quarantined, "see the rules under Rows; correct the file"),
    "few_lines_are_of_conflicting_baskets": Claim(
        AMBER, _few_conflicting, "BASKET_ID is not unique: add till and date to the id, and land the weeks again"
    ),
    "the_volume_is_like_recent_weeks": Claim(AMBER, _usual_volume, "is the file whole, is it there twice?"),
    "the_week_before_is_there": Claim(AMBER, _week_before, "deliver the missing week"),
    "most_baskets_have_a_mission": Claim(AMBER, _most_have_a_mission, "train mission_model"),
    "mission_shares_are_like_in_training": Claim(
        AMBER, _missions_are_stable, "see Drift; train mission_model if it stays"
    ),
    "the_baskets_are_like_those_the_model_learned_from": Claim(
        AMBER, _baskets_are_stable, "see Drift; train a new model if it stays"
    ),
}
