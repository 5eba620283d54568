"""Pseudonyms instead of customer codes, before anything is written.

The key comes as a column of one broadcast row, never as a literal: literals stand in query plans, and plans in event logs.
"""

from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.landing import CUT_CODE, DAMAGED_ID, JOINT
from nextbasket_assets.pseudonyms import PseudonymError, key_of, pads
from nextbasket_assets.transforms.files import read_text

_DAMAGED = "0E+0"  # matches DAMAGED_ID
WITHHELD = "(withheld: it may hold a customer code; the landing file has it)"


def read_key(spark: SparkSession, uri: str) -> bytes:
    """The key in a file that Spark reaches: only its place is in the plan.

    Raises:
        PseudonymError: the file cannot be read, or holds no key.
    """
    try:
        text = read_text(spark, uri)
    except (Py4JJavaError, UnicodeDecodeError) as error:
        raise PseudonymError(
            f"{uri}: the pseudonym key cannot be read here ({type(error).__name__}). Correct NEXTBASKET_PSEUDONYM_KEY, or let "
            "the process that runs Spark read the file."
        ) from error
    return key_of(text)


def pseudonymised(spark: SparkSession, parsed: DataFrame, key: bytes) -> DataFrame:
    """Parsed lines with HMAC-SHA256 of each customer code in its place, and without the text that they came from.

    A basket id that has the code for a part, as `land` makes them where there are no receipt numbers, gets its own. A damaged
    one becomes another damaged one: staging makes an id of the visit in its place.
    """
    names = parsed.columns
    row = spark.createDataFrame([tuple(map(bytearray, pads(key)))], "inner_pad binary, outer_pad binary")
    customer, basket = F.col("customer"), F.col("basket")
    hidden = F.when(basket.rlike(DAMAGED_ID), _DAMAGED).otherwise(_hidden(basket))
    return (
        parsed.crossJoin(F.broadcast(row))
        .withColumn("basket", F.when(_names(basket, customer), hidden).otherwise(basket))
        .withColumn("customer", _hidden(customer))  # null stays null: anonymous trade
        .withColumn("raw_text", F.lit(WITHHELD))
        .select(*names)
    )


def _hidden(text: Column) -> Column:
    inner = F.unhex(F.sha2(F.concat("inner_pad", text.cast("binary")), 256))
    return F.sha2(F.concat(F.col("outer_pad"), inner), 256)


def _names(basket: Column, customer: Column) -> Column:
    """Whether the code is a part of the id; of an id that was cut nobody can tell, so it counts as one."""
    joint = F.lit(JOINT)
    part = F.concat(joint, basket, joint).contains(F.concat(joint, customer, joint))
    return part | (customer.isNotNull() & basket.rlike(CUT_CODE))
