"""Column names, types and meanings of every table of the lake.

One list serves every engine: `spark_schema(table)` is the JSON that both Spark's `StructType.fromJson` and
deltalake's `Schema.from_json` read. Standard library only; nothing here knows an engine.

Types are Spark SQL's simple names. Every weekly table is partitioned by `WEEK`, the Monday of the retail week.
"""

from dataclasses import dataclass
from typing import Any

WEEK = "week"
PERSONAL = ("customer", "basket", "raw_text")  # columns that tell a person, or may

Type = str | dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, its Spark SQL type, what it holds, and whether it may be null."""

    name: str
    type: Type
    meaning: str
    nullable: bool = False


def array(element: Type) -> dict[str, Any]:
    """The type of an array whose elements are never null."""
    return {"type": "array", "elementType": element, "containsNull": False}


def struct(*fields: Column) -> dict[str, Any]:
    """The type of a record with these fields."""
    return {"type": "struct", "fields": [_field(field) for field in fields]}


def _field(column: Column) -> dict[str, Any]:
    return {"name": column.name, "type": column.type, "nullable": column.nullable, "metadata": {}}


ITEM_LINE = struct(
    Column("item", "string", "item code"),
    Column("quantity", "integer", "units bought"),
    Column("spend", "decimal(14,2)", "amount paid"),
)

SEQUENCE_BASKET = struct(
    Column("date", "date", "shop date"),
    Column("hour", "integer", "hour of the day, local shop time"),
    Column("items", array("string"), "distinct item codes, sorted"),
    Column("mission_weights", array("float"), "weight of each mission; empty when the basket is unassigned"),
)

_WEEK = Column(WEEK, "date", "Monday of the retail week (the partition)")
_LABELS = (
    Column("price_sensitivity", "string", "customer's price sensitivity: LA, MM, UM, XX", nullable=True),
    Column("lifestage", "string", "customer's lifestage: YA, OA, YF, OF, PE, OT, XX", nullable=True),
    Column("basket_size", "string", "S 1-2 units, M 3-9, L 10 or more", nullable=True),
    Column("basket_price_sensitivity", "string", "basket's price sensitivity: LA, MM, UM, XX", nullable=True),
    Column("basket_type", "string", "Small Shop, Top Up, Full Shop, XX", nullable=True),
    Column(
        "basket_dominant_mission", "string", "the retailer's label: Fresh, Grocery, Mixed, Nonfood, XX", nullable=True
    ),
    Column("store", "string", "store code"),
    Column("store_format", "string", "SS, MS, LS, XLS", nullable=True),
    Column("store_region", "string", "region code", nullable=True),
)
_TAG = (
    Column("basket", "string", "basket id"),
    Column("customer", "string", "customer code; null for anonymous trade", nullable=True),
    Column("mission", "string", "mission id (M01, M02, ...) or 'unassigned'"),
    Column("confidence", "float", "weight of that mission; 0 when unassigned"),
    Column("mission_weights", array("float"), "weight of each mission, in the model's order; empty when unassigned"),
    Column("known_items", "integer", "distinct items of the basket that the model knows"),
    Column("mission_model", "string", "version of the model that tagged it; null before the first one", nullable=True),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "raw_transactions": (
        _WEEK,
        Column("source_file", "string", "name of the landing file"),
        Column("line_number", "long", "line in that file; the header is line 1"),
        Column("date", "date", "shop date"),
        Column("hour", "integer", "hour of the day, local shop time"),
        Column("quantity", "integer", "units; negative for returns"),
        Column("spend", "decimal(14,2)", "amount; negative for returns"),
        Column("item", "string", "item code (PROD_CODE)"),
        Column("category_10", "string", "product hierarchy level 10, the finest", nullable=True),
        Column("category_20", "string", "product hierarchy level 20", nullable=True),
        Column("category_30", "string", "product hierarchy level 30", nullable=True),
        Column("category_40", "string", "product hierarchy level 40, the coarsest", nullable=True),
        Column("customer", "string", "customer code; null for anonymous trade", nullable=True),
        Column("basket", "string", "basket id, as delivered"),
        *_LABELS,
    ),
    "landed_files": (
        _WEEK,
        Column("source_file", "string", "name of the landing file"),
        Column("sha256", "string", "digest of the file as delivered; the week's content"),
        Column("bytes", "long", "size as delivered"),
        Column("lines", "long", "lines after the header"),
        Column("accepted", "long", "lines in raw_transactions"),
        Column("rejected", "long", "lines in rejected_lines"),
    ),
    "rejected_lines": (
        _WEEK,
        Column("source_file", "string", "name of the landing file"),
        Column("line_number", "long", "line in that file; the header is line 1"),
        Column("rule", "string", "name of the first rule the line breaks"),
        Column("detail", "string", "what was found and what was wanted, without the row's content"),
        Column("raw_text", "string", "the line as delivered; where the lake has pseudonyms, a note in its place"),
    ),
    "staged_baskets": (
        _WEEK,
        Column("basket", "string", "basket id, rebuilt where the delivered one was damaged"),
        Column("customer", "string", "customer code; null for anonymous trade", nullable=True),
        Column("date", "date", "shop date"),
        Column("hour", "integer", "hour of the day, local shop time"),
        *_LABELS,
        Column("units", "long", "units of merchandise"),
        Column("spend", "decimal(14,2)", "amount spent on merchandise"),
        Column("items", array(ITEM_LINE), "one entry per distinct item, sorted by item; empty without merchandise"),
    ),
    "mission_topics": (
        _WEEK,
        Column("mission_model", "string", "model version"),
        Column("mission", "string", "mission id"),
        Column("item", "string", "item code"),
        Column("probability", "double", "P(item | mission)"),
        Column("lift", "double", "P(item | mission) / P(item)"),
        Column(
            "baskets",
            "double",
            "sampled baskets with the item, bought for this mission; of a kept one, mixed with memory",
        ),
        Column("rank", "integer", "1 for the mission's most probable item"),
    ),
    "mission_identities": (
        _WEEK,
        Column("mission_model", "string", "model version"),
        Column("mission", "string", "mission id: kept across refits, never used twice"),
        Column("name", "string", "readable name, unique within the model"),
        Column("status", "string", "new, kept or retired; a retired mission is not in the model"),
        Column("previous_model", "string", "version it was matched with; null for a new mission", nullable=True),
        Column("similarity", "double", "of a kept mission to its former self, from 0 to 1", nullable=True),
        Column("share", "double", "share of the sampled baskets, held-out ones included; 0 when retired"),
    ),
    "mission_candidates": (
        _WEEK,
        Column("mission_model", "string", "version of the model that was chosen"),
        Column("k", "integer", "number of missions"),
        Column("item_prior", "double", "items that every mission is given of every item beforehand"),
        Column("seeds", "integer", "fits with different seeds"),
        Column("perplexity", "double", "document completion on held-out customers, of the best seed; lower is better"),
        Column("gain", "double", "nats per item over item shares alone, of the best seed; 0 or less is no structure"),
        Column("gain_error", "double", "standard error of the gain over held-out baskets"),
        Column("coherence", "double", "mean NPMI of the top 10 items of each mission on held-out baskets"),
        Column("distinctness", "double", "share of the top 10 items that belong to one mission only"),
        Column("stability_seeds", "double", "mean similarity of matched missions across seeds", nullable=True),
        Column("stability_halves", "double", "the same across models of two halves of the customers", nullable=True),
        Column("chosen", "boolean", "whether this k was chosen"),
    ),
    "mission_history": (
        _WEEK,
        Column("basket_week", "date", "week of the basket; the partition is the model's as-of week"),
        *_TAG,
    ),
    "mission_tagged_baskets": (_WEEK, *_TAG),
    "mission_profiles": (
        _WEEK,
        Column("mission_model", "string", "model version that tagged the week; null before the first", nullable=True),
        Column("mission", "string", "mission id, 'unassigned', or 'all' for every basket of the week"),
        Column("section", "string", "overall, item, attribute, transition, trend, drift or agreement"),
        Column("name", "string", "what is measured: share_of_baskets, mean_spend, store_format, psi, ..."),
        Column("level", "string", "value of the attribute, item, next mission or week; empty where there is none"),
        Column("baskets", "long", "baskets that the value counts; of means and measures, those it is taken over"),
        Column("value", "double", "share from 0 to 1, mean, or measure; a change is in percentage points"),
        Column(
            "index", "double", "100 times the value over that of all baskets; null where none applies", nullable=True
        ),
        Column("low", "double", "95 % interval of the index, or of the value where there is no index", nullable=True),
        Column("high", "double", "its upper end", nullable=True),
    ),
    "customer_sequences": (
        _WEEK,
        Column("customer", "string", "customer code"),
        Column("baskets_seen", "integer", "baskets with merchandise in the window up to this week, before truncation"),
        Column("mission_model", "string", "version of the model whose weights the baskets carry", nullable=True),
        Column("baskets", array(SEQUENCE_BASKET), "most recent baskets, oldest first, by date and hour"),
    ),
    "next_basket_scores": (
        _WEEK,
        Column("customer", "string", "customer code"),
        Column("rank", "integer", "1 for the most probable item"),
        Column("item", "string", "item code"),
        Column("probability", "float", "P(item in the customer's next basket)"),
        Column("probability_7_days", "float", "P(the customer buys the item within 7 days of the end of the week)"),
        Column("reason", "string", "why the item is on the list"),
        Column("source", "string", "'model', or 'fallback' where the model has nothing to go on"),
        Column("model_version", "string", "model that scored; the fallback's name without one"),
    ),
    "next_trip_outlook": (
        _WEEK,
        Column("customer", "string", "customer code"),
        Column("visit_within_7_days", "float", "P(a trip within 7 days of the end of the week)"),
        Column("expected_days", "float", "expected days from the end of the week to the next trip, at most 365"),
        Column("expected_items", "float", "expected distinct items of the next basket"),
        Column("mission", "string", "the next trip's most probable mission; null without missions", nullable=True),
        Column(
            "mission_probabilities",
            array("float"),
            "P(mission of the next trip), in the order of the ids; empty without missions",
        ),
        Column("source", "string", "'model', or 'fallback' where the model has nothing to go on"),
        Column("model_version", "string", "model that foretold; the fallback's name without one"),
    ),
    "score_exports": (
        _WEEK,
        Column("file", "string", "name of the file in the week's folder below exports/"),
        Column("rows", "long", "rows in it; a CSV's header is none"),
        Column("bytes", "long", "its size"),
        Column("sha256", "string", "its digest"),
    ),
    "model_evaluation": (
        _WEEK,
        Column("model_version", "string", "the challenger of the week"),
        Column("method", "string", "challenger, champion, or a baseline's name"),
        Column("metric", "string", "recall, precision, ndcg, phr, recall_repeat, recall_explore, ..."),
        Column("k", "integer", "length of the list; 0 for what is not about lists"),
        Column("decile", "integer", "of the probabilities, 1 the lowest, in the reliability rows", nullable=True),
        Column("value", "double", "mean over the customers"),
        Column("customers", "long", "customers that the mean is over"),
    ),
    "weekly_report": (
        _WEEK,
        Column("claim", "string", "what should hold for the week; the report's light is that of the worst broken one"),
        Column("light", "string", "amber or red: the light of a week that breaks it"),
        Column("held", "boolean", "whether it held; null when it cannot be known yet", nullable=True),
        Column("found", "string", "the numbers that decided, in a sentence"),
    ),
}

REGISTRY: tuple[Column, ...] = (
    Column("number", "long", "1 for the first decision ever, then one up"),
    Column(WEEK, "date", "as-of week: the model saw weeks up to this one"),
    Column("name", "string", "mission_model or rnn_model"),
    Column("version", "string", "as-of week and digest of the artifact"),
    Column("decision", "string", "trained, promoted, refused or rolled_back"),
    Column("why", "string", "the numbers that decided, in one sentence"),
    Column("metrics", "string", "JSON object of metric name to number"),
    Column("artifact", "string", "where the artifact is, below the lake"),
    Column("digest", "string", "sha256 of the artifact's SHA256SUMS"),
    Column("inputs", "string", "JSON object of table name to version read"),
    Column("run_id", "string", "the orchestrator's run"),
)


def spark_schema(columns: tuple[Column, ...]) -> dict[str, Any]:
    """The columns as a struct type, in the JSON form that Spark and Delta Lake share."""
    return struct(*columns)


def names(table: str) -> tuple[str, ...]:
    """Column names of a table, in order.

    Raises:
        KeyError: there is no such table.
    """
    return tuple(column.name for column in TABLES[table])
