"""Which term of the model a reason names."""

import numpy as np

from nextbasket_assets.recommender import reasons
from nextbasket_assets.recommender.batches import Slices
from nextbasket_assets.recommender.explainer import Explainer
from nextbasket_assets.recommender.ranking import Ranked
from nextbasket_assets.recommender.split import Rows
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SHOP = {"anna": [["bread"]], "ben": [["cake", "milk", "tea"]]}
ITEMS = np.array([[2, 3, 4, 5]])  # bread, cake, milk, tea


def kinds(tmp_path, mission: float) -> list[int]:
    """Of Anna's list, on which the mission lifts everything alike, cake fits her and tea is popular."""
    prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", SHOP))
    one = np.ones(1, int)
    batch = prefixes.batch(Slices(np.zeros(1, int), one, one), 32, small.WEEK)
    fits = np.array([[0.0, 0.6, 0.2, 0.2]])
    popular = np.array([0.0, 0.0, 0.0, 0.0, 0.1, 0.7])
    explainer = Explainer(popular, trend=np.zeros(6), mission=np.full(6, mission))
    ranked = Ranked(ITEMS, np.zeros((1, 4)), fits, np.zeros((1, 8)))
    today = int(prefixes.histories.days[0]) + 7
    return explainer.evidence(batch, ranked, prefixes, Rows(np.zeros(1, int), one), today).kinds[0].tolist()


def test_an_item_is_there_for_the_mission_where_nothing_else_lifts_it_further(tmp_path):
    """Lifted by half, Anna's own bread and the milk go with the mission; cake fits her more, and tea is popular with all."""
    assert kinds(tmp_path, mission=0.5) == [reasons.MISSION, reasons.FITTING, reasons.MISSION, reasons.POPULAR]


def test_a_mission_that_lifts_little_is_no_reason(tmp_path):
    """Below a half bread is there as bought of late, and milk because it fits her more than it is popular."""
    assert kinds(tmp_path, mission=0.3) == [reasons.RECENT, reasons.FITTING, reasons.FITTING, reasons.POPULAR]
