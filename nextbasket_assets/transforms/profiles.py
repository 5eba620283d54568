"""Tagged baskets to counts: what baskets are made of, by mission. `profile_numbers` makes indices and intervals of them.

Everything here counts in whole numbers, so that neither cores nor file order reach a result, and leaves few rows: levels and
items times missions, however many customers and baskets the retailer has.

A *fact* is one basket's answer to one question: `name` (the question), `cases` (1, or lines), `levels` (the answers: level
and count). Baskets without an answer, such as a lifestage of nobody known, have no fact and are in no denominator.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbasket_assets.transforms.profile_numbers import ALL, ITEM, NEXT_MISSION, UNASSIGNED, ProfileSettings

CATEGORIES = ("category_10", "category_20", "category_30", "category_40")
OF_CUSTOMER = ("price_sensitivity", "lifestage")
OF_BASKET = (
    *("basket_dominant_mission", "basket_size", "basket_type", "basket_price_sensitivity"),
    *("store_format", "store_region"),
)
LABELS = ("basket_dominant_mission", "basket_type")
NO_CLASS = "XX"  # the retailer's word for "not classified"
SMALL = 2  # known items: a mission that rests on one or two items is a guess

_MILLIONTHS = 1_000_000  # of a confidence
_WEEKDAYS = ("1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun")
_HOUR_BANDS = ((6, "00-05"), (10, "06-09"), (13, "10-12"), (16, "13-15"), (19, "16-18"), (24, "19-23"))


def attribute_facts(visits: DataFrame) -> DataFrame:
    """What every basket, its customer and its hour are; `visits`: staged_baskets with `mission`.

    A customer's attributes are those of known customers: an anonymous basket has no say in them.
    """
    known = F.col("customer").isNotNull()
    answers = {
        **{name: F.col(name) for name in OF_BASKET},
        **{name: F.when(known, F.col(name)) for name in OF_CUSTOMER},
        "customer": F.when(known, F.lit("known")).otherwise(F.lit("anonymous")),
        "weekday": F.element_at(F.array(*map(F.lit, _WEEKDAYS)), F.weekday("date") + 1),
        "hour_band": _hour_band(),
    }
    pairs = F.array(*(F.struct(F.lit(name).alias("name"), level.alias("level")) for name, level in answers.items()))
    told = F.explode(F.filter(pairs, lambda pair: pair["level"].isNotNull())).alias("answer")
    return visits.select("week", "mission", "basket", told).select(
        *("week", "mission", "basket", "answer.name"),
        F.lit(1).cast("long").alias("cases"),
        F.array(_level(F.col("answer.level"))).alias("levels"),
    )


def _hour_band() -> Column:
    band = F.when(F.col("hour") < _HOUR_BANDS[0][0], F.lit(_HOUR_BANDS[0][1]))
    for end, name in _HOUR_BANDS[1:]:
        band = band.when(F.col("hour") < end, F.lit(name))
    return band


def item_facts(visits: DataFrame) -> DataFrame:
    """Which items a basket holds."""
    return visits.where(F.size("items") > 0).select(
        *("week", "mission", "basket"),
        F.lit(ITEM).alias("name"),
        F.lit(1).cast("long").alias("cases"),
        F.transform("items", lambda line: _level(line["item"])).alias("levels"),
    )


def category_facts(visits: DataFrame, lines: DataFrame) -> DataFrame:
    """How many of a basket's lines fall into each category, at each of the four levels.

    Args:
        visits: staged_baskets with `mission`.
        lines: raw_transactions of the same weeks; an item that has two categories there counts for the first by code.
    """
    placed = F.array(*(F.struct(F.lit(name).alias("name"), F.col(name).alias("level")) for name in CATEGORIES))
    categories = (
        lines.groupBy("week", "item")
        .agg(*(F.min(name).alias(name) for name in CATEGORIES))
        .select("week", "item", F.inline(placed))
        .where(F.col("level").isNotNull())
    )
    bought = visits.select("week", "mission", "basket", F.explode("items.item").alias("item"))
    counted = (
        bought.join(categories, on=["week", "item"], how="inner")
        .groupBy("week", "mission", "basket", "name", "level")
        .agg(F.count(F.lit(1)).alias("count"))
    )
    return counted.groupBy("week", "mission", "basket", "name").agg(
        F.sum("count").alias("cases"), F.collect_list(F.struct("level", "count")).alias("levels")
    )


def _level(level: Column) -> Column:
    return F.struct(level.alias("level"), F.lit(1).cast("long").alias("count"))


def transition_facts(visits: DataFrame, timeline: DataFrame) -> DataFrame:
    """From the mission of a customer's previous basket (as `mission`) to that of each basket of the weeks asked for.

    Both have a mission; how old the previous one may be is what the timeline looks back on. Baskets of one hour are in the
    order of a hash of what was bought where, as in customer_sequences: basket ids are sorted by customer and tell the future.

    Args:
        visits: staged_baskets of the weeks asked for and of those before, without anonymous ones or with.
        timeline: asked (week), week, basket, mission: for every week asked for, its baskets and those of the weeks before
            it in the terms of its model.
    """
    when = visits.where(F.col("customer").isNotNull()).select(
        *("week", "basket", "customer", "date", "hour"), F.xxhash64("store", "items.item").alias("tie_break")
    )
    ordered = F.sort_array(F.collect_list(F.struct("date", "hour", "tie_break", "basket", "week", "mission")))
    histories = (
        timeline.join(when, on=["week", "basket"], how="inner").groupBy("asked", "customer").agg(ordered.alias("h"))
    )
    pairs = F.transform(
        F.sequence(F.lit(1), F.size("h") - 1),
        lambda at: F.struct(F.col("h")[at - 1].alias("a"), F.col("h")[at].alias("b")),
    )
    both = histories.where(F.size("h") > 1).select("asked", F.explode(pairs).alias("pair"))
    assigned = (F.col("pair.a.mission") != UNASSIGNED) & (F.col("pair.b.mission") != UNASSIGNED)
    return both.where((F.col("pair.b.week") == F.col("asked")) & assigned).select(
        F.col("asked").alias("week"),
        F.col("pair.a.mission").alias("mission"),
        F.col("pair.b.basket").alias("basket"),
        F.lit(NEXT_MISSION).alias("name"),
        F.lit(1).cast("long").alias("cases"),
        F.array(_level(F.col("pair.b.mission"))).alias("levels"),
    )


def level_counts(facts: DataFrame, settings: ProfileSettings) -> DataFrame:
    """Per week, name, mission (and all) and level: baskets, x (cases), xx and xm (sums over baskets of x * x and x * cases).

    The level null stands for the question itself: the baskets that answered it, with all their cases. Of items there are only
    those in `min_item_baskets` baskets of the mission.
    """
    whole = F.struct(F.lit(None).cast("string").alias("level"), F.col("cases").alias("count"))
    answers = facts.select(
        *("week", "name", "mission", "cases"), F.explode(F.concat("levels", F.array(whole))).alias("answer")
    )
    told = answers.select("week", "name", "mission", "cases", F.col("answer.level"), F.col("answer.count").alias("x"))
    keys = ("week", "name", "level")
    of_mission = told.groupBy(*keys, "mission").agg(
        F.count(F.lit(1)).alias("baskets"),
        F.sum("x").alias("x"),
        F.sum(F.col("x") * F.col("x")).alias("xx"),
        F.sum(F.col("x") * F.col("cases")).alias("xm"),
    )
    sums = ("baskets", "x", "xx", "xm")
    both = of_mission.select(*keys, F.explode(F.array("mission", F.lit(ALL))).alias("mission"), *sums)
    counts = both.groupBy(*keys, "mission").agg(*(F.sum(name).alias(name) for name in sums))
    rare = (F.col("name") == ITEM) & (F.col("baskets") < settings.min_item_baskets) & F.col("level").isNotNull()
    return counts.where(~rare)


def measure_sums(visits: DataFrame) -> DataFrame:
    """Per week, name of a measure and mission: n baskets, x and xx (sum and sum of squares), in units of 1 / scale.

    Args:
        visits: staged_baskets with `mission`, `confidence` and `known_items`.
    """
    known = F.col("known_items") > 0
    small = known & (F.col("known_items") <= SMALL)
    confidence = F.round(F.col("confidence").cast("double") * _MILLIONTHS)
    measures = {
        "mean_items": (F.size("items"), 1),
        "mean_units": (F.col("units"), 1),
        "mean_spend": (F.col("spend") * 100, 100),
        "mean_confidence": (F.when(known, confidence), _MILLIONTHS),
        "share_of_small_baskets": (F.when(known, small.cast("int")), 1),
        "mean_confidence_of_small_baskets": (F.when(small, confidence), _MILLIONTHS),
        "mean_confidence_of_larger_baskets": (F.when(known & ~small, confidence), _MILLIONTHS),
    }
    told = F.array(
        *(
            F.struct(F.lit(name).alias("name"), value.cast("decimal(18,0)").alias("x"), F.lit(scale).alias("scale"))
            for name, (value, scale) in measures.items()
        )
    )
    return (
        visits.select("week", "mission", F.inline(told))
        .where(F.col("x").isNotNull())
        .groupBy("week", "mission", "name", "scale")
        .agg(F.count(F.lit(1)).alias("n"), F.sum("x").alias("x"), F.sum(F.col("x") * F.col("x")).alias("xx"))
    )


def label_counts(visits: DataFrame) -> DataFrame:
    """Per week, mission, label of the retailer and its class: n baskets. Without those that lack a mission or a class."""
    pairs = F.array(*(F.struct(F.lit(name).alias("label"), F.col(name).alias("class")) for name in LABELS))
    assigned = visits.where(F.col("mission") != UNASSIGNED)
    told = assigned.select("week", "mission", F.inline(pairs)).where(F.col("class") != NO_CLASS)
    return told.groupBy("week", "label", "mission", "class").agg(F.count(F.lit(1)).alias("n"))


def timeline(tags: DataFrame, history: DataFrame, settings: ProfileSettings) -> DataFrame:
    """asked, week, basket, mission: for every week that a model tagged, the baskets up to it in that model's terms.

    A model's own history holds the baskets up to its week; the weekly tags hold those after it.

    Args:
        tags: mission_tagged_baskets of the weeks asked for and of those before.
        history: mission_history of the models that tagged them.
        settings: how far to look back.
    """
    model_weeks = history.select("mission_model", F.col("week").alias("as_of")).distinct()
    tagged = tags.where(F.col("mission_model").isNotNull())
    after = tagged.join(model_weeks, on=["mission_model"], how="left").where(
        F.col("as_of").isNull() | (F.col("week") > F.col("as_of"))
    )
    columns = ("mission_model", "week", "basket", "mission")
    before = history.select("mission_model", F.col("basket_week").alias("week"), "basket", "mission")
    asked = tagged.select(F.col("week").alias("asked"), "mission_model").distinct()
    age = F.datediff("asked", "week")
    return (
        after.select(*columns)
        .unionByName(before)
        .join(asked, on=["mission_model"], how="inner")
        .where((age >= 0) & (age <= 7 * settings.look_back_weeks))
        .select("asked", "week", "basket", "mission")
    )


def training_counts(history: DataFrame, settings: ProfileSettings) -> DataFrame:
    """Per mission_model and mission: baskets of the model's training window."""
    recent = F.datediff("week", "basket_week") < 7 * settings.training_weeks
    assigned = history.where(recent & (F.col("mission") != UNASSIGNED))
    return assigned.groupBy("mission_model", "mission").agg(F.count(F.lit(1)).alias("baskets"))
