"""Who scored and who was judged, as of a week."""

from pathlib import Path

from nextbasket_assets.lake.registry import PROMOTED, REFUSED
from nextbasket_assets.report.weekly.scored import models
from nextbasket_tests.report.weekly.weeks import MODEL, WEEKS, decide, put, small_lake


def test_the_challenger_is_the_newest_that_was_judged_up_to_the_week(tmp_path: Path) -> None:
    """Of two decisions about one model the later one counts, and a model of a later week is not known yet."""
    lake = small_lake(str(tmp_path / "lake"))
    decide(lake, REFUSED, "refused: behind", WEEKS[2])
    decide(lake, PROMOTED, "promoted by hand: look", WEEKS[2])
    early, late = models(lake, WEEKS[1]).challenger, models(lake, WEEKS[3]).challenger

    assert early is not None
    assert (early.week, early.why) == (WEEKS[1], "promoted: ahead")
    assert late is not None
    assert (late.week, late.why) == (WEEKS[2], "promoted by hand: look")


def test_the_comparison_is_the_newest_up_to_the_week_and_has_no_deciles(tmp_path: Path) -> None:
    """A later evaluation is not known yet; the rows of a reliability diagram are none of the gate's."""
    lake = small_lake(str(tmp_path / "lake"))
    row = {"model_version": MODEL, "method": "challenger", "metric": "recall", "k": 10, "customers": 20}
    whole, tenth = row | {"decile": None, "value": 0.9}, row | {"decile": 1, "value": 0.1, "customers": 99}
    put(lake, "model_evaluation", WEEKS[3], [whole, tenth])
    before, after = models(lake, WEEKS[2]), models(lake, WEEKS[3])

    assert (before.judged_on, before.evaluation["challenger"][0]) == (12, 0.4)
    assert (after.judged_on, after.evaluation["challenger"][0]) == (20, 0.9)


def test_the_champions_age_is_in_weeks(tmp_path: Path) -> None:
    """From its as-of week to the report's; without one there is none."""
    lake = small_lake(str(tmp_path / "lake"))

    assert [models(lake, week).age for week in (WEEKS[0], WEEKS[1], WEEKS[3])] == [None, 0, 2]
