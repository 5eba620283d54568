"""The stages from landing files to baskets: what is read, written and counted around the pure functions."""

from collections import defaultdict
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbasket_assets.landing import week_code
from nextbasket_assets.pseudonyms import NONE, fingerprint
from nextbasket_assets.transforms import baskets, raw
from nextbasket_assets.transforms.pseudonyms import pseudonymised, read_key
from nextbasket_assets.transforms.tables import read, schema, week_iso, write

_SPLIT_BYTES = 128 << 20
_MAX_PARTITIONS = 512
_BLOCKS = "file string, block long, first_row long, lines_before long"


def raw_transactions(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """Landing files to raw_transactions and rejected_lines.

    Parameters:
        files: [{"uri", "name", "week": "2006-04-10", "header": [names]}], any number per week.
        split_bytes: longest block of a plain file that one task reads.
        pseudonym_key: URI of the file with the key; without one, customer codes stay plain.

    Lines are counted on their own, before they are parsed, so that `rows_in` owes nothing to the parser. Only the files
    whose counts differ from what was accepted are read again for their rejected lines.
    """
    parameters = plan["parameters"]
    for setting in ("maxPartitionBytes", "openCostInBytes"):
        spark.conf.set(f"spark.sql.files.{setting}", str(parameters.get("split_bytes", _SPLIT_BYTES)))
    files = [
        raw.TextFile(file["uri"], file["name"], date.fromisoformat(file["week"]), tuple(file["header"]))
        for file in parameters["files"]
    ]
    key = read_key(spark, parameters["pseudonym_key"]) if parameters.get("pseudonym_key") else None
    parsed, lines_in = _parsed(spark, files, key)
    write(raw.accepted(parsed), "raw_transactions", plan["outputs"]["raw_transactions"])
    kept = _rows_by_file(spark, "raw_transactions", plan["outputs"]["raw_transactions"])
    broken = [file for file in files if kept.get(file.name, 0) != lines_in[file.name]]
    rejected = spark.createDataFrame([], schema("rejected_lines"))
    if broken:
        rejected = raw.rejected(_parsed(spark, broken, key)[0])
    write(rejected, "rejected_lines", plan["outputs"]["rejected_lines"])
    rules, first = _rejections(spark, plan["outputs"]["rejected_lines"])
    return {
        "written": ("raw_transactions", "rejected_lines"),
        "counts": _line_counts(files, lines_in, kept, rules),
        "metrics": {
            "files": len(files),
            "rejected_lines": sum(sum(rule.values()) for rule in rules.values()),
            "first_rejected": first,
            "pseudonyms": fingerprint(key) if key else NONE,
        },
    }


def _parsed(spark: SparkSession, files: list[raw.TextFile], key: bytes | None) -> tuple[DataFrame, dict[str, int]]:
    """The parsed lines of the files, and how many data lines each has, by name."""
    lines = raw.text_lines(spark, [file.uri for file in files])
    names = {file.uri.rsplit("/", 1)[-1]: file.name for file in files}
    numbered, lines_in = [], dict.fromkeys(names.values(), -1)  # the header is no data line
    for row in raw.blocks(lines).orderBy("file", "block").collect():
        numbered.append((row["file"], row["block"], row["first_row"], lines_in[names[row["file"]]] + 1))
        lines_in[names[row["file"]]] += row["lines"]
    blocks = spark.createDataFrame(numbered, _BLOCKS)
    parsed = raw.parsed_lines(lines, blocks, raw.file_table(spark, files))
    return pseudonymised(spark, parsed, key) if key else parsed, lines_in


def _rows_by_file(spark: SparkSession, table: str, folder: str) -> dict[str, int]:
    written = spark.read.schema(schema(table)).parquet(folder)
    return {row["source_file"]: row["count"] for row in written.groupBy("source_file").count().collect()}


def _rejections(spark: SparkSession, folder: str) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, str]]]:
    """Rejected lines by file and rule; and the first of each, by its number and what is wrong with it."""
    written = spark.read.schema(schema("rejected_lines")).parquet(folder)
    rules: dict[str, dict[str, int]] = defaultdict(dict)
    first: dict[str, dict[str, str]] = defaultdict(dict)
    found = written.groupBy("source_file", "rule").agg(
        F.count(F.lit(1)).alias("lines"), F.min(F.struct("line_number", "detail")).alias("first")
    )
    for row in found.orderBy("source_file", "rule").collect():
        rules[row["source_file"]][row["rule"]] = row["lines"]
        first[row["source_file"]][row["rule"]] = f"line {row['first']['line_number']}: {row['first']['detail']}"
    return rules, dict(first)


def _line_counts(
    files: list[raw.TextFile], lines_in: dict[str, int], kept: dict[str, int], rules: dict[str, dict[str, int]]
) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for file in files:
        week = counts.setdefault(file.week.isoformat(), {"rows_in": 0, "removed": {}, "rows_out": 0})
        week["rows_in"] += lines_in[file.name]
        week["rows_out"] += kept.get(file.name, 0)
        for rule, lines in rules.get(file.name, {}).items():
            week["removed"][rule] = week["removed"].get(rule, 0) + lines
    for week, found in counts.items():
        if found["rows_in"] != found["rows_out"] + sum(found["removed"].values()):
            raise RuntimeError(
                f"week {week}: {found['rows_in']} lines in, but {found['rows_out']} accepted and {found['removed']} "
                "rejected. The files changed while they were read: deliver them again, then run the week again."
            )
    return counts


def staged_baskets(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """raw_transactions of some weeks to staged_baskets of the same weeks.

    Parameters:
        non_merchandise: item codes that are no merchandise, such as the carrier bag.
        max_damaged_anonymous_share: share of a week's lines that may have a damaged basket id and no customer.
        files_per_week: how many files hold a week's baskets.
    """
    parameters, files = plan["parameters"], plan["parameters"].get("files_per_week", 1)
    lines = read(spark, "raw_transactions", plan["inputs"]["raw_transactions"])
    counted = baskets.counted_baskets(
        lines,
        parameters["non_merchandise"],
        files_per_week=files,
        partitions=min(_MAX_PARTITIONS, files * len(parameters["weeks"])),
    ).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        counts = {week_iso(row["week"]): row.asDict() for row in baskets.weekly_counts(counted).collect()}
        _refuse_unknown_baskets(counts, parameters.get("max_damaged_anonymous_share", 0.25))
        write(baskets.staged(counted), "staged_baskets", plan["outputs"]["staged_baskets"])
    finally:
        counted.unpersist()
    return {
        "written": ("staged_baskets",),
        "counts": {week: _removed(found) for week, found in sorted(counts.items())},
        "metrics": {},
    }


def _removed(found: dict[str, int]) -> dict[str, Any]:
    kinds = ("baskets", "anonymous_baskets", "baskets_without_merchandise", "rebuilt_baskets", "conflicting_baskets")
    return {
        "rows_in": found["lines"],
        "removed": {name: found[name] for name in baskets.FILTERS},
        "rows_out": found["lines_kept"],
        **{kind: found[kind] for kind in kinds},
    }


def _refuse_unknown_baskets(counts: dict[str, Any], allowed: float) -> None:
    for week, found in sorted(counts.items()):
        share = found["damaged_anonymous"] / found["lines"]
        if share > allowed:
            raise ValueError(
                f"week {week_code(date.fromisoformat(week))}: {share:.1%} of the lines have a damaged basket id and no "
                f"customer, at most {allowed:.1%} may: their baskets cannot be rebuilt. Deliver the file as it was "
                "exported, without a spreadsheet in between."
            )
