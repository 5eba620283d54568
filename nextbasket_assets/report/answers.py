"""What the command line answers about missions, customers and models, as plain values: printed as JSON, or as tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.errors import NOTHING_THERE, NextbasketError
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.missions import mission_ids
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code

Answer = dict[str, Any]
_DECISIONS = 10  # newest ones of the registry that are shown


class NoAnswerError(NextbasketError):
    """What was asked about is not there; the message says what is."""

    exit_code = NOTHING_THERE


def missions_answer(lake: Lake, week: date, catalogue: Catalogue, items: int = 5) -> Answer:
    """The missions of the model as of `week`: share of the tagged history, and the most over-represented items."""
    tagged = lake.read("mission_history", [week], ["mission"])["mission"].value_counts().to_pylist()
    baskets = {row["values"]: row["counts"] for row in tagged}
    identities = [row for row in lake.read("mission_identities", [week]).to_pylist() if row["status"] != "retired"]
    topics: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in lake.read("mission_topics", [week]).to_pylist():
        topics[row["mission"]].append(row)
    return {
        **_week(week),
        "mission_model": identities[0]["mission_model"] if identities else None,
        "missions": [
            {
                "mission": row["mission"],
                "name": row["name"],
                "share_of_baskets": baskets.get(row["mission"], 0) / max(sum(baskets.values()), 1),
                "items": _typical(topics[row["mission"]], catalogue, items),
            }
            for row in sorted(identities, key=lambda row: row["mission"])
        ],
    }


def _typical(topics: Iterable[Mapping[str, Any]], catalogue: Catalogue, items: int) -> list[Answer]:
    """The items with the highest lift among the ten times as many most probable ones."""
    common = [row for row in topics if row["rank"] <= 10 * items]
    best = sorted(common, key=lambda row: (-row["lift"], row["item"]))[:items]
    return [{"item": row["item"], "name": catalogue.name(row["item"]), "lift": row["lift"]} for row in best]


def customer_answer(
    lake: Lake,
    week: date,
    customer: str,
    scores: Iterable[Mapping[str, Any]],
    catalogue: Catalogue,
    baskets: int,
    mission: str | None = None,
) -> Answer:
    """One customer at the end of a week: their last baskets with missions, their next trip, and the list for it.

    Args:
        lake: the lake.
        week: its Monday.
        customer: their code.
        scores: rows of the list.
        catalogue: names of items.
        baskets: of the history, the newest ones.
        mission: of the trip that the list is for; None for the next trip, whatever it is.

    Raises:
        NoAnswerError: the customer is not known in that week.
    """
    known = next(iter(_rows_of(lake, "customer_sequences", week, customer)), None)
    if known is None:
        raise NoAnswerError(f"week {week_code(week)} knows no customer of that code. Check it, or give another --week.")
    outlooks = _rows_of(lake, "next_trip_outlook", week, customer)
    ids, names = mission_ids(lake, known["mission_model"]), _mission_names(lake, known["mission_model"])
    return {
        **_week(week),
        "customer": customer,
        "baskets_seen": known["baskets_seen"],
        "history": [_basket(one, ids, names, catalogue) for one in reversed(known["baskets"][-baskets:])],
        "next_trip": _trip(outlooks[0], ids, names) if outlooks else None,
        "list_for_mission": mission,
        "next_basket": [
            {
                "rank": row["rank"],
                "item": row["item"],
                "name": catalogue.name(row["item"]),
                **{name: row.get(name) for name in ("probability", "probability_7_days", "reason", "source")},
            }
            for row in sorted(scores, key=lambda row: row["rank"])
        ],
    }


def _rows_of(lake: Lake, table: str, week: date, customer: str) -> list[dict[str, Any]]:
    if week not in lake.weeks(table):
        return []
    rows: pa.Table = lake.read(table, [week])
    return list(rows.filter(pc.equal(rows["customer"], customer)).to_pylist())


def _mission_names(lake: Lake, version: str | None) -> dict[str, str]:
    weeks = {one.week for one in registry.decisions(lake, "mission_model") if one.version == version}
    rows = lake.read("mission_identities", weeks).to_pylist() if weeks else []
    return {row["mission"]: row["name"] for row in rows if row["mission_model"] == version}


def _basket(basket: Mapping[str, Any], ids: list[str], names: Mapping[str, str], catalogue: Catalogue) -> Answer:
    weights = basket["mission_weights"]
    mission = ids[weights.index(max(weights))] if len(weights) and len(weights) == len(ids) else None
    return {
        "date": basket["date"].isoformat(),
        "hour": basket["hour"],
        "mission": mission,
        "mission_name": names.get(mission or ""),
        "items": [{"item": item, "name": catalogue.name(item)} for item in basket["items"]],
    }


def _trip(outlook: Mapping[str, Any], ids: list[str], names: Mapping[str, str]) -> Answer:
    shown = ("visit_within_7_days", "expected_days", "expected_items", "mission", "source", "model_version")
    told = dict(zip(ids, outlook["mission_probabilities"], strict=False))
    likely = sorted(told, key=lambda mission: -told[mission])
    missions = [{"mission": one, "name": names.get(one), "probability": told[one]} for one in likely]
    return {**{name: outlook[name] for name in shown}, "missions": missions}


def evaluation_answer(
    lake: Lake, week: date, held_out: Iterable[Mapping[str, Any]], afterwards: Iterable[Mapping[str, Any]]
) -> Answer:
    """How good a week's model is: on its held-out weeks, and against what people bought afterwards; and who serves."""
    decisions = registry.decisions(lake, "rnn_model")
    champion = registry.promoted(lake, "rnn_model", date.max)
    return {
        **_week(week),
        "held_out": _methods(held_out),
        "afterwards": _methods(afterwards),
        "champion": champion.version if champion else None,
        "decisions": [
            {"version": one.version, "week": week_code(one.week), "decision": one.decision, "why": _why(one)}
            for one in decisions[-_DECISIONS:]
        ],
    }


def _why(decision: registry.Decision) -> str:
    return decision.why.removeprefix(f"{decision.decision}: ")


def _methods(rows: Iterable[Mapping[str, Any]]) -> list[Answer]:
    """One object per method, the best recall@10 first; probabilities by decile are left to the table."""
    found: dict[str, Answer] = {}
    for row in rows:
        if row.get("decile") is None:
            method = found.setdefault(row["method"], {"method": row["method"], "customers": 0})
            method[f"{row['metric']}@{row['k']}"] = row["value"]
            method["customers"] = max(method["customers"], row["customers"])
    return sorted(found.values(), key=lambda method: -method.get("recall@10", 0.0))


def _week(week: date) -> Answer:
    return {"week": week.isoformat(), "retail_week": week_code(week)}
