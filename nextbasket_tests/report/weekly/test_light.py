"""The traffic light as a table: what is broken, and which light the week gets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.columns import TABLES
from nextbasket_assets.columns import WEEK as WEEK_COLUMN
from nextbasket_assets.report.weekly.arrived import arrived as arrived_of
from nextbasket_assets.report.weekly.claims import CLAIMS, remedy
from nextbasket_assets.report.weekly.drift import Drift
from nextbasket_assets.report.weekly.facts import WeekFacts, gather
from nextbasket_assets.report.weekly.inputs import RunFacts
from nextbasket_assets.report.weekly.light import AMBER, GREEN, RED, Claim, Finding, light_of, reasons
from nextbasket_assets.report.weekly.quality import Calibration, JudgedWeek
from nextbasket_tests.report.weekly.weeks import MODEL, WEEKS, put, score, small_lake

DOCS = Path(__file__).parents[3] / "docs" / "report.md"


@pytest.fixture(scope="module")
def green(tmp_path_factory: pytest.TempPathFactory) -> WeekFacts:
    """The hand-made week, with lists that beat the usual items and probabilities that come true."""
    lake = small_lake(str(tmp_path_factory.mktemp("lake")))
    facts = gather(lake, WEEKS[3], Catalogue(), {}, RunFacts())
    return replace(facts, judged=[better(one) for one in facts.judged])


def better(one: JudgedWeek, ahead: tuple[float, float, float] = (0.1, 0.05, 0.15)) -> JudgedWeek:
    return replace(one, quality=replace(one.quality, ahead=ahead), calibration=Calibration([0.5], [0.5], [10]))


def arrived(facts: WeekFacts, **now: int) -> WeekFacts:
    weeks = [*facts.arrived.weeks[:-1], replace(facts.arrived.now, **now)]
    return replace(facts, arrived=replace(facts.arrived, weeks=weeks))


def scored(facts: WeekFacts, **changes: object) -> WeekFacts:
    return replace(facts, scored=replace(facts.scored, **changes))  # type: ignore[arg-type]


def judged(facts: WeekFacts, **changes: object) -> WeekFacts:
    newest = facts.judged[-1]
    changed = replace(newest, quality=replace(newest.quality, **changes))  # type: ignore[arg-type]
    return replace(facts, judged=[*facts.judged[:-1], changed])


def champion(facts: WeekFacts, why: str) -> WeekFacts:
    assert facts.models.champion is not None
    return replace(facts, models=replace(facts.models, champion=replace(facts.models.champion, why=why)))


BREAKS: dict[str, tuple[str, Callable[[WeekFacts], WeekFacts]]] = {
    "lines_in_are_accepted_or_rejected": (RED, lambda facts: arrived(facts, accepted=998)),
    "every_known_customer_has_a_list": (RED, lambda facts: scored(facts, known=41)),
    "the_lists_are_by_the_model_in_service": (RED, lambda facts: scored(facts, versions={"another": 40})),
    "the_lists_are_not_worse_than_what_each_customer_buys_most": (
        RED,
        lambda facts: judged(facts, ahead=(-0.1, -0.15, -0.05)),
    ),
    "the_lists_are_better_than_what_each_customer_buys_most": (
        AMBER,
        lambda facts: judged(facts, ahead=(0.01, -0.01, 0.03)),
    ),
    "the_lists_are_as_good_as_in_recent_weeks": (AMBER, lambda facts: judged(facts, recall=0.7, chance=0.05)),
    "the_probabilities_come_true": (
        AMBER,
        lambda facts: replace(
            facts, judged=[replace(one, calibration=Calibration([0.5], [0.44], [10])) for one in facts.judged]
        ),
    ),
    "most_customers_are_scored_by_the_model": (AMBER, lambda facts: scored(facts, fallback=21)),
    "the_model_in_service_won_its_gate": (AMBER, lambda facts: champion(facts, "promoted by hand: I like it")),
    "the_model_in_service_is_recent": (AMBER, lambda facts: replace(facts, models=replace(facts.models, age=14))),
    "few_lines_are_rejected": (AMBER, lambda facts: arrived(facts, accepted=980, quarantined=20)),
    "few_lines_are_of_conflicting_baskets": (
        AMBER,
        lambda facts: replace(facts, arrived=replace(facts.arrived, conflicting=21)),
    ),
    "the_volume_is_like_recent_weeks": (AMBER, lambda facts: arrived(facts, accepted=100, quarantined=0, lines=100)),
    "the_week_before_is_there": (
        AMBER,
        lambda facts: replace(facts, arrived=replace(facts.arrived, weeks=[facts.arrived.weeks[0], facts.arrived.now])),
    ),
    "most_baskets_have_a_mission": (AMBER, lambda facts: replace(facts, unassigned_share=0.21)),
    "mission_shares_are_like_in_training": (
        AMBER,
        lambda facts: replace(facts, drifts=[Drift("mission", 0.25, None), *facts.drifts[1:]]),
    ),
    "the_baskets_are_like_those_the_model_learned_from": (
        AMBER,
        lambda facts: replace(facts, drifts=[*facts.drifts, Drift("weekday", 0.3, None)]),
    ),
}


def test_a_sound_week_is_green(green: WeekFacts) -> None:
    """No claim is broken, and all of them are known."""
    assert reasons(green.findings) == []
    assert all(finding.held for finding in green.findings), green.findings
    assert green.light == GREEN
    assert green.week - timedelta(weeks=2) == WEEKS[1]


@pytest.mark.parametrize("claim", BREAKS)
def test_each_claim_can_be_broken_and_gives_its_light(green: WeekFacts, claim: str) -> None:
    """Breaking one claim breaks that one, and the week has the claim's light."""
    light, broken = BREAKS[claim]
    week = broken(green)

    assert claim in [finding.claim for finding in reasons(week.findings)]
    assert week.light == light
    assert CLAIMS[claim].light == light


