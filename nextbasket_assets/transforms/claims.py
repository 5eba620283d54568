"""What must hold in every week of every table that Spark makes: claim -> how many rows break it, as a SQL aggregate.

Checked on the staged files, in one grouped pass per table, before a week is published. A count of 0 is a claim that holds.
"""


def _rows(broken: str) -> str:
    return f"count_if(coalesce({broken}, true))"


def _no_number(number: str) -> str:
    return f"abs({number}) >= double('infinity')"  # Spark orders NaN above infinity


def _repeats(*key: str) -> str:
    return f"count(1) - count(distinct {', '.join(key)})"


_IN_WEEK = {"every date lies in its week": _rows("date not between week and date_add(week, 6)")}
_HOUR = {"hour is from 0 to 23": _rows("hour not between 0 and 23")}
_LABEL_DOMAINS = {
    "price_sensitivity": "'LA', 'MM', 'UM', 'XX'",
    "lifestage": "'YA', 'OA', 'YF', 'OF', 'PE', 'OT', 'XX'",
    "basket_size": "'S', 'M', 'L'",
    "basket_price_sensitivity": "'LA', 'MM', 'UM', 'XX'",
    "basket_type": "'Small Shop', 'Top Up', 'Full Shop', 'XX'",
    "basket_dominant_mission": "'Fresh', 'Grocery', 'Mixed', 'Nonfood', 'XX'",
    "store_format": "'SS', 'MS', 'LS', 'XLS'",
}
_LABELS = {
    f"{column} is a documented code or null": _rows(f"{column} is not null and {column} not in ({domain})")
    for column, domain in _LABEL_DOMAINS.items()
}
_TAGS = {
    "weights add up to 1, or there are none": _rows(
        "size(mission_weights) > 0 and abs(aggregate(mission_weights, 0d, (a, w) -> a + w) - 1) > 0.001"
    ),
    "weights are numbers from 0 to 1": _rows("exists(mission_weights, w -> isnan(w) or w < 0 or w > 1)"),
    "a mission is assigned if and only if the model knows an item": _rows(
        "(mission <> 'unassigned') <> (known_items > 0) or (mission = 'unassigned') <> (size(mission_weights) = 0)"
    ),
    "confidence is the mission's weight, 0 when unassigned": _rows(
        "confidence <> coalesce(if(size(mission_weights) = 0, 0, array_max(mission_weights)), 0)"
    ),
}

# What a table's rows are dealt by before they are counted; a claim's rows are then counted in each part, and added up.
PARTS: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("raw_transactions", "rejected_lines"), ("source_file", "line_number div 64")
)
# A bit for each line of a part: to gather all line numbers of a week, to tell them apart, would cost more than all other claims.
_LINES_TWICE = (
    "count(1) - coalesce(bit_count(bit_or(if(source_file is null, null, shiftleft(1L, int(line_number % 64))))), 0)"
)

