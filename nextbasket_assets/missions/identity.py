"""Who is who after a refit: missions are matched to the former model's, keep their id, and no id is ever used twice."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.missions.documents import Ints
from nextbasket_assets.missions.quality import matched, similarity
from nextbasket_assets.missions.topics import Topics

NEW, KEPT, RETIRED = "new", "kept", "retired"
THRESHOLD = 0.5  # similarity from which a mission is the same one


@dataclass(frozen=True)
class Identity:
    """One mission of a model, or one that the model no longer has.

    Attributes:
        mission: its id.
        status: `new`, `kept` or `retired`.
        similarity: of a kept mission to its former self.
    """

    mission: str
    status: str
    similarity: float | None = None


@dataclass(frozen=True)
class Identities:
    """The missions of a model in the order of their ids, those that retired, and the last number ever given.

    Attributes:
        order_K: positions of the missions in the topics that were matched.
        missions: as many, in that order.
        retired: missions of the former model only.
        last_number: of the youngest id.
    """

    order_K: Ints
    missions: tuple[Identity, ...]
    retired: tuple[Identity, ...]
    last_number: int


def identify(topics: Topics, former: Topics | None, ids: list[str], last_number: int) -> Identities:
    """Match topics with the former model's.

    Args:
        topics: of the new model.
        former: of the model in force, over the same vocabulary; None for the first model.
        ids: of the former model's missions, in its order.
        last_number: of the youngest id ever given; 0 before the first model.
    """
    same = _same(topics, former) if former is not None else {}
    found = {row: Identity(ids[column], KEPT, value) for row, (column, value) in same.items()}
    for row in np.argsort(-topics.item_share_K, kind="stable").tolist():
        if row not in found:
            last_number += 1
            found[row] = Identity(mission_id(last_number), NEW)
    order = sorted(found, key=lambda row: number_of(found[row].mission))
    kept = {column for column, _ in same.values()}
    retired = tuple(Identity(mission, RETIRED) for column, mission in enumerate(ids) if column not in kept)
    return Identities(np.array(order), tuple(found[row] for row in order), retired, last_number)


def _same(topics: Topics, former: Topics) -> dict[int, tuple[int, float]]:
    """Positions of missions to those of their former selves and how similar they are: as much in all as can be had.

    "Everything" is what other missions stand apart from and the same as none of them, and a former mission none of whose
    items is left says nothing about what it was.
    """
    if (topics.k == 1) != (former.k == 1):
        return {}
    similarity_KK = similarity(topics, former)
    near_KK = np.where((similarity_KK >= THRESHOLD) & former.counts_KV.any(axis=1), similarity_KK, 0.0)
    return {row: (column, float(near_KK[row, column])) for row, column in matched(near_KK) if near_KK[row, column] > 0}


def mission_id(number: int) -> str:
    """M01, M02, ... M100."""
    return f"M{number:02d}"


def number_of(mission: str) -> int:
    """The number of an id."""
    return int(mission.removeprefix("M"))
