"""The fit: collapsed Gibbs sampling by tomotopy, on one thread, so that a seed gives the same missions everywhere.

Measured beside Spark's online and EM optimisers, scikit-learn and gensim by `benchmarks/mission_engines.py`; the reasons are in
docs/decisions/0010-gibbs-sampling-on-a-sample.md.
"""

from dataclasses import dataclass

import numpy as np
import tomotopy

from nextbasket_assets.missions.documents import Documents, Floats
from nextbasket_assets.missions.topics import Topics


@dataclass(frozen=True)
class FitSettings:
    """How one model is fitted.

    Attributes:
        k: number of missions.
        seed: of the sampler.
        item_prior: smaller: fewer items per mission.
        sweeps: passes over the baskets.
        mission_prior: of every mission at the start; it is learnt from then on.
    """

    k: int
    seed: int
    item_prior: float = 0.05
    sweeps: int = 100
    mission_prior: float = 0.1


def fit(documents: Documents, settings: FitSettings, remembered_KV: Floats | None = None) -> Topics:
    """Topics of the baskets.

    Args:
        documents: every one is learnt from; each has an item.
        settings: of this fit.
        remembered_KV: items that each mission is given beforehand on top of `item_prior`: what a former model knew.
    """
    model = tomotopy.LDAModel(
        k=settings.k, alpha=settings.mission_prior, eta=settings.item_prior, seed=settings.seed, min_cf=0, rm_top=0
    )
    words = [str(item) for item in range(documents.vocabulary)]
    stops = np.cumsum(documents.sizes_D)
    items = documents.items_T.tolist()
    for start, stop in zip(stops - documents.sizes_D, stops, strict=True):
        model.add_doc([words[item] for item in items[start:stop]])
    if remembered_KV is not None:
        for item in np.unique(documents.items_T):
            model.set_word_prior(words[item], (remembered_KV[:, item] + settings.item_prior).tolist())
    model.train(settings.sweeps, workers=1, show_progress=False)
    counts_KV = _counts(model, documents.vocabulary) - settings.item_prior
    counts_KV = np.maximum(np.round(counts_KV), 0.0)  # the sampler counts whole items in single precision
    return Topics(counts_KV, settings.item_prior, np.asarray(model.alpha, np.float64))


def _counts(model: "tomotopy.LDAModel", vocabulary: int) -> Floats:
    """(K, V) items of each mission and the item prior, nothing that was remembered; 0 for an item in no basket."""
    counts = np.zeros((model.k, vocabulary))
    known = np.array([int(word) for word in model.used_vocabs])
    for mission in range(model.k):
        counts[mission, known] = model.get_topic_word_dist(mission, normalize=False)
    return counts