CLAIMS: dict[str, dict[str, str]] = {
    "raw_transactions": {
        **_IN_WEEK,
        **_HOUR,
        "source_file and line_number are unique": _LINES_TWICE,
        "quantity and spend are given": _rows("quantity is null or spend is null"),
        "item, basket and store are given": _rows("item = '' or basket = '' or store = ''"),
        **_LABELS,
    },
    "rejected_lines": {
        "source_file and line_number are unique": _LINES_TWICE,
        "rule and detail are given": _rows("rule = '' or detail = ''"),
    },
    "staged_baskets": {
        **_IN_WEEK,
        **_HOUR,
        "every basket is there once": _repeats("basket"),
        "units and spend are the sums over the items": _rows(
            "units <> aggregate(items, 0L, (a, i) -> a + i.quantity)"
            " or spend <> aggregate(items, cast(0 as decimal(38,2)), (a, i) -> cast(a + i.spend as decimal(38,2)))"
        ),
        "every item is there once, in order, with a quantity above 0": _rows(
            "transform(items, i -> i.item) <> array_sort(array_distinct(transform(items, i -> i.item)))"
            " or exists(items, i -> i.quantity <= 0 or i.spend < 0)"
        ),
        **_LABELS,
    },
    "mission_topics": {
        "every mission has an item once": _repeats("mission", "item"),
        "every mission has a rank once": _repeats("mission", "rank"),
        "probability is from 0 to 1 and lift is not negative": _rows(
            "isnan(probability) or probability not between 0 and 1 or isnan(lift) or lift < 0"
        ),
    },
    "mission_identities": {
        "every mission is there once": _repeats("mission"),
        "every mission of the model has a name of its own": (
            "count_if(status <> 'retired') - count(distinct if(status <> 'retired', nullif(trim(name), ''), null))"
        ),
        "shares of the missions add up to 1": "if(abs(sum(share) - 1) > 0.001, count(1), 0)",
        "a kept mission is similar to its former self": _rows(
            "(status = 'kept') <> (similarity is not null) or coalesce(similarity, 1) not between 0.5 and 1.000001"
        ),
    },
    "mission_candidates": {
        "every candidate is there once": _repeats("k", "item_prior"),
        "one candidate at most is chosen": "greatest(count_if(chosen) - 1, 0)",
        "evidence is numbers": _rows(
            f"{_no_number('perplexity')} or perplexity <= 0 or {_no_number('gain')} or {_no_number('gain_error')}"
        ),
    },
    "mission_tagged_baskets": {"every basket is there once": _repeats("basket"), **_TAGS},
    "mission_history": {
        "every basket is there once": _repeats("basket_week", "basket"),
        "no basket is later than the model's week": _rows("basket_week > week"),
        **_TAGS,
    },
    "mission_profiles": {
        "every measure of a mission is there once": _repeats("mission", "section", "name", "level"),
        "every value is a number": _rows(
            f"{_no_number('value')} or value is null or baskets < 0 or {_no_number('coalesce(index, 0)')}"
        ),
        "an interval holds its number": _rows(
            "(low is null) <> (high is null)"
            " or (low is not null and coalesce(index, value) not between low - 1e-9 and high + 1e-9)"
        ),
        "the missions' shares of baskets add up to 1": (
            "if(abs(sum(if(section = 'overall' and name = 'share_of_baskets' and mission <> 'all', value, 0)) - 1) > 1e-9,"
            " 1, 0)"
        ),
        "index 100 is the average of all baskets": _rows("mission = 'all' and abs(coalesce(index, 100) - 100) > 1e-9"),
    },
    "customer_sequences": {
        "every customer is there once": _repeats("customer"),
        "baskets are in the order of date and hour": _rows(
            "transform(baskets, b -> struct(b.date, b.hour)) <> array_sort(transform(baskets, b -> struct(b.date, b.hour)))"
        ),
        "no basket is later than the week": _rows("exists(baskets, b -> b.date > date_add(week, 6))"),
        "no more baskets are kept than were seen, and some if any were": _rows(
            "size(baskets) > baskets_seen or (size(baskets) = 0) <> (baskets_seen = 0)"
        ),
        "every basket has an item": _rows("exists(baskets, b -> size(b.items) = 0)"),
    },
    "next_basket_scores": {
        "every customer has each rank once": _repeats("customer", "rank"),
        "every customer has each item once": _repeats("customer", "item"),
        "every customer has as many items as the longest list": (
            "coalesce(max(rank), 0) * count(distinct customer) - count(1)"
        ),
        "ranks start at 1": _rows("rank < 1"),
        "probability is a number from 0 to 1": _rows("isnan(probability) or probability not between 0 and 1"),
        "probability_7_days is a number from 0 to 1": _rows(
            "isnan(probability_7_days) or probability_7_days not between 0 and 1"
        ),
        "every row says why and what scored it": _rows(
            "reason = '' or model_version = '' or source not in ('model', 'fallback')"
        ),
    },
    "next_trip_outlook": {
        "every customer is there once": _repeats("customer"),
        "visit_within_7_days is a number from 0 to 1": _rows(
            "isnan(visit_within_7_days) or visit_within_7_days not between 0 and 1"
        ),
        "expected_days is from 1 to 365": _rows("isnan(expected_days) or expected_days not between 1 and 365"),
        "expected_items is above 0": _rows("isnan(expected_items) or expected_items <= 0"),
        "mission_probabilities add up to 1, or there are none": _rows(
            "size(mission_probabilities) > 0 and abs(aggregate(mission_probabilities, 0d, (a, p) -> a + p) - 1) > 0.001"
        ),
        "a mission is named if and only if there are probabilities": _rows(
            "(mission is null) <> (size(mission_probabilities) = 0)"
        ),
        "every row says what foretold it": _rows("model_version = '' or source not in ('model', 'fallback')"),
    },
}
