"""The page: a week's facts as one HTML file that needs nothing else, no network and no script.

Everything that is shown goes through jinja's autoescape: a product named `<script>` is text.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from nextbasket_assets import limits
from nextbasket_assets.landing import week_code
from nextbasket_assets.report.cards import MissionCard, titled
from nextbasket_assets.report.weekly import charts, claims, drift, light, quality, scored
from nextbasket_assets.report.weekly.facts import WeekFacts

LIGHTS = {  # light -> its symbol, its word and what it means: never a colour alone
    light.GREEN: ("✔", "Green: safe to use"),
    light.AMBER: ("▲", "Amber: usable, with care"),
    light.RED: ("✖", "Red: do not use"),
}


def render(facts: WeekFacts) -> str:
    """The page of a week."""
    return _environment().get_template("page.html.j2").render(
        facts=facts,
        found=facts.findings,
        reasons=[(one, _remedy(one.claim, facts)) for one in light.reasons(facts.findings)],
        symbol=LIGHTS[facts.light][0],
        verdict=LIGHTS[facts.light][1],
        cards=[(card, _trend(facts.profile, card)) for card in facts.cards],
        segments=facts.segments,
        quality_series=_series(facts),
        charts=charts,
        drift_limits=(limits.SOME_DRIFT, limits.MOST_DRIFT),
        thin=quality.THIN,
        heavy=quality.HEAVY,
        metrics=[_metric_name(*shown) for shown in scored.SHOWN_METRICS],
        reference_weeks=drift.REFERENCE_WEEKS,
        least_judged=claims.LEAST_JUDGED,
    )  # fmt: skip


def _remedy(claim: str, facts: WeekFacts) -> str:
    """What to do about a broken claim; an older version of this code may have published one that is no more."""
    return claims.remedy(claim, facts) if claim in claims.CLAIMS else "see docs/report.md"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nextbasket_assets.report.weekly"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "week": week_code,
        "day": _day,
        "percent": _percent,
        "count": lambda value: f"{value:,}",
        "words": lambda name: name.replace("_", " "),
        "sunday": lambda week: _day(week + timedelta(days=6)),
        "duration": _duration,
        "signed": _signed,
        "points": lambda ahead: "{} ({} to {})".format(*(_signed(100 * share) for share in ahead)),
    }
    environment.globals["titled"] = titled
    return environment


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _percent(share: float, digits: int = 1) -> str:
    return f"{share:.{digits}%}"


def _signed(value: float) -> str:
    """With its sign, the minus as wide as the plus; nothing is minus nothing."""
    return f"{round(value, 1) + 0.0:+.1f}".replace("-", "\N{MINUS SIGN}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _metric_name(metric: str, k: int) -> str:
    named = {"phr": "hit rate", "recall_repeat": "repeat recall", "recall_explore": "explore recall", "ndcg": "nDCG"}
    return f"{named.get(metric, metric.replace('_', ' '))}@{k}"


def _trend(profile: Sequence[Mapping[str, Any]], card: MissionCard) -> list[Mapping[str, Any]]:
    """A mission's shares over the weeks, oldest first."""
    rows = [row for row in profile if (row["section"], row["name"]) == ("trend", "share")]
    return sorted((row for row in rows if row["mission"] == card.mission), key=lambda row: str(row["level"]))


def _series(facts: WeekFacts) -> dict[str, list[float]]:
    found = [one.quality for one in facts.judged]
    return {
        "all items": [one.recall for one in found],
        "repeat": [one.repeat for one in found],
        "explore": [one.explore for one in found],
        "usual items": [one.usual for one in found],
    }
