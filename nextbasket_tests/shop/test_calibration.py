"""The acceptance table of the calibration: what was measured on the published data, and how near the shop must be."""

from pathlib import Path

import polars as pl
import pytest

from nextbasket_assets.shop.faults import Faults
from nextbasket_assets.shop.shop import write_shop
from nextbasket_tests.shop.measures import baskets_of, measure, read_lines, replay_shares

# Target -> (measured on the published data, tolerance to both sides).
OF_BASKETS = {
    "lines mean": (6.41, 0.05 * 6.41),
    "lines median": (4.0, 0.0),
    "lines p90": (16.0, 1.0),
    "one line %": (19.3, 1.5),
    "units mean": (9.63, 0.07 * 9.63),
    "spend mean": (12.19, 0.07 * 12.19),
    "spend median": (6.47, 0.07 * 6.47),
    "anonymous %": (20.5, 0.7),
    "type Small Shop %": (55.2, 1.5),
    "type Top Up %": (32.8, 1.5),
    "type Full Shop %": (10.7, 1.0),
    "type XX %": (1.3, 0.4),
    "dominant_mission Fresh %": (50.8, 2.0),
    "dominant_mission Mixed %": (23.9, 2.0),
    "dominant_mission Grocery %": (18.9, 2.0),
    "dominant_mission Nonfood %": (5.2, 1.0),
    "dominant_mission XX %": (1.3, 0.4),
    "size S %": (26.3, 1.5),
    "size M %": (40.3, 1.5),
    "size L %": (33.4, 1.5),
    "price_sensitivity LA %": (22.9, 2.5),
    "price_sensitivity MM %": (51.2, 2.5),
    "price_sensitivity UM %": (24.1, 2.5),
    "price_sensitivity XX %": (1.9, 0.6),
}
OF_PRODUCTS = {
    "lines D00001 %": (8.9, 1.0),
    "lines D00002 %": (48.6, 1.0),
    "lines D00003 %": (28.6, 1.0),
    "lines D00004 %": (0.7, 1.0),
    "lines D00005 %": (10.9, 1.0),
    "lines D00006 %": (0.2, 1.0),
    "lines D00007 %": (0.01, 1.0),
    "lines D00008 %": (1.7, 1.0),
    "lines D00009 %": (0.4, 1.0),
    "top 10 %": (10.2, 1.0),
    "top 100 %": (25.2, 2.0),
    "top 1000 %": (61.2, 3.0),
}
OF_CUSTOMERS = {
    "one basket %": (14.0, 1.5),
    "baskets p25": (6.0, 0.15 * 6.0),
    "baskets p50": (34.5, 0.15 * 34.5),
    "baskets p75": (98.0, 0.15 * 98.0),
    "baskets p90": (172.0, 0.15 * 172.0),
    "top store share": (0.79, 0.03),
    "weekly customers of 5000": (0.363, 0.02),
    "retention 28 days": (0.88, 0.02),
    "gap 0 %": (11.0, 1.5),
    "gap 1 %": (17.8, 1.5),
    "gap 7 %": (4.2, 0.8),
    "weekday max-min pt": (0.0, 0.3),
    "week 44 of an ordinary one": (0.69, 0.05),
    "week 45 of an ordinary one": (0.86, 0.05),
}
OF_REPEATS = {
    "repeat 2-2": (0.152, 0.03),
    "repeat 3-5": (0.281, 0.03),
    "repeat 6-10": (0.403, 0.03),
    "repeat 11-20": (0.507, 0.03),
    "repeat 21-50": (0.615, 0.03),
    "repeat 51-100": (0.703, 0.03),
    "repeat 101-200": (0.753, 0.03),
    "repeat 201-10000": (0.813, 0.03),
    "pairs once %": (62.5, 3.0),
    "pairs mean": (2.69, 0.25),
    "distinct at 100": (216.0, 0.12 * 216.0),
    "recall@10": (0.254, 0.03),
    "recall@20": (0.336, 0.03),
    "replay % of the worst week": (0.0, 0.5),
}
NOT_EARLY = ("units", "price_sensitivity XX")  # both are of carrier bags
CUSTOMERS, WEEKS, SEED = 5_000, 100, 1  # the weeks of the measured window


def misses(measured: dict[str, float], table: dict[str, tuple[float, float]]) -> dict[str, str]:
    return {
        name: f"{measured[name]:.3f}, wanted {real} within {tolerance:.3f}"
        for name, (real, tolerance) in table.items()
        if abs(measured[name] - real) > tolerance
    }


@pytest.fixture(scope="module")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    folder = tmp_path_factory.mktemp("full_size")
    write_shop(folder, customers=CUSTOMERS, weeks=WEEKS, seed=SEED)
    measured = measure(folder)
    return measured | {"weekly customers of 5000": measured["weekly customers"] / CUSTOMERS}


@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    [OF_BASKETS, OF_PRODUCTS, OF_CUSTOMERS, OF_REPEATS],
    ids=["baskets", "products", "customers", "repeats"],
)
def test_a_full_shop_is_like_the_published_one(
    full_size: dict[str, float], table: dict[str, tuple[float, float]]
) -> None:
    """5,000 customers in 100 weeks meet every target of the acceptance table within its tolerance."""
    assert misses(full_size, table) == {}


def test_a_small_shop_is_like_the_published_one(tmp_path: Path) -> None:
    """1,500 customers in 12 weeks (16,000 baskets) meet the targets that need no long history, within 1.5 tolerances.

    Histories are young there and carrier bags come only in week 19: hence the slack, and no targets for units
    and for baskets without a price tier.
    """
    write_shop(tmp_path, customers=1_500, weeks=12, seed=SEED)
    robust = {name: target for name, target in OF_BASKETS.items() if not name.startswith(NOT_EARLY)}
    robust |= {name: OF_REPEATS[name] for name in ("repeat 2-2", "repeat 3-5", "repeat 6-10", "repeat 11-20")}

    robust = {name: (real, 1.5 * tolerance) for name, (real, tolerance) in robust.items()}

    assert misses(measure(tmp_path), robust) == {}


def test_only_a_replayed_tail_repeats_baskets(tmp_path: Path) -> None:
    """Clean weeks repeat at most 0.5 % of large baskets, weeks of a replayed tail at least 95 %."""
    write_shop(tmp_path, customers=500, weeks=14, seed=SEED, faults=Faults(replay_tail=3))
    shares = list(replay_shares(baskets_of(read_lines(tmp_path))).values())

    assert max(shares[:11]) <= 0.005
    assert min(shares[11:]) >= 0.95


def test_replays_are_counted_by_hand() -> None:
    """A basket of 4 products that the same customer bought before is a replay, a changed or foreign one is not."""
    baskets = pl.DataFrame(
        {
            "CUST_CODE": ["C1", "C1", "C1", "C2"],
            "SHOP_WEEK": [1, 2, 2, 2],
            "day": [0, 7, 8, 9],
            "SHOP_HOUR": [9, 9, 9, 9],
            "BASKET_ID": [1, 2, 3, 4],
            "lines": [4, 4, 4, 4],
            "units": [4, 4, 4, 4],
            "products": ["a b c d", "a b c d", "a b c e", "a b c d"],
        }
    )

    assert replay_shares(baskets) == {1: 0.0, 2: pytest.approx(1 / 3)}
