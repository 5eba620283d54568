import pytest
from scipy.stats import chi2

from nextbasket_assets.stability import by_chance, stability_index


def test_an_index_worked_by_hand() -> None:
    """Half and half after a quarter and three quarters; what is alike has none."""
    assert stability_index({"a": 50, "b": 50}, {"a": 25, "b": 75}) == pytest.approx(0.2687, abs=1e-4)
    assert stability_index({"a": 5, "b": 5}, {"a": 5, "b": 5}) == 0


@pytest.mark.parametrize("levels", [2, 3, 8, 20, 100])
def test_chance_is_chi_squares(levels: int) -> None:
    """The 95 % point of chi square over the cases of both sides, to a few per cent; one level cannot be apart."""
    for then in (5000, 30):
        assert by_chance(levels, 20, then) == pytest.approx(chi2.ppf(0.95, levels - 1) * (1 / 20 + 1 / then), rel=0.03)
    assert by_chance(1, 20, 5000) == 0
