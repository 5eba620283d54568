"""Population stability by hand, and what is compared with what."""

from math import log
from pathlib import Path

import pytest

from nextbasket_assets.limits import MOST_DRIFT
from nextbasket_assets.report.weekly import drift as drift_module
from nextbasket_assets.report.weekly.drift import Drift, drift, drifts, reference_weeks
from nextbasket_assets.report.weekly.scored import Models, models
from nextbasket_assets.stability import stability_index
from nextbasket_tests.report.weekly.weeks import BREAD, MODEL, WEEKS, code, put, small_lake


def test_the_index_by_hand() -> None:
    """(50, 50) against (25, 75), half a case more on each: 25 points of 101 move, twice the same sign of the logarithm."""
    by_hand = (50.5 - 25.5) / 101 * log(50.5 / 25.5) + (50.5 - 75.5) / 101 * log(50.5 / 75.5)

    assert stability_index({"a": 50, "b": 50}, {"a": 25, "b": 75}) == pytest.approx(by_hand)
    assert stability_index({"a": 7, "b": 3}, {"a": 7, "b": 3}) == 0
    assert stability_index({"a": 10}, {"b": 10}) == pytest.approx(2 * (10.5 - 0.5) / 11 * log(10.5 / 0.5))


def test_what_moved_most_is_named() -> None:
    """The level with the largest change of share, with both shares; nothing to compare with is not known."""
    found = drift("store format", {"SS": 50, "LS": 50}, {"SS": 75, "LS": 20, "XLS": 5})

    assert found.moved == ("LS", 0.2, 0.5)
    assert drift("x", {"a": 1}, {}) == Drift("x", None, None)
    assert drift("x", {"a": 1}, {}).verdict == "not known"


def test_the_limits_are_the_usual_ones() -> None:
    """Below 0.1 stable, from 0.25 on another population."""
    verdicts = [Drift("x", index, None).verdict for index in (0.0999, 0.1, 0.2499, 0.25)]

    assert verdicts == ["stable", "some shift", "some shift", "another population"]


def test_the_reference_is_what_the_model_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest weeks up to the champion's, without the week itself; without a champion the weeks before."""
    lake = small_lake(str(tmp_path / "lake"))
    in_service = models(lake, WEEKS[3])

    assert reference_weeks(lake, WEEKS[3], in_service) == WEEKS[:2]
    assert reference_weeks(lake, WEEKS[1], in_service) == WEEKS[:1]
    assert reference_weeks(lake, WEEKS[3], Models(None, None, None, {}, 0)) == WEEKS[:3]
    monkeypatch.setattr(drift_module, "REFERENCE_WEEKS", 1)
    assert reference_weeks(lake, WEEKS[3], in_service) == WEEKS[1:2]
    names = [one.name for one in drifts(lake, WEEKS[3], in_service, [])]
    assert (names[0], names[-1], len(names)) == ("mission", "first probability", 10)


def test_lists_of_the_model_in_service_are_compared_with_its_earlier_ones(tmp_path: Path) -> None:
    """0.95 and 1.0 are in one tenth, the lists of another model are not looked at, and its first lists have no earlier ones."""
    lake = small_lake(str(tmp_path / "lake"))
    row = {"rank": 1, "item": BREAD, "probability_7_days": 0.5, "reason": "r", "source": "model"}
    names = ("customer", "probability", "model_version")
    for week, said in ((WEEKS[1], 0.95), (WEEKS[2], 0.95), (WEEKS[3], 1.0)):
        told = [(code(0), said, MODEL), (code(1), said, MODEL), *([(code(2), 0.1, "another")] if said == 1 else [])]
        put(lake, "next_basket_scores", week, [row | dict(zip(names, one, strict=True)) for one in told])
    first, newest = (drifts(lake, week, models(lake, week), [])[-1] for week in (WEEKS[1], WEEKS[3]))

    assert (newest.index, newest.moved) == (0.0, ("90 to 100 %", 1.0, 1.0))
    assert first.index is None


def test_missions_have_the_limit_of_their_profile(tmp_path: Path) -> None:
    """The profile says what the index of missions stays below by chance; far above the usual line it is no drift."""
    told = {"mission": "all", "section": "drift"}
    profile = [told | {"name": "psi", "value": 0.3}, told | {"name": "psi_by_chance", "value": 0.5}]
    missions = drifts(small_lake(str(tmp_path / "lake")), WEEKS[3], Models(None, None, None, {}, 0), profile)[0]

    assert (missions.index, missions.limit, missions.verdict) == (0.3, 0.5, "no more than chance")


def test_few_cases_are_apart_by_chance() -> None:
    """Ten cases on five levels pass the usual limit without a change; of ten thousand the same shares are another population."""
    then = dict.fromkeys("abcde", 2000)
    few, many = (
        drift("x", dict(zip("abcde", (4, 3, 2, 1, 0), strict=True)), then),
        drift("x", dict(zip("abcde", (4000, 3000, 2000, 1000, 0), strict=True)), then),
    )

    assert few.index is not None
    assert MOST_DRIFT < few.index < few.chance == few.limit
    assert few.verdict == "no more than chance"
    assert many.limit == MOST_DRIFT
    assert many.verdict == "another population"
