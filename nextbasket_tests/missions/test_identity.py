import numpy as np

from nextbasket_assets.missions.identity import KEPT, NEW, identify
from nextbasket_assets.missions.quality import matched, similarity
from nextbasket_assets.missions.topics import Topics


def topics(*counts: list[float]) -> Topics:
    return Topics(np.array(counts, np.float64), 0.05, np.ones(len(counts)))


def test_everything_is_no_mission_of_several() -> None:
    """One mission and three are different answers, though the one looks like the largest of the three."""
    one = topics([900, 100, 100, 50, 50, 50])
    three = topics([850, 20, 20, 0, 0, 0], [50, 80, 80, 0, 0, 0], [0, 0, 0, 50, 50, 50])
    more, fewer = identify(three, one, ["M01"], 1), identify(one, three, ["M01", "M02", "M03"], 3)

    assert [one.mission for one in more.missions] == ["M02", "M03", "M04"]
    assert [one.mission for one in more.retired] == ["M01"]
    assert [(one.mission, one.status) for one in fewer.missions] == [("M04", NEW)]
    assert len(fewer.retired) == 3


def test_everything_stays_everything() -> None:
    """A shop without structure keeps its one mission from model to model."""
    found = identify(topics([90, 10, 10]), topics([80, 20, 10]), ["M03"], 5)

    assert [(one.mission, one.status) for one in found.missions] == [("M03", KEPT)]


def test_as_many_missions_as_can_keep_their_id() -> None:
    """What the other pairs are like is nobody's concern: the largest total of all three pairs would lose M03."""
    new = topics([6, 0, 1, 3], [11, 0, 9, 3], [0, 2, 0, 3])
    old = topics([1, 14, 0, 8], [7, 14, 1, 0], [4, 0, 1, 0])
    found = identify(new, old, ["M01", "M02", "M03"], 3)

    assert matched(similarity(new, old)) == [(0, 2), (1, 1), (2, 0)]
    assert [(one.mission, one.status) for one in found.missions] == [("M01", KEPT), ("M03", KEPT), ("M04", NEW)]
    assert found.order_K.tolist() == [2, 1, 0]
