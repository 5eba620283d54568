"""Transaction lines to baskets: what does not belong is removed under a name, and every removed line is counted."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbasket_assets.columns import names
from nextbasket_assets.landing import DAMAGED_ID

# In the order they are tried: a line is removed by the first that applies, so that the counts add up.
FILTERS = ("duplicate", "damaged_anonymous", "conflicting_basket", "return", "non_merchandise")

_IDENTITY = ("customer", "date", "hour", "store")
_LABELS = (
    *("price_sensitivity", "lifestage", "basket_size", "basket_price_sensitivity", "basket_type"),
    *("basket_dominant_mission", "store_format", "store_region"),
)
_REST = ("category_10", "category_20", "category_30", "category_40")  # of a line, so that it can be told from another
COUNTS = ("lines", "lines_kept", *FILTERS)
_BOUGHT = ("item", "quantity", "spend")
_ITEMS = "array<struct<item:string,quantity:int,spend:decimal(14,2)>>"


def counted_baskets(
    raw: DataFrame, non_merchandise: Sequence[str], *, files_per_week: int, partitions: int
) -> DataFrame:
    """One row per basket id and week, with the counts that `staged_baskets` leaves behind.

    One shuffle, by week and a stable share of its baskets: everything after it groups by more than that.

    Returns:
        The columns of staged_baskets; `lines`, `lines_kept` and one column per filter, all in lines; `rebuilt` and
        `conflict`, 1 or 0. Rows that are no basket of the table (`conflict`, or `basket` null for lines whose basket
        cannot be told) are there for their counts.
    """
    basket, line = _basket_id(), F.struct("item", "quantity", "spend", *_REST)
    visit = F.struct(F.struct(*_IDENTITY).alias("identity"), F.struct(*_LABELS).alias("labels"))
    identified = raw.select(
        *("week", basket.alias("basket"), F.col("basket").alias("delivered")),
        *(visit.alias("visit"), _fate(basket, non_merchandise).alias("fate"), line.alias("line")),
    )
    share = F.pmod(F.xxhash64("basket"), F.lit(files_per_week)).alias("share")
    spread = identified.select("*", share).repartition(partitions, "week", "share")
    return _with_conflicts_apart(_baskets(spread)).sortWithinPartitions("week", "basket")


def staged(counted: DataFrame) -> DataFrame:
    """Rows of staged_baskets: what `counted_baskets` found to be one basket."""
    return counted.where(F.col("basket").isNotNull() & (F.col("conflict") == 0)).select(*names("staged_baskets"))


def weekly_counts(counted: DataFrame) -> DataFrame:
    """One row per week: lines in, lines kept, lines removed by each filter, and baskets of several kinds."""
    kept = F.col("basket").isNotNull() & (F.col("conflict") == 0)
    return counted.groupBy("week").agg(
        *(F.sum(name).alias(name) for name in COUNTS),
        F.count_if(kept).alias("baskets"),
        F.count_if(kept & F.col("customer").isNull()).alias("anonymous_baskets"),
        F.count_if(kept & (F.size("items") == 0)).alias("baskets_without_merchandise"),
        F.sum("rebuilt").alias("rebuilt_baskets"),
        F.sum("conflict").alias("conflicting_baskets"),
    )


def _basket_id() -> Column:
    """The delivered id; for one that a spreadsheet damaged (`9.94E+14`), an id made of who, when and where.

    Null where nobody is known: two anonymous baskets of one store and hour could not be told apart.
    """
    visit = F.concat_ws("|", "customer", F.col("date").cast("string"), F.col("hour").cast("string"), "store")
    rebuilt = F.concat(F.lit("R-"), F.substring(F.sha2(visit, 256), 1, 16))
    return F.when(~F.col("basket").rlike(DAMAGED_ID), F.col("basket")).when(F.col("customer").isNotNull(), rebuilt)


def _fate(basket: Column, non_merchandise: Sequence[str]) -> Column:
    """What becomes of a line that is no duplicate: it is kept, or removed by this filter."""
    return (
        F.when(basket.isNull(), F.lit("damaged_anonymous"))
        .when((F.col("quantity") <= 0) | (F.col("spend") < 0), F.lit("return"))
        .when(F.col("item").isin(*non_merchandise), F.lit("non_merchandise"))
        .otherwise(F.lit("kept"))
    )


def _baskets(lines: DataFrame) -> DataFrame:
    """One row per basket id: its lines, sorted, what they say of the visit, and how many lines each filter takes.

    Lines are gathered by all that the lines of a basket share, nearly always one list a basket: so the wide part of a line
    is compared and not kept, and its duplicates lie side by side in the sorted list.
    """
    alike = lines.groupBy("week", "share", "basket", "delivered", "visit", "fate").agg(
        F.sort_array(F.collect_list("line")).alias("all")
    )
    first = F.filter("all", lambda line, place: (place == 0) | (line != F.get("all", place - 1)))
    listed = alike.select("*", F.when(F.size("all") > 1, first).otherwise(F.col("all")).alias("distinct"))

    def taken(fate: str) -> Column:
        return F.coalesce(F.sum(F.when(F.col("fate") == fate, F.size("distinct"))), F.lit(0)).alias(fate)

    return listed.groupBy("week", "share", "basket").agg(
        F.sort_array(F.flatten(F.collect_list(F.when(F.col("fate") == "kept", F.col("distinct"))))).alias("item_lines"),
        F.collect_set("visit").alias("visits"),
        F.coalesce(F.max((F.col("basket") != F.col("delivered")).cast("int")), F.lit(0)).alias("rebuilt"),
        F.sum(F.size("all")).alias("lines"),
        F.sum(F.size("all") - F.size("distinct")).alias("duplicate"),
        *(taken(fate) for fate in ("damaged_anonymous", "return", "non_merchandise")),
        taken("kept").alias("lines_kept"),
    )


def _with_conflicts_apart(baskets: DataFrame) -> DataFrame:
    """Baskets with one identity each; the lines of the others move to the filter `conflicting_basket`."""
    several = F.array_min("visits.identity") != F.array_max("visits.identity")
    conflict = F.col("basket").isNotNull() & several
    moved = ("lines_kept", "return", "non_merchandise")
    counts = [F.when(conflict, F.lit(0)).otherwise(F.col(name)).alias(name) for name in moved]
    return baskets.select(
        *("week", "basket"),
        *(F.col("visits")[0]["identity"][name].alias(name) for name in _IDENTITY),
        *(_agreed(name) for name in _LABELS),
        F.aggregate("item_lines", F.lit(0).cast("long"), lambda total, line: total + line["quantity"]).alias("units"),
        F.aggregate(
            "item_lines",
            F.lit(0).cast("decimal(14,2)"),
            lambda total, line: (total + line["spend"]).cast("decimal(14,2)"),
        ).alias("spend"),
        F.when(~conflict, _merged("item_lines")).otherwise(F.array().cast(_ITEMS)).alias("items"),
        *("lines", "duplicate", "damaged_anonymous"),
        *counts,
        F.when(conflict, F.col("lines_kept") + F.col("return") + F.col("non_merchandise"))
        .otherwise(F.lit(0))
        .alias("conflicting_basket"),
        F.when(conflict, F.lit(0)).otherwise(F.col("rebuilt")).alias("rebuilt"),
        conflict.cast("int").alias("conflict"),
    )


def _agreed(label: str) -> Column:
    """The basket's label, null where its lines disagree: two visits of one hour that a rebuilt id could not tell apart."""
    found = F.array_distinct(F.col("visits")["labels"][label])
    return F.when(F.size(found) == 1, found[0]).alias(label)


