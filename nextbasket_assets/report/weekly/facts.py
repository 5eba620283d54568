"""All that a week's report says, gathered from the lake: weeks up to its own, and later ones for what people then bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.limits import OLDEST_CHAMPION_WEEKS
from nextbasket_assets.report.cards import MissionCard, cards
from nextbasket_assets.report.weekly.arrived import Arrived, arrived
from nextbasket_assets.report.weekly.claims import findings
from nextbasket_assets.report.weekly.drift import Drift, drifts
from nextbasket_assets.report.weekly.inputs import RunFacts
from nextbasket_assets.report.weekly.light import Finding, light_of
from nextbasket_assets.report.weekly.people import Aftermath, Person, aftermath, people
from nextbasket_assets.report.weekly.quality import JudgedWeek, Segment, judged_weeks, segments
from nextbasket_assets.report.weekly.scored import Models, Scored, models, scored


@dataclass(frozen=True)
class WeekFacts:
    """One week's report in numbers.

    Attributes:
        week: its Monday.
        profile: the week's rows of mission_profiles. names: mission id to name. cards: of the missions, largest first.
        unassigned_share: of the baskets, without a mission; None without a mission model.
        judged: the last weeks' lists against the week after each, oldest first.
        drifts: missions first.
        dozen: customers.
        oldest_champion: weeks after which this shop replaces its model.
        run: how it was made.
        after: what people then bought: the only part that reads later weeks.
        published: what was found when the week's claims were published; a page that is made again says the same.
    """

    week: date
    arrived: Arrived
    scored: Scored
    models: Models
    profile: Sequence[Mapping[str, Any]]
    names: Mapping[str, str]
    cards: Sequence[MissionCard]
    unassigned_share: float | None
    judged: Sequence[JudgedWeek]
    drifts: Sequence[Drift]
    dozen: Sequence[Person]
    oldest_champion: int
    run: RunFacts
    after: Aftermath
    published: Sequence[Finding] = ()

    @property
    def segments(self) -> list[Segment]:
        """The quality by segment, over all judged weeks together; a customer counts once in each level."""
        return segments(pa.concat_tables([one.rows for one in self.judged])) if self.judged else []

    @property
    def findings(self) -> list[Finding]:
        """Every claim about the week."""
        return list(self.published) or findings(self)

    @property
    def light(self) -> str:
        """Green, amber or red."""
        return light_of(self.findings)

    @property
    def metrics(self) -> dict[str, float]:
        """The week in eight numbers with stable names; those that are not known yet are left out."""
        newest = self.judged[-1] if self.judged else None
        found: dict[str, float | None] = {
            "quarantined_share": self.arrived.quarantined_share,
            "customers_scored": self.scored.listed,
            "fallback_share": self.scored.fallback_share,
            "recall_at_10": newest.quality.recall if newest else None,
            "recall_explore_at_10": newest.quality.explore if newest else None,
            "calibration_error_7_days": newest.calibration.error if newest else None,
            "largest_drift": max((one.index for one in self.drifts if one.index is not None), default=None),
            "broken_claims": sum(one.held is False for one in self.findings),
        }
        return {name: value for name, value in found.items() if value is not None}


def gather(
    lake: Lake,
    week: date,
    catalogue: Catalogue,
    names: Mapping[str, str],
    run: RunFacts,
    published: Sequence[Finding] = (),
    *,
    oldest_champion: int = OLDEST_CHAMPION_WEEKS,
) -> WeekFacts:
    """The facts of a week whose lists are in the lake.

    Args:
        lake: the tables.
        week: its Monday.
        catalogue: names of items and categories.
        names: mission id to name, of the model that tagged the week.
        run: how the week was made.
        published: what was found about it, of a week whose claims are not looked at again.
        oldest_champion: weeks after which this shop replaces its model.
    """
    in_service = models(lake, week)
    profile = [dict(row) for row in lake.read("mission_profiles", [week]).to_pylist()]
    dozen = people(lake, week, catalogue, names)
    return WeekFacts(
        week=week,
        arrived=arrived(lake, week),
        scored=scored(lake, week),
        models=in_service,
        profile=profile,
        names=names,
        cards=cards(profile, names, catalogue),
        unassigned_share=_unassigned_share(profile),
        judged=judged_weeks(lake, week),
        drifts=drifts(lake, week, in_service, profile),
        dozen=dozen,
        oldest_champion=oldest_champion,
        run=run,
        after=aftermath(lake, week, dozen, catalogue),
        published=published,
    )


def _unassigned_share(profile: Sequence[Mapping[str, Any]]) -> float | None:
    if all(row["mission_model"] is None for row in profile):
        return None
    shares = {row["mission"]: row["value"] for row in profile if row["name"] == "share_of_baskets"}
    return float(shares.get("unassigned", 0.0))
