"""What counting gives with the baskets before a target, after it, or both."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import hindsight, packed

# Baskets {1}, {1}, target {2, 3}, {2}, {2}: what changed for good is seen afterwards only, and 3 never.
ITEMS, DISTANCES = np.array([1, 1, 2, 3, 2, 2]), np.array([-2, -1, 0, 0, 1, 2])


@pytest.mark.parametrize(("side", "found"), [("before", 0.0), ("after", 0.5), ("both", 0.5)])
def test_each_side_knows_what_was_bought_there(side: str, found: float) -> None:
    """A habit that begins with the target is known to who looks from behind; nobody sees the target itself."""
    assert hindsight.recall(ITEMS, DISTANCES, side, 0.9) == found


def test_near_baskets_weigh_more() -> None:
    """Ten items bought twice long ago and one bought once just now: with decay it is listed, without it is not."""
    items = np.array([*range(10), *range(10), 77, 77])
    distances = np.array([*[-9] * 10, *[-8] * 10, -1, 0])

    assert hindsight.recall(items, distances, "before", 0.5) == 1
    assert hindsight.recall(items, distances, "before", 1.0) == 0


def test_every_user_with_baskets_enough_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A planted folder of eight baskets each: all users' middle ones, a line for each decay; or a word that nobody has them."""
    packed.planted(tmp_path / "planted", users=20)
    monkeypatch.setattr(sys, "argv", ["hindsight.py", str(tmp_path / "planted"), "--least", "8"])
    hindsight.main()
    shown = capsys.readouterr().out

    assert "of 20 users" in shown
    assert shown.count("\n| 0.9") + shown.count("\n| 1.0") == len(hindsight.DECAYS)
    [(items, distances), *_] = hindsight.middles(packed.load(tmp_path / "planted"), 8)
    assert (distances.min(), distances.max(), len(items)) == (-4, 3, len(distances))

    monkeypatch.setattr(sys, "argv", ["hindsight.py", str(tmp_path / "planted"), "--least", "9"])
    with pytest.raises(SystemExit):
        hindsight.main()
    assert "nobody has 9 baskets" in capsys.readouterr().err
