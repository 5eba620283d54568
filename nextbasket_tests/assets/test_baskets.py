"""Staging: what is looked through for copies."""

from datetime import date, timedelta
from unittest.mock import Mock

import pytest

from nextbasket_assets.assets import baskets


def test_copies_are_looked_for_in_earlier_weeks_and_in_what_was_just_staged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of weeks 1 to 4, where 2 and 3 are made anew: week 1 as published, 2 and 3 as staged, and not the later one."""
    weeks = [date(2006, 4, 10) + timedelta(weeks=number) for number in range(4)]
    spark = Mock()
    lake = Mock(weeks=Mock(return_value=weeks), files=Mock(side_effect=lambda _, held: [str(week) for week in held]))
    monkeypatch.setattr(baskets, "staged_uris", lambda *_: ["staged"])

    baskets._replays(spark, lake, "folder", weeks[1:3])

    spark.run.assert_called_once_with(
        "replayed_baskets", {"staged_baskets": [str(weeks[0]), "staged"]}, {}, weeks=[str(weeks[1]), str(weeks[2])]
    )