def test_every_claim_is_in_the_table() -> None:
    """No claim without a case that breaks it."""
    assert BREAKS.keys() == CLAIMS.keys()


def test_every_claim_is_explained() -> None:
    """docs/report.md has a row for each claim with its light and what to do, and none for a claim that is gone."""
    lines = DOCS.read_text().replace("`", "").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if " | red | " in line or " | amber | " in line]
    explained = {row[0].replace(" ", "_"): (row[1], row[3]) for row in rows}

    assert explained == {name: (claim.light, told(claim)) for name, claim in CLAIMS.items()}


def told(claim: Claim) -> str:
    return "; without a model in service: ".join(filter(None, (claim.remedy, claim.without_model)))


def test_without_a_model_nobody_is_told_to_roll_back(green: WeekFacts) -> None:
    """Lists worse than the usual items are red with or without a model, and `rollback` is advised only when there is one."""
    worse = judged(green, ahead=(-0.1, -0.15, -0.05))
    by_nobody = [replace(one, versions=frozenset[str]()) for one in worse.judged]
    bare = replace(worse, models=replace(worse.models, champion=None, age=None), judged=by_nobody)
    claim = "the_lists_are_not_worse_than_what_each_customer_buys_most"

    assert claim in [finding.claim for finding in reasons(bare.findings)]
    assert remedy(claim, worse) == "nextbasket rollback, then look at drift"
    assert not any("nextbasket rollback" in remedy(name, bare) for name in CLAIMS)


def test_the_worst_broken_claim_decides() -> None:
    """Red before amber before green; what is not known changes nothing, and a claim that holds neither."""
    red, amber, unknown, held = (
        Finding("claim", light, held, "") for light, held in ((RED, False), (AMBER, False), (RED, None), (RED, True))
    )

    assert light_of([]) == light_of([unknown, held]) == GREEN
    assert light_of([amber, held]) == AMBER
    assert light_of([amber, red]) == RED
    assert reasons([amber, held, red]) == [red, amber]


