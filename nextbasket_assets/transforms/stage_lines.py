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
from nextbasket_assets.transforms.tables import audit, read, schema, unbroken, week_iso, write, write_in_order

_SPLIT_BYTES = 128 << 20
_MAX_PARTITIONS = 512


def raw_transactions(spark: SparkSession, plan: dict[str, Any]) -> dict[str, Any]:
    """Landing files to raw_transactions and rejected_lines.

    Parameters:
        files: [{"uri", "name", "week": "2006-04-10", "header": [names], "lines", "bytes"}], any number per week. `lines`
            and `bytes` are what an inspection found.
        split_bytes: longest block of a plain file that one task reads.
        pseudonym_key: URI of the file with the key; without one, customer codes stay plain.

    `rows_in` owes nothing to the parser: it is what the inspection counted. A file that nobody inspected, or that several
    tasks read, is counted in a pass of its own. Only the weeks whose counts differ from what was accepted are read again
    for their rejected lines.
    """
    parameters, outputs = plan["parameters"], plan["outputs"]
    split_bytes = parameters.get("split_bytes", _SPLIT_BYTES)
    for setting in ("maxPartitionBytes", "openCostInBytes"):
        spark.conf.set(f"spark.sql.files.{setting}", str(split_bytes))
    files = [
        raw.TextFile(file["uri"], file["name"], date.fromisoformat(file["week"]), tuple(file["header"]), lines)
        for file in parameters["files"]
        for lines in (file.get("lines") if _is_whole(file, split_bytes) else None,)
    ]
    key = read_key(spark, parameters["pseudonym_key"]) if parameters.get("pseudonym_key") else None
    starts, lines_in = _counted(spark, files)
    write_in_order(raw.accepted(_parsed(spark, files, starts, key)), "raw_transactions", outputs["raw_transactions"])
    accepted = audit(spark, "raw_transactions", outputs["raw_transactions"], parameters["weeks"])
    broken = [file for file in files if accepted[file.week.isoformat()]["rows"] != lines_in[file.week.isoformat()]]
    rejected = unbroken("rejected_lines", parameters["weeks"])
    rules, first = dict[str, dict[str, int]](), dict[str, dict[str, str]]()
    if broken:
        write_in_order(raw.rejected(_parsed(spark, broken, starts, key)), "rejected_lines", outputs["rejected_lines"])
        rejected = audit(spark, "rejected_lines", outputs["rejected_lines"], parameters["weeks"])
        rules, first = _rejections(spark, outputs["rejected_lines"])
    return {
        "written": (),
        "audited": {"raw_transactions": accepted, "rejected_lines": rejected},
        "counts": _line_counts(lines_in, accepted, rules),
        "metrics": {
            "files": len(files),
            "rejected_lines": sum(sum(rule.values()) for rule in rules.values()),
            "first_rejected": first,
            "pseudonyms": fingerprint(key) if key else NONE,
        },
    }


def _is_whole(file: dict[str, Any], split_bytes: int) -> bool:
    """Whether one task reads the file from end to end."""
    return str(file["name"]).endswith(".gz") or int(file.get("bytes", split_bytes + 1)) <= split_bytes


def _parsed(
    spark: SparkSession, files: list[raw.TextFile], starts: dict[str, dict[int, int]], key: bytes | None
) -> DataFrame:
    lines = raw.text_lines(spark, [file.uri for file in files])
    parsed = raw.parsed_lines(lines, raw.block_table(spark, files, starts))
    return pseudonymised(spark, parsed, key) if key else parsed


def _counted(spark: SparkSession, files: list[raw.TextFile]) -> tuple[dict[str, dict[int, int]], dict[str, int]]:
    """Where the blocks of every file start, with the lines before them; and the data lines of every week."""
    starts = {file.key: {0: 0} for file in files}
    lines_in = {file.key: file.lines for file in files if file.lines is not None}
    if unknown := [file for file in files if file.lines is None]:
        counted = raw.blocks(raw.text_lines(spark, [file.uri for file in unknown])).orderBy("file", "block").collect()
        lines_in |= dict.fromkeys((file.key for file in unknown), -1)  # the header is no data line
        for row in counted:
            starts[row["file"]][row["block"]] = lines_in[row["file"]] + 1
            lines_in[row["file"]] += row["lines"]
    weeks: dict[str, int] = defaultdict(int)
    for file in files:
        weeks[file.week.isoformat()] += lines_in[file.key]
    return starts, weeks


def _rejections(spark: SparkSession, folder: str) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, str]]]:
    """Rejected lines by week and rule; and of each file and rule the first, by its number and what is wrong with it."""
    written = spark.read.schema(schema("rejected_lines")).parquet(folder)
    rules: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    first: dict[str, dict[str, str]] = defaultdict(dict)
    found = written.groupBy("week", "source_file", "rule").agg(
        F.count(F.lit(1)).alias("lines"), F.min(F.struct("line_number", "detail")).alias("first")
    )
    for row in found.orderBy("week", "source_file", "rule").collect():
        rules[week_iso(row["week"])][row["rule"]] += row["lines"]
        first[row["source_file"]][row["rule"]] = f"line {row['first']['line_number']}: {row['first']['detail']}"
    return {week: dict(found) for week, found in rules.items()}, dict(first)


def _line_counts(
    lines_in: dict[str, int], accepted: dict[str, dict[str, Any]], rules: dict[str, dict[str, int]]
) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for week, lines in lines_in.items():
        counts[week] = {"rows_in": lines, "removed": rules.get(week, {}), "rows_out": accepted[week]["rows"]}
        if lines != accepted[week]["rows"] + sum(rules.get(week, {}).values()):
            raise RuntimeError(
                f"week {week}: {lines} lines in, but {accepted[week]['rows']} accepted and {rules.get(week, {})} "
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
