"""A mission model: topics with their vocabulary, ids and names; the files it is kept in, and the rows it publishes."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nextbasket_assets.missions.candidates import Candidate
from nextbasket_assets.missions.documents import Floats
from nextbasket_assets.missions.naming import lifts
from nextbasket_assets.missions.topics import Topics

TOPICS, CONFIG, CARD, METRICS = "topics.parquet", "config.json", "card.md", "metrics.json"


@dataclass(frozen=True)
class MissionModel:
    """Missions in the order of their ids.

    Attributes:
        version: of the model.
        topics: of its K missions over its V items.
        share_K: share of the training baskets whose mission it is; adds up to 1.
        items: V item codes, the most frequent first.
        groups: V, the category of each item; '' for none.
        baskets_V: training baskets with each item.
        missions: K ids.
        names: K readable names.
        last_number: of the youngest mission id ever given.
    """

    version: str
    topics: Topics
    share_K: Floats
    items: Sequence[str]
    groups: Sequence[str]
    baskets_V: Floats
    missions: Sequence[str]
    names: Sequence[str]
    last_number: int

    def over(self, items: Sequence[str]) -> Topics:
        """The topics over another vocabulary: items that this model does not know were never bought."""
        position = {item: index for index, item in enumerate(self.items)}
        known = [(index, position[item]) for index, item in enumerate(items) if item in position]
        counts_KV = np.zeros((self.topics.k, len(items)))
        if known:
            here, there = np.array(known).T
            counts_KV[:, here] = self.topics.counts_KV[:, there]
        return Topics(counts_KV, self.topics.item_prior, self.topics.mission_prior_K)

    def topic_rows(self, limit: int) -> list[dict[str, Any]]:
        """Rows of mission_topics: each mission's most probable items, at most `limit`."""
        lift_KV, probability_KV = lifts(self.topics.weights_KV), self.topics.probability_KV
        rows: list[dict[str, Any]] = []
        for number, mission in enumerate(self.missions):
            # Ties go by the vocabulary's order, most frequent first.
            for rank, item in enumerate(np.argsort(-probability_KV[number], kind="stable")[:limit], start=1):
                rows.append(
                    {
                        "mission_model": self.version,
                        "mission": mission,
                        "item": self.items[item],
                        "probability": float(probability_KV[number, item]),
                        "lift": float(lift_KV[number, item]),
                        "baskets": float(self.topics.counts_KV[number, item]),
                        "rank": rank,
                    }
                )
        return rows


def files(model: MissionModel, settings: Mapping[str, Any], metrics: Mapping[str, Any], why: str) -> dict[str, bytes]:
    """The model as files, by name; no pickle."""
    columns = {
        "index": pa.array(range(len(model.items)), pa.int32()),
        "item": pa.array(model.items, pa.string()),
        "group": pa.array(model.groups, pa.string()),
        "baskets": pa.array(model.baskets_V.astype(np.int64)),
        "weights": pa.array(model.topics.weights_KV.T.tolist(), pa.list_(pa.float64())),
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    config = {
        "version": model.version,
        "missions": list(model.missions),
        "names": list(model.names),
        "last_number": model.last_number,
        "item_prior": model.topics.item_prior,
        "mission_prior": model.topics.mission_prior_K.tolist(),
        "share": model.share_K.tolist(),
        "settings": dict(settings),
    }
    return {
        TOPICS: sink.getvalue(),
        CONFIG: _json(config),
        METRICS: _json(metrics),
        CARD: _card(model, why).encode(),
    }


def read(open_file: Callable[[str], bytes]) -> MissionModel:
    """The model of a verified folder; `open_file` gives a file's bytes by its name."""
    config = json.loads(open_file(CONFIG))
    table = pq.read_table(io.BytesIO(open_file(TOPICS)))
    weights_KV = np.array(table["weights"].to_pylist(), np.float64).T
    prior = config["item_prior"]
    topics = Topics(weights_KV - prior, prior, np.array(config["mission_prior"]))
    return MissionModel(
        version=config["version"],
        topics=topics,
        share_K=np.array(config["share"]),
        items=table["item"].to_pylist(),
        groups=table["group"].to_pylist(),
        baskets_V=table["baskets"].to_numpy().astype(np.float64),
        missions=config["missions"],
        names=config["names"],
        last_number=config["last_number"],
    )


def candidate_rows(version: str, candidates: Sequence[Candidate], chosen: Candidate | None) -> list[dict[str, Any]]:
    """Rows of mission_candidates: the evidence about every candidate."""
    return [
        {
            "mission_model": version,
            "k": one.topics.k,
            "item_prior": one.topics.item_prior,
            "seeds": one.seeds,
            "perplexity": one.completion.perplexity,
            "gain": one.completion.gain,
            "gain_error": one.completion.error,
            "coherence": one.coherence,
            "distinctness": one.distinctness,
            "stability_seeds": one.stability_seeds,
            "stability_halves": one.stability_halves,
            "chosen": one is chosen,
        }
        for one in candidates
    ]


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _card(model: MissionModel, why: str) -> str:
    lines = [
        f"# Mission model {model.version}",
        "",
        f"{why[0].upper()}{why[1:]}.",
        "",
        "| mission | name | share |",
        "|--|--|--|",
    ]
    lines += [
        f"| {mission} | {name} | {share:.1%} |"
        for mission, name, share in zip(model.missions, model.names, model.share_K, strict=True)
    ]
    return "\n".join(lines) + "\n"
