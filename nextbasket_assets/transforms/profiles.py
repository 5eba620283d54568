"""Tagged baskets to mission profiles: what a mission is made of, and how it differs from the average basket.

Everything is counted in whole numbers and divided at the end, so that neither cores nor file order reach a result. An index is
100 times a mission's share over that of all baskets. Its interval is Wilson's 95 % score interval of the mission's share,
with the share of all baskets taken as known: a little too wide for a mission that is most of the trade. Where lines are
counted, baskets are the clusters: the number of cases is the one that would give the variance found between baskets.
Intervals are one at a time; among hundreds of levels one in forty lies above 100, and one below, by chance.

A *fact* is one basket's answer to one question: `name` (the question), `cases` (1, or lines), `levels` (the answers: level
and count). Baskets without an answer, such as a lifestage of nobody known, have no fact and are in no denominator.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

ALL = "all"
UNASSIGNED = "unassigned"
ITEM, NEXT_MISSION = "item", "next_mission"
CATEGORIES = ("category_10", "category_20", "category_30", "category_40")
OF_CUSTOMER = ("price_sensitivity", "lifestage")
OF_BASKET = (
    *("basket_dominant_mission", "basket_size", "basket_type", "basket_price_sensitivity"),
    *("store_format", "store_region"),
)
ROW = ("week", "mission", "section", "name", "level", "baskets", "value", "index", "low", "high")
Z = 1.959963984540054  # of a 95 % interval

_WEEKDAYS = ("1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun")
_HOUR_BANDS = ((6, "00-05"), (10, "06-09"), (13, "10-12"), (16, "13-15"), (19, "16-18"), (24, "19-23"))


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """What a profile shows and how far it looks back."""

    look_back_weeks: int = 8  # of the trend, and how old a customer's previous basket may be
    training_weeks: int = 52  # up to the model's week: the window that drift is measured against
    min_item_baskets: int = 10  # of the mission in this week: below it a lift is chance
    top_items: int = 20  # per mission


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
    placed = F.explode(
        F.array(*(F.struct(F.lit(name).alias("name"), F.col(name).alias("level")) for name in CATEGORIES))
    )
    categories = (
        lines.select("week", "item", placed.alias("place"))
        .groupBy("week", "item", F.col("place.name").alias("name"))
        .agg(F.min("place.level").alias("level"))
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


def transition_facts(visits: DataFrame, timeline: DataFrame, settings: ProfileSettings) -> DataFrame:
    """From the mission of a customer's previous basket (as `mission`) to that of each basket of the weeks asked for.

    Both have a mission, and the previous one is at most `look_back_weeks` old. Baskets of one hour are in the order of a
    hash of what was bought where, as in customer_sequences: basket ids are sorted by customer and tell the future.

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
    old = F.datediff(F.col("pair.b.week"), F.col("pair.a.week")) > 7 * settings.look_back_weeks
    assigned = (F.col("pair.a.mission") != UNASSIGNED) & (F.col("pair.b.mission") != UNASSIGNED)
    return both.where((F.col("pair.b.week") == F.col("asked")) & ~old & assigned).select(
        F.col("asked").alias("week"),
        F.col("pair.a.mission").alias("mission"),
        F.col("pair.b.basket").alias("basket"),
        F.lit(NEXT_MISSION).alias("name"),
        F.lit(1).cast("long").alias("cases"),
        F.array(_level(F.col("pair.b.mission"))).alias("levels"),
    )


def index_rows(counts: DataFrame, settings: ProfileSettings) -> DataFrame:
    """One row per week, mission (and all), name and level: share of the mission's cases, index and interval.

    A level that a mission never has is a row of 0, with the interval that this leaves open. Of items there are only those in
    `min_item_baskets` baskets of the mission.

    Args:
        counts: what `level_counts` gives, kept by the caller: it is read several times.
        settings: the least count of an item.
    """
    asked = counts.where(F.col("level").isNull()).select(
        *("week", "name", "mission", F.col("baskets").alias("n"), F.col("x").alias("m"), F.col("xx").alias("mm"))
    )
    found = counts.where(F.col("level").isNotNull())
    frequent = found.where((F.col("name") == ITEM) & (F.col("baskets") >= settings.min_item_baskets))
    levels = found.where((F.col("mission") == ALL) & (F.col("name") != ITEM)).select("week", "name", "level")
    grid = asked.select("week", "name", "mission").join(levels, on=["week", "name"], how="inner")
    wanted = grid.unionByName(frequent.select("week", "name", "mission", "level"))
    base = found.where(F.col("mission") == ALL).select("week", "name", "level", F.col("share").alias("base"))
    numbers = found.select("week", "name", "mission", "level", "baskets", "x", "xx", "xm")
    joined = (
        wanted.join(base, on=["week", "name", "level"], how="inner")
        .join(asked, on=["week", "name", "mission"], how="inner")
        .join(numbers, on=["week", "name", "mission", "level"], how="left")
    )
    zero = {name: F.coalesce(name, F.lit(0)) for name in ("baskets", "x", "xx", "xm")}
    return _indexed(joined.withColumns(zero))


