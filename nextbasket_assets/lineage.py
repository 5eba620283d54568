"""Where every column of the lake comes from: table -> column -> the columns that its values are made of.

One list for the UI's column lineage and for the words beside each column. A column without sources is made by the asset
itself (a rank, a version), or comes from the landing file. Tests hold that every column has its entry and that every
source is a column of `columns.TABLES`. Standard library only.
"""

from nextbasket_assets.columns import WEEK, names

Sources = dict[str, tuple[str, ...]]

LANDING_TABLES = ("raw_transactions", "rejected_lines", "landed_files")  # their columns come from outside

_LABELS = (
    *("price_sensitivity", "lifestage", "basket_size", "basket_price_sensitivity", "basket_type"),
    *("basket_dominant_mission", "store", "store_format", "store_region"),
)


def _same(table: str, *columns: str) -> Sources:
    """Columns that keep the name they have in another table."""
    return {column: (f"{table}.{column}",) for column in columns}


def _from(sources: tuple[str, ...], *columns: str) -> Sources:
    """Columns that are all made of the same sources."""
    return dict.fromkeys(columns, sources)


def _made(*columns: str) -> Sources:
    return _from((), *columns)


_EVIDENCE = ("staged_baskets.items",)
_HISTORY = ("customer_sequences.baskets",)
_TAGGED = ("mission_tagged_baskets.mission_weights",)

_TAG: Sources = {
    **_same("staged_baskets", "basket", "customer"),
    "mission": _EVIDENCE,
    "confidence": _EVIDENCE,
    "mission_weights": _EVIDENCE,
    "known_items": _EVIDENCE,
    "mission_model": (),
}
_LEARNT: Sources = {**_same("staged_baskets", WEEK), **_made("mission_model")}

LINEAGE: dict[str, Sources] = {
    **{table: _made(*names(table)) for table in LANDING_TABLES},
    "staged_baskets": {
        **_same("raw_transactions", WEEK, "basket", "customer", "date", "hour", *_LABELS, "spend"),
        "units": ("raw_transactions.quantity",),
        "items": ("raw_transactions.item", "raw_transactions.quantity", "raw_transactions.spend"),
    },
    "mission_topics": {
        **_LEARNT,
        **_made("mission", "rank"),
        **_from(_EVIDENCE, "item", "probability", "lift", "baskets"),
    },
    "mission_identities": {
        **_LEARNT,
        **_made("mission", "status", "previous_model", "similarity"),
        "name": (*_EVIDENCE, "raw_transactions.category_20"),
        "share": _EVIDENCE,
    },
    "mission_candidates": {
        **_LEARNT,
        **_made("k", "item_prior", "seeds", "chosen"),
        **_from(
            _EVIDENCE,
            *("perplexity", "gain", "gain_error", "coherence", "distinctness", "stability_seeds", "stability_halves"),
        ),
    },
    "mission_history": {**_TAG, WEEK: (), "basket_week": ("staged_baskets.week",)},
    "mission_tagged_baskets": {**_TAG, **_same("staged_baskets", WEEK)},
    "mission_profiles": {
        **_same("mission_tagged_baskets", WEEK, "mission_model", "mission"),
        **_made("section", "name"),
        "level": tuple(f"staged_baskets.{column}" for column in (*_LABELS, "items")),
        "baskets": ("mission_tagged_baskets.basket",),
        **_from(
            (*_TAGGED, "mission_history.mission_weights", "staged_baskets.units", "staged_baskets.spend"),
            *("value", "index", "low", "high"),
        ),
    },
    "customer_sequences": {
        **_same("staged_baskets", WEEK, "customer"),
        "baskets_seen": ("staged_baskets.basket",),
        **_same("mission_history", "mission_model"),
        "baskets": (
            *("staged_baskets.date", "staged_baskets.hour", "staged_baskets.items"),
            *("mission_history.mission_weights", "mission_tagged_baskets.mission_weights"),
        ),
    },
    "next_basket_scores": {
        **_same("customer_sequences", WEEK, "customer"),
        **_from(_HISTORY, "rank", "item", "probability", "probability_7_days", "reason"),
        "source": ("customer_sequences.baskets_seen",),
        **_same("model_evaluation", "model_version"),
    },
    "next_trip_outlook": {
        **_same("customer_sequences", WEEK, "customer"),
        **_from(
            _HISTORY,
            *("visit_within_7_days", "expected_days", "expected_items", "mission", "mission_probabilities"),
        ),
        "source": ("customer_sequences.baskets_seen",),
        **_same("model_evaluation", "model_version"),
    },
    "score_exports": {
        **_same("next_basket_scores", WEEK),
        **_made("file"),
        **_from(
            ("next_basket_scores.customer", "next_basket_scores.item", "next_trip_outlook.visit_within_7_days"),
            *("rows", "bytes", "sha256"),
        ),
    },
    "weekly_report": {
        **_same("next_basket_scores", WEEK),
        **_made("claim", "light"),
        **_from(
            (
                *("landed_files.accepted", "rejected_lines.rule", "next_basket_scores.source"),
                *("mission_profiles.value", "model_evaluation.value"),
            ),
            *("held", "found"),
        ),
    },
    "model_evaluation": {
        **_same("customer_sequences", WEEK),
        **_made("model_version", "method", "metric", "k", "decile"),
        "value": _HISTORY,
        "customers": ("customer_sequences.customer",),
    },
}
