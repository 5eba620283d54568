"""Lists for a trip of a given mission: what the mission lifts, counted, and how far to believe the counts.

logit(item | customer, mission) = logit(item | customer) + scale * log lift(item, mission). The lifts are shares of
baskets, counted over the baskets that may be learned from; the scale is the one under which the network predicts the
newest of them best, given their main mission. R rows, M missions, V ids.
"""

import numpy as np
import torch

from nextbasket_assets.recommender.batches import Prefixes, Slices, targets
from nextbasket_assets.recommender.histories import Histories, among_first
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.split import Split

SMOOTHING = 4.0  # baskets of the usual kind added to both sides
SCALES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
NEWEST = 2  # baskets of a customer that choose the scale
MOST_CUSTOMERS = 5000
ROWS = 512


def fit_missions(network: Network, prefixes: Prefixes, parts: Split, seed: int) -> None:
    """Sets `network.mission_lifts` and `network.mission_scale` in place; without missions they stay at nothing."""
    if not network.config.missions:
        return
    lifts = mission_lifts(prefixes.histories, parts.trained, network.config.vocabulary)
    with torch.no_grad():
        network.mission_lifts.copy_(torch.from_numpy(lifts))
    customers = np.flatnonzero(parts.trained > 1)
    if len(customers) > MOST_CUSTOMERS:
        customers = np.sort(np.random.default_rng(seed).choice(customers, MOST_CUSTOMERS, replace=False))
    last = parts.trained[customers] - 1
    slices = Slices(customers, np.maximum(last - NEWEST + 1, 1), last)
    batches = np.array_split(np.arange(len(customers)), len(customers) * NEWEST // ROWS + 1)
    losses = np.sum([_losses(network, prefixes, slices.take(part)) for part in batches], axis=0)
    with torch.no_grad():
        network.mission_scale.fill_(SCALES[int(np.argmin(losses))])


def mission_lifts(histories: Histories, trained: np.ndarray, vocabulary: int) -> np.ndarray:
    """(M, V) log of how much larger an item's share of a mission's baskets is than its share of all baskets."""
    weights_NM = histories.missions * among_first(histories, trained)[:, None]
    basket = np.repeat(np.arange(len(weights_NM)), np.diff(histories.item_offsets))
    holding_MV = np.stack([np.bincount(histories.items, w[basket], vocabulary) for w in weights_NM.T])
    baskets_M = weights_NM.sum(0, dtype=np.float64)
    usual_V = holding_MV.sum(0) / max(baskets_M.sum(), 1.0)
    lifts = np.log((holding_MV + SMOOTHING) / (baskets_M[:, None] * usual_V + SMOOTHING))
    rounded: np.ndarray = lifts.astype(np.float32)
    return rounded


def _losses(network: Network, prefixes: Prefixes, slices: Slices) -> np.ndarray:
    """Summed cross-entropy of these rows' targets under each scale."""
    if not len(slices.customers):
        return np.zeros(len(SCALES))
    owner, prefix = prefixes.rows(slices)
    customers, histories = slices.customers[owner], prefixes.histories
    wanted = targets(histories, customers, prefix)
    mission_RM = _main(histories.missions[histories.basket_offsets[customers] + prefix])
    rows, items = torch.from_numpy(wanted.rows), torch.from_numpy(wanted.items)
    with torch.inference_mode():
        batch = prefixes.batch(slices, network.config.context)
        plain_RV = network.logits(batch, network.terms(batch))
        lifts_RV = mission_RM @ network.mission_lifts
        found = []
        for scale in SCALES:
            logits_RV = plain_RV + scale * lifts_RV
            found.append(float((torch.logsumexp(logits_RV, 1)[rows] - logits_RV[rows, items]).sum()))
    return np.array(found)


def _main(weights_RM: np.ndarray) -> torch.Tensor:
    """(R, M) 1 at each row's main mission, as lists are asked for; zeros where there is none."""
    main_RM = np.eye(weights_RM.shape[1], dtype=np.float32)[weights_RM.argmax(1)]
    return torch.from_numpy(main_RM * (weights_RM.sum(1, keepdims=True) > 0))
