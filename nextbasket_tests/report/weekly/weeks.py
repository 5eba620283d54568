"""A lake by hand: four weeks of forty customers, each of whom buys bread and an item of their own every week.

Customer n comes on day n % 7, knows `seen(n)` baskets, and is foretold both items; customers below TEN buy tea besides,
which nobody is foretold and nobody bought before the last week.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from nextbasket_assets.lake import registry
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, TRAINED, Decision
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake

FIRST = date(2006, 4, 10)
WEEKS = [FIRST + timedelta(weeks=number) for number in range(4)]
CUSTOMERS, TEN = 40, 10
BREAD, TEA = "bread", "<script>tea</script>"
MODEL = "2006-04-17-abc"


def code(number: int) -> str:
    return f"CUST{number:04d}"


def own(number: int) -> str:
    return f"own{number:04d}"


def seen(number: int) -> int:
    """Thin, medium and heavy histories by turns."""
    return (2, 10, 30)[number % 3]


def put(lake: Lake, table: str, week: date, rows: list[dict[str, Any]]) -> None:
    with stage(lake, table, "run-1") as folder:
        write_rows(lake, table, folder, week, rows)
        publish(lake, table, folder, [week], Provenance("run-1", "code", {}))


def bought(number: int, week: date, last: bool) -> list[str]:
    return sorted([BREAD, own(number), *([TEA] if last and number < TEN else [])])


def basket(number: int, week: date, items: list[str], **labels: Any) -> dict[str, Any]:
    plain = {"lifestage": "YA" if number % 2 else None, "store_format": "LS", "price_sensitivity": "MM"}
    return {
        "basket": f"{week}-{number}",
        "customer": code(number),
        "date": week + timedelta(days=number % 7),
        "hour": 9,
        "basket_size": "S",
        "basket_type": "Top Up",
        "basket_dominant_mission": "Fresh",
        "store": "S1",
        **plain,
        "units": len(items),
        "spend": Decimal("1.50"),
        "items": [{"item": item, "quantity": 1, "spend": Decimal("0.50")} for item in items],
        **labels,
    }


def deliver(lake: Lake, week: date, last: bool = False) -> None:
    """The lines and baskets of a week; one of its 1,000 lines is quarantined."""
    landed = {"source_file": f"{week}.csv", "sha256": "0", "bytes": 1, "lines": 1000, "accepted": 999, "rejected": 1}
    put(lake, "landed_files", week, [landed])
    broken = {"source_file": "f", "line_number": 2, "rule": "spend_is_a_number", "detail": "d", "raw_text": "x"}
    put(lake, "rejected_lines", week, [broken])
    put(lake, "staged_baskets", week, [basket(n, week, bought(n, week, last)) for n in range(CUSTOMERS)])


def score(lake: Lake, week: date) -> None:
    """Histories, lists, outlooks and mission profiles of a week."""
    past = [(one, bought(0, one, False)) for one in WEEKS if one <= week]
    put(
        lake,
        "customer_sequences",
        week,
        [
            {
                "customer": code(n),
                "baskets_seen": seen(n),
                "mission_model": "m1",
                "baskets": [
                    {"date": day, "hour": 9, "items": sorted([BREAD, own(n)]), "mission_weights": []} for day, _ in past
                ],
            }
            for n in range(CUSTOMERS)
        ],
    )
    put(lake, "next_basket_scores", week, [row for n in range(CUSTOMERS) for row in _list(n)])
    put(lake, "next_trip_outlook", week, [_outlook(n) for n in range(CUSTOMERS)])
    put(lake, "mission_profiles", week, _profile())


def _list(number: int) -> list[dict[str, Any]]:
    items = [(own(number), 0.9, "bought on 2 of the last 2 trips"), (BREAD, 0.8, "popular with all customers")]
    return [
        {"customer": code(number), "rank": rank, "item": item, "probability": said, "probability_7_days": said}
        | {"reason": reason, "source": "model", "model_version": MODEL}
        for rank, (item, said, reason) in enumerate(items, start=1)
    ]


def _outlook(number: int) -> dict[str, Any]:
    told = {"visit_within_7_days": 1.0, "expected_days": 3.0, "expected_items": 2.0, "mission": "M01"}
    return {
        "customer": code(number),
        **told,
        "mission_probabilities": [1.0],
        "source": "model",
        "model_version": MODEL,
    }


def _profile() -> list[dict[str, Any]]:
    none = {"mission_model": "m1", "index": None, "low": None, "high": None, "level": "", "baskets": CUSTOMERS}
    shares = {"section": "overall", "name": "share_of_baskets"}
    return [
        none | shares | {"mission": "all", "value": 1.0},
        none | shares | {"mission": "M01", "value": 0.9, "baskets": 36},
        none | shares | {"mission": "unassigned", "value": 0.1, "baskets": 4},
        none
        | {"mission": "M01", "section": "item", "name": "item", "level": TEA, "value": 0.5}
        | {"index": 300.0, "low": 200.0, "high": 400.0},
        none
        | {"mission": "M01", "section": "attribute", "name": "store_format", "level": "LS", "value": 0.5}
        | {"index": 150.0, "low": 120.0, "high": 180.0},
        *(
            none
            | {"mission": "M01", "section": "trend", "name": "share", "level": level, "value": value}
            | {"low": value - 0.1, "high": value + 0.05}
            for level, value in (("2006-04-10", 0.8), ("2006-04-17", 0.9))
        ),
        none | {"mission": "M01", "section": "drift", "name": "training_share", "value": 1.0},
        none | {"mission": "all", "section": "drift", "name": "psi", "value": 0.02},
    ]


def decide(lake: Lake, decision: str = PROMOTED, why: str = "promoted: ahead", week: date = WEEKS[1]) -> None:
    """A decision about the model."""
    registry.record(
        lake,
        Decision(
            week=week,
            name="rnn_model",
            version=MODEL,
            decision=decision,
            why=why,
            metrics={},
            artifact="models/a",
            digest="d",
            inputs={},
            run_id="run-1",
        ),
    )


def small_lake(root: str, weeks: list[date] = WEEKS) -> Lake:
    """These weeks, scored from the second one on by a model as of it."""
    lake = Lake(root)
    for week in weeks:
        deliver(lake, week, last=week == WEEKS[-1])
    decide(lake, TRAINED, "best epoch")
    decide(lake)
    for week in weeks[1:]:
        score(lake, week)
    told = {"model_version": MODEL, "metric": "recall", "k": 10, "decile": None, "customers": 12}
    put(
        lake,
        "model_evaluation",
        weeks[1],
        [told | {"method": name, "value": value} for name, value in (("challenger", 0.4), ("champion", 0.3))],
    )
    return lake
