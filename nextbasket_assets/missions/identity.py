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
    same: dict[int, tuple[str, float]] = {}
    if former is not None:
        similarity_KK = similarity(topics, former)
        for row, column in matched(similarity_KK):
            if similarity_KK[row, column] >= THRESHOLD:
                same[row] = (ids[column], float(similarity_KK[row, column]))
    found: dict[int, Identity] = {row: Identity(mission, KEPT, value) for row, (mission, value) in same.items()}
    for row in np.argsort(-topics.item_share_K, kind="stable").tolist():
        if row not in found:
            last_number += 1
            found[row] = Identity(mission_id(last_number), NEW)
    order = sorted(found, key=lambda row: number_of(found[row].mission))
    kept = {mission for mission, _ in same.values()}
    retired = tuple(Identity(mission, RETIRED) for mission in ids if mission not in kept)
    return Identities(np.array(order), tuple(found[row] for row in order), retired, last_number)


def mission_id(number: int) -> str:
    """M01, M02, ... M100."""
    return f"M{number:02d}"


def number_of(mission: str) -> int:
    """The number of an id."""
    return int(mission.removeprefix("M"))