def _merged(lines: str) -> Column:
    """Lines of one item as one; sorted by item, they lie side by side, so that a basket of any length is read once."""
    codes, count = F.col(lines)["item"], F.size(lines)

    def code(place: Column) -> Column:
        return F.get(lines, place)["item"]

    def total(first: Column, last: Column) -> Column:
        quantity = F.aggregate(F.sequence(first, last), F.lit(0), lambda sum_, at: sum_ + F.get(lines, at)["quantity"])
        spend = F.aggregate(
            F.sequence(first, last),
            F.lit(0).cast("decimal(14,2)"),
            lambda sum_, at: (sum_ + F.get(lines, at)["spend"]).cast("decimal(14,2)"),
        )
        return F.struct(code(first).alias("item"), quantity.alias("quantity"), spend.alias("spend"))

    places = F.sequence(F.lit(0), count - 1)
    firsts = F.filter(places, lambda at: (at == 0) | (code(at) != code(at - 1)))
    lasts = F.filter(places, lambda at: (at == count - 1) | (code(at) != code(at + 1)))
    bought = F.transform(lines, lambda line: F.struct(*(line[name].alias(name) for name in _BOUGHT)))
    return F.when(F.size(F.array_distinct(codes)) == count, bought).otherwise(F.zip_with(firsts, lasts, total))
