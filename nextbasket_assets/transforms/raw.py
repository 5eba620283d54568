"""Lines of text to typed transactions: every line of a landing file is accepted, or rejected by the first rule it breaks."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.columns import names
from nextbasket_assets.landing import FIELDS, field_positions, week_code
from nextbasket_assets.transforms.rules import LONGEST_LINE, RULES, SOUND_LINE, typed

_ROW_BITS = 33  # of monotonically_increasing_id; the bits above them count tasks


@dataclass(frozen=True)
class TextFile:
    """A landing file that Spark is to read.

    Attributes:
        week: a Monday.
        lines: data lines, as counted before Spark; None where nobody did.
    """

    uri: str
    name: str
    week: date
    header: tuple[str, ...]
    lines: int | None = None

    @property
    def key(self) -> str:
        """The file as its lines name it."""
        return self.uri.rsplit("/", 1)[-1]


def text_lines(spark: SparkSession, uris: list[str]) -> DataFrame:
    """Lines as they lie in the files.

    A long weekly file is read in blocks, each by a task of its own (`tables.SETTINGS`), so a line knows its `file` (last
    part of the path), its `block` (byte where the block starts) and its `row` inside the block, from 0.
    Only a line feed ends a line: a stray carriage return must not shift the numbers of the lines after it.
    """
    text = F.when(F.endswith("value", F.lit("\r")), F.expr("left(value, length(value) - 1)")).otherwise(F.col("value"))
    read = spark.read.text(uris, lineSep="\n").select(
        text.alias("raw_text"),
        F.col("_metadata.file_name").alias("file"),
        F.col("_metadata.file_block_start").alias("block"),
    )
    # The optimiser copies a projection into every condition above it, here once per rule and field, which made this
    # twenty times slower; it does not look through one that numbers rows.
    return read.select(
        *("raw_text", "file", "block"),
        F.monotonically_increasing_id().bitwiseAND((1 << _ROW_BITS) - 1).alias("row"),
        _fields(F.col("raw_text")).alias("fields"),
    )


def blocks(lines: DataFrame) -> DataFrame:
    """One row per file and block: how many lines it holds."""
    return lines.groupBy("file", "block").agg(F.count(F.lit(1)).alias("lines"))


def block_table(spark: SparkSession, files: list[TextFile], starts: dict[str, dict[int, int]]) -> DataFrame:
    """One row per block: how to read its lines. `positions` are the indices of FIELDS among the file's fields.

    Args:
        spark: the session.
        files: the files.
        starts: key of each file -> start of each of its blocks -> lines of the file before it.

    Raises:
        LandingError: a header lacks a field.
        ValueError: two of the paths end alike, so that their lines could not be told apart.
    """
    if len({file.key for file in files}) < len(files):
        raise ValueError("two of the files to read have one name: give each landing file a name of its own")
    rows = []
    for file in files:
        positions = field_positions(file.header, file.name)
        reading = ([positions[field] for field in FIELDS], len(file.header))
        for block, before in starts[file.key].items():
            rows.append((file.key, block, before, file.name, file.week, week_code(file.week), *reading))
    return spark.createDataFrame(
        rows,
        "file string, block long, lines_before long, source_file string, week date, week_code string, "
        "positions array<int>, width int",
    )


def parsed_lines(lines: DataFrame, block_table: DataFrame) -> DataFrame:
    """Every data line with its true number, its typed columns, and the first rule it breaks (null for none).

    Args:
        lines: from `text_lines`.
        block_table: from the function of that name.
    """
    numbered = (
        lines.join(F.broadcast(block_table), on=["file", "block"], how="inner")
        .withColumn("line_number", F.col("row") + F.col("lines_before") + 1)
        .where(F.col("line_number") > 1)
    )
    by_name = numbered.select(
        *("source_file", "week", "week_code", "width", "line_number", "raw_text", "fields"),
        *(F.get("fields", F.get("positions", F.lit(index))).alias(field) for index, field in enumerate(FIELDS)),
    )
    return by_name.select(
        *("source_file", "line_number", "raw_text", "week"),
        *(column.alias(name) for name, column in typed().items()),
        *_first_broken_rule(),
    )


def accepted(parsed: DataFrame) -> DataFrame:
    """Rows of raw_transactions, in the order of the files."""
    return parsed.where(F.col("rule").isNull()).select(*names("raw_transactions"))


def rejected(parsed: DataFrame) -> DataFrame:
    """Rows of rejected_lines, in the order of the files."""
    return parsed.where(F.col("rule").isNotNull()).select(*names("rejected_lines"))


def _fields(text: Column) -> Column:
    r"""Fields of a line; null when its quotes do not pair up, or it is too long.

    Quotes count inside one line only, so a stray one can never swallow the lines after it. Lines without a quote, and
    those with no other than empty quoted fields (`""`, the usual null), are told apart first: the general split, which
    looks ahead from every comma, is slow.
    Possessive repetitions (`*+`) loop where greedy ones recurse: a line of quotes overflowed the stack, and ended the JVM.
    """
    fits = (F.octet_length(text) <= LONGEST_LINE) | (F.length(text) <= LONGEST_LINE)
    apart = F.split(text, r',(?=(?:[^"]*+"[^"]*+")*+[^"]*+\z)', -1)
    unquoted = F.transform(
        apart,
        lambda field: F.when(
            field.rlike(r'^".*"\z'), F.regexp_replace(F.regexp_replace(field, r'^"|"\z', ""), '""', '"')
        ).otherwise(field),
    )
    stray = F.exists(apart, lambda field: field.rlike(r'^"(?:[^"]++|"")*+"\z|^[^"]*+\z').__invert__())
    return (
        F.when(~fits, None)
        .when(F.instr(text, '"') == 0, F.split(text, ",", -1))
        .when(text.rlike(r'^[^"]*+(?:(?<=,)""(?=,|\z)[^"]*+)*+\z'), F.split(text, r',(?:""(?=,|\z))?', -1))
        .when(~stray, unquoted)
    )


def _first_broken_rule() -> tuple[Column, Column]:
    rule, detail = F.lit(None).cast("string"), F.lit(None).cast("string")
    for name, (holds, found) in reversed(RULES.items()):
        broken = ~F.coalesce(F.expr(holds), F.lit(False))
        rule = F.when(broken, F.lit(name)).otherwise(rule)
        detail = F.when(broken, F.expr(found)).otherwise(detail)
    sound = F.coalesce(F.expr(SOUND_LINE), F.lit(False))
    return F.when(~sound, rule).alias("rule"), F.when(~sound, detail).alias("detail")