def level_counts(facts: DataFrame) -> DataFrame:
    """Per week, name, mission (and all) and level: baskets, x (cases), their sums of squares and products over baskets, share.

    The level null stands for the question itself: the baskets that answered it, with all their cases.
    """
    whole = F.struct(F.lit(None).cast("string").alias("level"), F.col("cases").alias("count"))
    answers = facts.select(
        *("week", "name", "mission", "cases"), F.explode(F.concat("levels", F.array(whole))).alias("answer")
    )
    told = answers.select("week", "name", "mission", "cases", F.col("answer.level"), F.col("answer.count").alias("x"))
    sums = with_all(
        told,
        ("week", "name", "level"),
        F.count(F.lit(1)).alias("baskets"),
        F.sum("x").alias("x"),
        F.sum(F.col("x").cast("decimal(38,0)") * F.col("x")).cast("decimal(38,0)").alias("xx"),
        F.sum(F.col("x").cast("decimal(38,0)") * F.col("cases")).cast("decimal(38,0)").alias("xm"),
    )
    whole_x = F.max(F.when(F.col("level").isNull(), F.col("x"))).over(Window.partitionBy("week", "name", "mission"))
    return sums.withColumn("share", F.col("x") / whole_x)


def with_all(frame: DataFrame, keys: tuple[str, ...], *sums: Column) -> DataFrame:
    """The sums per mission, and over all missions as the mission 'all'; from there on a week is in one place."""
    of_mission = frame.groupBy(*keys, "mission").agg(*sums)
    names = [name for name in of_mission.columns if name not in (*keys, "mission")]
    both = F.explode(F.array("mission", F.lit(ALL))).alias("mission")
    # Few rows are left, whatever the retailer's size: one shuffle by week spares one for each window and join to come.
    gathered = of_mission.select(*keys, both, *names).repartition("week")
    return gathered.groupBy(*keys, "mission").agg(*(F.sum(name).alias(name) for name in names))


def _indexed(counts: DataFrame) -> DataFrame:
    """n baskets with m cases, of which x at the level (xx, xm, mm: sums of squares and products over baskets)."""
    share = F.col("x") / F.col("m")
    xx, xm, mm, m = (F.col(name).cast("double") for name in ("xx", "xm", "mm", "m"))
    variance = (xx - 2 * share * xm + share * share * mm) / (m * m)
    # Without any spread (never, or always) each basket is one case.
    cases = F.when(variance > 1e-18, share * (1 - share) / variance).otherwise(F.col("n").cast("double"))
    low, high = wilson(share, cases)
    average = F.col("mission") == ALL
    section = F.when(F.col("name").isin(ITEM, NEXT_MISSION), F.col("name")).otherwise(F.lit("attribute"))
    return counts.select(
        *("week", "mission"),
        F.when(F.col("name") == NEXT_MISSION, F.lit("transition")).otherwise(section).alias("section"),
        *("name", "level", "baskets"),
        share.alias("value"),
        F.when(average, F.lit(100.0)).otherwise(100 * share / F.col("base")).alias("index"),
        F.when(~average, 100 * low / F.col("base")).alias("low"),
        F.when(~average, 100 * high / F.col("base")).alias("high"),
    )


def wilson(share: Column, cases: Column) -> tuple[Column, Column]:
    """Wilson's 95 % score interval of a share that was found in so many cases."""
    centre = share + Z * Z / (2 * cases)
    half = Z * F.sqrt(share * (1 - share) / cases + Z * Z / (4 * cases * cases))
    scale = 1 + Z * Z / cases
    return F.greatest(F.lit(0.0), F.least((centre - half) / scale, share)), F.least(
        F.lit(1.0), F.greatest((centre + half) / scale, share)
    )


def most_typical(rows: DataFrame, limit: int) -> DataFrame:
    """The rows, but of items only those with the highest index in each mission; ties go by count, then code.

    'all' and 'unassigned' have no items: the first has no index, the second none that the model knows.
    """
    order = (F.desc("index"), F.desc("baskets"), F.asc("level"))
    rank = F.row_number().over(Window.partitionBy("week", "section", "name", "mission").orderBy(*order))
    typical = (F.col("rank") <= limit) & ~F.col("mission").isin(ALL, UNASSIGNED)
    return rows.withColumn("rank", rank).where((F.col("section") != ITEM) | typical).select(*ROW)
