"""Pseudonyms instead of customer codes, before anything is written.

The key comes as a column of one broadcast row, never as a literal: literals stand in query plans, and plans in event logs.
"""

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.pseudonyms import PseudonymError, key_of, pads
from nextbasket_assets.transforms.files import read_text

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
    """Parsed lines with HMAC-SHA256 of each customer code in its place, and without the text that they came from."""
    names = parsed.columns
    row = spark.createDataFrame([tuple(map(bytearray, pads(key)))], "inner_pad binary, outer_pad binary")
    inner = F.unhex(F.sha2(F.concat("inner_pad", F.col("customer").cast("binary")), 256))
    return (
        parsed.crossJoin(F.broadcast(row))
        .withColumn("customer", F.sha2(F.concat(F.col("outer_pad"), inner), 256))  # null stays null: anonymous trade
        .withColumn("raw_text", F.lit(WITHHELD))
        .select(*names)
    )
