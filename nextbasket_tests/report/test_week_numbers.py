"""The numbers that the UI plots: few hand-made rows, figures worked by hand."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, arrow_schema
from nextbasket_assets.landing import monday
from nextbasket_assets.report.week_numbers import week_numbers

FIRST, SECOND = monday("200607"), monday("200608")


def published(root: Path, table: str, rows: dict[date, list[dict[str, Any]]]) -> Lake:
    """A lake with these rows; columns that a row leaves out hold what no number reads."""
    lake = Lake(str(root))
    schema = arrow_schema(tuple(column for column in TABLES[table] if column.name != WEEK))
    with stage(lake, table, "run") as folder:
        for week, held in rows.items():
            full = [{field.name: filler(field) for field in schema} | row for row in held]
            write_staged(lake, table, folder, week, pa.Table.from_pylist(full, schema=schema))
        publish(lake, table, folder, list(rows), Provenance("run", "code", {}))
    return lake


def filler(field: pa.Field) -> Any:
    if field.nullable:
        return None
    if pa.types.is_list(field.type):
        return []
    return "" if pa.types.is_string(field.type) else FIRST if pa.types.is_date(field.type) else 0


def test_each_week_has_its_own_numbers(tmp_path: Path) -> None:
    """Two weeks of baskets: customers, the anonymous share, stores and means are those of the week's own rows."""
    basket = {"store": "S1", "units": 2, "spend": Decimal("3.00")}
    weeks = {
        FIRST: [basket | {"customer": "a"}, basket | {"customer": "a", "spend": Decimal("5.00")}],
        SECOND: [basket | {"customer": "b", "units": 4}, basket | {"customer": None, "store": "S2"}],
    }
    lake = published(tmp_path / "lake", "staged_baskets", weeks)

    found = week_numbers(lake, "staged_baskets", [FIRST, SECOND])

    assert found[FIRST] == {
        "customers": 1, "anonymous_share": 0, "stores": 1, "spend": 8, "mean_spend": 4, "mean_units": 2,
    }  # fmt: skip
    assert found[SECOND]["anonymous_share"] == 0.5
    assert found[SECOND]["stores"] == 2
    assert found[SECOND]["mean_units"] == 3


def test_a_week_without_rows_has_no_numbers(tmp_path: Path) -> None:
    """A week that was published empty, or never, is no zero on the curve."""
    lake = published(tmp_path / "lake", "staged_baskets", {FIRST: []})

    assert week_numbers(lake, "staged_baskets", [FIRST, SECOND]) == {}


def numbers_of(root: Path, table: str, rows: list[dict[str, Any]]) -> dict[str, float]:
    return week_numbers(published(root / "lake", table, {FIRST: rows}), table, [FIRST])[FIRST]


def test_customers_of_few_baskets_are_counted(tmp_path: Path) -> None:
    """One with none, two with one, one with five."""
    found = numbers_of(tmp_path, "customer_sequences", [{"baskets_seen": seen} for seen in (0, 1, 1, 5)])

    assert (found["customers_without_baskets"], found["customers_with_one_basket"]) == (1, 2)
    assert (found["mean_baskets_seen"], found["most_baskets_seen"]) == (1.75, 5)


def test_a_list_is_a_customer_and_its_first_item_the_surest(tmp_path: Path) -> None:
    """Two customers with two items each; the mean of the first places is not that of all."""
    rows = [{"rank": rank, "item": f"i{rank}", "probability": 1 / 2**rank} for rank in (1, 2, 1, 2)]
    found = numbers_of(tmp_path, "next_basket_scores", rows)

    assert (found["customers"], found["items"], found["mean_first_probability"]) == (2, 2, 0.5)


def test_baskets_without_a_mission_have_their_share(tmp_path: Path) -> None:
    """One of four is unassigned."""
    found = numbers_of(
        tmp_path, "mission_tagged_baskets", [{"mission": m} for m in ("M01", "M01", "M02", "unassigned")]
    )

    assert found["unassigned_share"] == 0.25


def test_the_largest_lift_is_no_probability(tmp_path: Path) -> None:
    """Each maximum is of its own column."""
    rows = [{"mission": "M01", "item": "a", "lift": 7.0, "probability": 0.1}, {"lift": 1.0, "probability": 0.3}]
    found = numbers_of(tmp_path, "mission_topics", rows)

    assert (found["largest_lift"], found["mean_lift"], found["largest_probability"]) == (7.0, 4.0, 0.3)


def test_only_kept_missions_are_similar_to_former_ones(tmp_path: Path) -> None:
    """Missions are counted by what became of them; a first model has no similarity, which is not one of nothing."""
    new, kept = {"status": "new", "share": 0.4}, {"status": "kept", "share": 0.6, "similarity": 0.8}
    first, second = (
        numbers_of(tmp_path / name, "mission_identities", rows) for name, rows in (("a", [new]), ("b", [new, kept]))
    )

    assert (second["missions_new"], second["missions_kept"], second["missions_retired"]) == (1, 1, 0)
    assert (second["largest_share"], second["mean_similarity"]) == (0.6, 0.8)
    assert "mean_similarity" not in first


def test_the_chosen_candidate_is_the_one_that_is_shown(tmp_path: Path) -> None:
    """Of all numbers of missions that were tried, the evidence of the chosen one is plotted."""
    one = {"perplexity": 90.0, "gain": 0.1, "gain_error": 0.01, "coherence": 0.2, "distinctness": 0.9}
    rows = [one | {"k": 2, "chosen": False}, one | {"k": 3, "chosen": True, "gain": 0.2}]
    lake = published(tmp_path / "lake", "mission_candidates", {FIRST: rows})

    found = week_numbers(lake, "mission_candidates", [FIRST])[FIRST]

    assert (found["candidates"], found["chosen_k"], found["chosen_gain"]) == (2, 3, 0.2)


def test_no_number_of_missions_is_chosen_where_there_is_no_structure(tmp_path: Path) -> None:
    """Candidates of which none is better than no missions are counted, and none of them is plotted as the chosen one."""
    one = {"perplexity": 90.0, "gain": 0.1, "gain_error": 0.01, "coherence": 0.2, "distinctness": 0.9}
    rows = [one | {"k": k, "chosen": False} for k in (2, 3)]
    lake = published(tmp_path / "lake", "mission_candidates", {FIRST: rows})

    assert week_numbers(lake, "mission_candidates", [FIRST])[FIRST] == {"candidates": 2}
