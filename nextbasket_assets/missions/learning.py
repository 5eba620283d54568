"""From documents to a mission model: choose the topics, match them with the former ones, name them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nextbasket_assets.missions.choosing import Choice, ChoiceSettings, choose
from nextbasket_assets.missions.documents import Documents
from nextbasket_assets.missions.identity import KEPT, NEW, Identities, identify, number_of
from nextbasket_assets.missions.model import MissionModel
from nextbasket_assets.missions.naming import propose
from nextbasket_assets.missions.topics import fold_in


@dataclass(frozen=True)
class Vocabulary:
    """The items that missions are made of, the most frequent first: codes, categories, baskets with each."""

    items: Sequence[str]
    groups: Sequence[str]
    baskets: Sequence[int]


@dataclass(frozen=True)
class Naming:
    """What names are made of: readable names of items and categories by code, and names a person gave by mission id."""

    items: Mapping[str, str]
    groups: Mapping[str, str]
    given: Mapping[str, str]

    def too_early(self, last_number: int) -> list[str]:
        """Ids with a name that no mission ever had, when the youngest one has this number."""
        return sorted((mission for mission in self.given if number_of(mission) > last_number), key=number_of)


@dataclass(frozen=True)
class Learnt:
    """A mission model, why it is as it is, and what became of the former missions."""

    model: MissionModel
    choice: Choice
    identities: Identities
    former: MissionModel | None

    def metrics(self) -> dict[str, float]:
        """Numbers that plot over weeks."""
        chosen, states = self.choice.chosen, [one.status for one in self.identities.missions]
        kept = [one.similarity for one in self.identities.missions if one.similarity is not None]
        numbers = {
            "missions": len(states),
            "missions_kept": states.count(KEPT),
            "missions_new": states.count(NEW),
            "missions_retired": len(self.identities.retired),
            "largest_share": round(float(self.model.share_K.max()), 4),
            "fits": self.choice.fits,
            "last_number": self.model.last_number,
        }
        if kept:
            numbers["similarity"] = round(sum(kept) / len(kept), 4)
        if chosen:
            numbers |= {
                "gain": round(chosen.completion.gain, 4),
                "perplexity": round(chosen.completion.perplexity, 1),
                "coherence": round(chosen.coherence, 4),
            }
        return numbers

    def identity_rows(self) -> list[dict[str, Any]]:
        """Rows of mission_identities: the missions of the model, then those that retired."""
        former = self.former
        names = dict(zip(former.missions, former.names, strict=True)) if former else {}
        names |= dict(zip(self.model.missions, self.model.names, strict=True))
        shares = dict(zip(self.model.missions, self.model.share_K.tolist(), strict=True))
        everyone = [*self.identities.missions, *self.identities.retired]
        return [
            {
                "mission_model": self.model.version,
                "mission": one.mission,
                "name": names[one.mission],
                "status": one.status,
                "previous_model": former.version if former and one.status != NEW else None,
                "similarity": one.similarity,
                "share": shares.get(one.mission, 0.0),
            }
            for one in everyone
        ]


def learn(
    version: str,
    documents: Documents,
    vocabulary: Vocabulary,
    settings: ChoiceSettings,
    naming: Naming,
    former: MissionModel | None,
    report: Callable[[str], None] = lambda _: None,
    last_number: int = 0,
) -> Learnt:
    """A new mission model.

    Args:
        version: of the new model.
        documents: the sample of the training window.
        vocabulary: its items.
        settings: what is tried.
        naming: what names are made of.
        former: the model in force; None for the first.
        report: called with a line now and then.
        last_number: of the youngest mission id that any model ever gave, the former one or another.
    """
    before = former.over(vocabulary.items) if former else None
    choice = choose(documents, settings, before, report)
    given = max(last_number, former.last_number if former else 0)
    identities = identify(choice.topics, before, list(former.missions) if former else [], given)
    topics = choice.topics.select(identities.order_K)
    best_D = fold_in(documents, topics.probability_KV, topics.mission_prior_K).argmax(axis=1)
    missions = [one.mission for one in identities.missions]
    model = MissionModel(
        version=version,
        topics=topics,
        share_K=np.bincount(best_D, minlength=topics.k) / best_D.size,
        items=vocabulary.items,
        groups=vocabulary.groups,
        baskets_V=np.asarray(vocabulary.baskets, np.float64),
        missions=missions,
        names=propose(topics, missions, *_words(vocabulary, naming), _taken(missions, naming, former)),
        last_number=identities.last_number,
    )
    return Learnt(model, choice, identities, former)


def _words(vocabulary: Vocabulary, naming: Naming) -> tuple[list[str], list[str]]:
    """What each item is called by its category, and by itself. An item without a category is its own."""
    finer = [naming.items.get(item, item) for item in vocabulary.items]
    coarse = [
        naming.groups.get(group, group) if group else name for group, name in zip(vocabulary.groups, finer, strict=True)
    ]
    return coarse, finer


def _taken(missions: Sequence[str], naming: Naming, former: MissionModel | None) -> dict[str, str]:
    """Names by id: a person's, else the one that a kept mission had, unless a person gave it to another."""
    had = dict(zip(former.missions, former.names, strict=True)) if former else {}
    given = naming.given
    names = {mission: name for mission, name in had.items() if name not in given.values()} | dict(given)
    return {mission: name for mission, name in names.items() if mission in missions}
