import pytest

from nextbasket_assets.transforms.intervals import newcombe, wilson


def test_wilson_is_wilsons() -> None:
    """The interval of 5 in 10 is the textbook's 0.237 to 0.763; never and always keep their own end."""
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 10)[0] == 0.0
    assert wilson(1.0, 10)[1] == 1.0


@pytest.mark.parametrize(
    ("found", "other", "ends"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_a_difference_is_newcombes(found: tuple[int, int], other: tuple[int, int], ends: tuple[float, float]) -> None:
    """The intervals of his paper's table, method 10: some width also between two shares of 0."""
    share, before = found[0] / found[1], other[0] / other[1]

    assert newcombe(share, found[1], before, other[1]) == pytest.approx(ends, abs=1e-4)
