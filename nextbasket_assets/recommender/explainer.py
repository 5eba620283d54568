"""Which of the model's terms put an item on a list. R customers, K length of the lists, V ids."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender import reasons
from nextbasket_assets.recommender.batches import Batch, Prefixes
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.ranking import Ranked
from nextbasket_assets.recommender.reasons import Evidence
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.trends import Trends


@dataclass(frozen=True)
class Explainer:
    """The parts of the logits that do not hang on the customer, each (V,), from which a reason is chosen."""

    popular: np.ndarray  # what everybody buys, above the average item
    trend: np.ndarray  # what sells better just now
    mission: np.ndarray  # what goes with the mission that was asked for

    @classmethod
    def of(cls, network: Network, moving: Trends, week: int, mission: np.ndarray | None) -> "Explainer":
        """The parts of a network in a week."""
        bias = network.bias.detach().numpy()
        trend = moving.lifts[moving.rows(np.array([week]))[0]] @ network.trend.detach().numpy()
        lifts = network.mission_lifts.numpy() * network.mission_scale.item()
        asked = np.zeros_like(bias) if mission is None else mission @ lifts
        return cls(bias - reasons.average(bias), trend, asked)

    def evidence(self, batch: Batch, ranked: Ranked, prefixes: Prefixes, rows: Rows, today: int) -> Evidence:
        """(R, K) why: the repeat term where there is one, else the largest of the other terms.

        On a list for a mission, what the mission lifts by half or more is there for the mission.
        """
        span = len(self.popular)
        keys = batch.pair_rows.numpy() * span + batch.pair_items.numpy()
        shape, items = ranked.items.shape, ranked.items.ravel()
        row = np.repeat(np.arange(shape[0]), shape[1])
        place = np.minimum(np.searchsorted(keys, row * span + items), len(keys) - 1)
        repeat = keys[place] == row * span + items
        recent = reasons.recent_trips(prefixes.histories, rows, ranked.items).ravel()
        events = batch.pair_events.numpy()[place]
        told = reasons.of_repeats(prefixes.purchases, events, rows.prefixes[row], recent, today)
        popular, trend, mission = self.popular[items], self.trend[items], self.mission[items]
        new = reasons.of_others(popular, trend, ranked.fits.ravel())
        kinds = np.where(repeat, told.kinds, new)
        strongest = mission > np.maximum(popular + trend, ranked.fits.ravel())
        with_mission = (mission >= reasons.LIFTED) & (repeat | strongest)
        kinds = np.where(with_mission, reasons.MISSION, kinds)
        own = repeat & ~with_mission
        parts = (kinds, np.where(own, told.first, 0), np.where(own, told.second, 0))
        return Evidence(*(part.reshape(shape) for part in parts))