def test_a_week_without_a_model_is_amber_and_nothing_is_guessed(green: WeekFacts) -> None:
    """Lists by frequency with no model in service: usable with care; what only a model has is not known."""
    none = replace(green.models, champion=None, age=None)
    week = scored(replace(green, models=none, judged=[]), fallback=40, versions={"top-frequency": 40})
    unknown = {finding.claim for finding in week.findings if finding.held is None}

    assert [finding.claim for finding in reasons(week.findings)] == ["most_customers_are_scored_by_the_model"]
    assert {"the_model_in_service_won_its_gate", "the_probabilities_come_true"} <= unknown


def test_lines_of_no_staged_basket_are_of_a_conflicting_one(tmp_path: Path) -> None:
    """Counted from the tables themselves; an id that a spreadsheet damaged is none of them, for its basket was rebuilt."""
    lake = small_lake(str(tmp_path / "lake"), WEEKS[:2])
    ids = [*[f"{WEEKS[1]}-1"] * 3, *["receipt 7"] * 2, "9.94E+14"]
    put(lake, "raw_transactions", WEEKS[1], [raw(WEEKS[1], number, basket) for number, basket in enumerate(ids)])

    assert arrived_of(lake, WEEKS[1]).conflicting == 2
    assert arrived_of(lake, WEEKS[0]).conflicting == 0


def raw(week: date, number: int, basket: str) -> dict[str, object]:
    empty = {column.name: None for column in TABLES["raw_transactions"] if column.name != WEEK_COLUMN}
    told = {"source_file": "f", "line_number": number, "basket": basket, "item": "x", "store": "S1"}
    return empty | told | {"date": week, "hour": 9, "quantity": 1, "spend": Decimal("1.00")}


def test_an_empty_week_is_amber_and_judges_nobody(tmp_path: Path) -> None:
    """A week that was taken empty: its volume is odd, and nothing is said of lists that nobody could follow."""
    lake, empty = small_lake(str(tmp_path / "lake")), WEEKS[3] + timedelta(weeks=1)
    landed = {"source_file": "f", "sha256": "0", "bytes": 1, "lines": 0, "accepted": 0, "rejected": 0}
    put(lake, "landed_files", empty, [landed])
    put(lake, "staged_baskets", empty, [])
    score(lake, empty)
    week = gather(lake, empty, Catalogue(), {}, RunFacts())

    assert [finding.claim for finding in reasons(week.findings)] == ["the_volume_is_like_recent_weeks"]
    assert (week.light, week.judged[-1].quality.customers) == (AMBER, 0)


def test_a_shop_that_keeps_its_models_longer_is_not_warned(green: WeekFacts) -> None:
    """The age that is too old is the shop's own."""
    older = replace(green, models=replace(green.models, age=20), oldest_champion=26)

    assert [one.found for one in older.findings if one.claim == "the_model_in_service_is_recent"] == [
        "20 week(s) old, at most 26"
    ]
    assert older.light == GREEN


def test_eight_numbers_at_most_plot_over_weeks(green: WeekFacts, tmp_path: Path) -> None:
    """Five to eight metrics with stable names; a first week has fewer, and no made-up ones."""
    lake = small_lake(str(tmp_path / "lake"), WEEKS[:2])
    first = gather(lake, WEEKS[1], Catalogue(), {}, RunFacts()).metrics

    assert green.metrics["customers_scored"] == 40
    assert green.metrics["quarantined_share"] == 0.001
    assert len(green.metrics) == 8
    assert green.metrics["broken_claims"] == first["broken_claims"] == 0, "what is not known yet is not broken"
    assert first.keys() == green.metrics.keys() - {"recall_at_10", "recall_explore_at_10", "calibration_error_7_days"}
    assert MODEL in green.scored.versions
