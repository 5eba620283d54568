"""The soak: weeks out of order, with corrections, damaged files, killed runs and a forgetful daemon, end like a calm run."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.lake.freshness import SCORES
from nextbasket_assets.landing import week_code
from nextbasket_assets.operations.refreshing import refreshes
from nextbasket_assets.operations.retraining import SCORE, TRAIN
from nextbasket_assets.partitions import contiguous
from nextbasket_tests.faults import shop
from nextbasket_tests.faults.spark_server import RemoteSpark, serving
from nextbasket_tests.faults.test_arrival import Ticks
from nextbasket_tests.platforms import FIRST, Platform

WEEKS = int(os.environ.get("SOAK_WEEKS", "6"))  # 117 by hand: the whole calendar
TOGETHER = max(6, WEEKS // 9)  # weeks that arrive between two looks
CORRECTED, DAMAGED, KILLED, FORGETS = 0.05, 0.02, 0.5, 0.2
MOST_POINTS = 60  # of a run: where a kill may fall


class Runner:
    """The process that runs jobs in forks."""

    def __init__(self, root: Path, address: Path) -> None:
        command = [sys.executable, "-m", "nextbasket_tests.faults.runner", str(root), str(address)]
        self._errors = (root.parent / f"{root.name}.log").open("w")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )

    def run(self, job: str, first: date, last: date, table: str | None, fault_at: str | None) -> int:
        """0, 1 or 9: succeeded, failed, killed."""
        request = {"job": job, "first": f"{first}", "last": None if first == last else f"{last}"}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**request, "table": table, "fault_at": fault_at}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._errors.close()


@contextmanager
def platform(root: Path, address: Path) -> Iterator[tuple[Platform, Runner]]:
    (root / "landing").mkdir(parents=True)
    runner = Runner(root, address)
    try:
        yield Platform(root, dg.DagsterInstance.ephemeral(), {"spark": RemoteSpark(address=str(address))}), runner
    finally:
        runner.close()


def arrivals(weeks: list[date], chance: random.Random) -> Iterator[list[tuple[date, int | None]]]:
    """Groups of (week, seed of its content): out of order by some weeks; None is a damaged file, 1 a correction."""
    order = sorted(weeks, key=lambda week: (week - FIRST).days / 7 + chance.uniform(-6, 6))
    corrected = set(chance.sample(weeks, max(1, round(CORRECTED * len(weeks)))))
    damaged = set(chance.sample(weeks, max(1, round(DAMAGED * len(weeks)))))
    later: list[tuple[date, int | None]] = []
    for start in range(0, len(order), TOGETHER):
        group = order[start : start + TOGETHER]
        yield [*later, *((week, None if week in damaged else 0) for week in group)]
        again = [(week, 0) for week in group if week in damaged]
        later = [*again, *((week, 1) for week in group if week in corrected and week not in damaged)]
        last = [(week, 1) for week in group if week in corrected & damaged]
        if last:
            yield later
            later = last
    yield later


def deliver(one: Platform, week: date, seed: int | None) -> None:
    one.deliver(week, shop.lines(week, seed or 0))
    if seed is None:
        path = one.root / "landing" / f"transactions_{week_code(week)}.csv.gz"
        path.write_bytes(path.read_bytes()[:-40])


def settle(one: Platform, runner: Runner, chance: random.Random) -> tuple[int, int]:
    """Let the sensor look and the runs run until it asks for nothing, killing some; runs and kills."""
    ticks, runs, kills, quiet = Ticks(one), 0, 0, 0
    while quiet < 2:
        if quiet == 0 and chance.random() < FORGETS:  # not while it waits: it would never see that a file is whole
            ticks.cursor = None
        requests = ticks.tick().run_requests or []
        quiet = 0 if requests else quiet + 1
        for request in requests:
            first, last = span(request)
            [table] = [key.to_user_string() for key in request.asset_selection or []] or [None]
            status = 9
            while status == 9:
                fault_at = f"any:{chance.randint(1, MOST_POINTS)}" if chance.random() < KILLED else None
                # Which weeks train hangs on what had arrived by then; the soak is about what is made from lines alone.
                job = str(request.job_name).replace(TRAIN, SCORE)
                status = runner.run(job, first, last, table, fault_at)
                runs, kills = runs + 1, kills + (status == 9)
            assert status == 0, f"{request.job_name} {first} to {last} failed: see the log beside the platform's folder"
    return runs, kills


def span(request: dg.RunRequest) -> tuple[date, date]:
    if request.partition_key:
        return (date.fromisoformat(request.partition_key),) * 2
    ends = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    first, last = map(date.fromisoformat, ends)
    return first, last


def soak(spark: SparkSession, folder: Path, count: int) -> dict[str, Any]:
    """Run it over so many weeks; what was done, and what both lakes hold."""
    weeks, chance, kills, runs = [FIRST + timedelta(weeks=n) for n in range(count)], random.Random(7), 0, 0
    final: dict[date, int] = {}
    address = folder / "spark"
    with serving(spark, address):
        with platform(folder / "storm", address) as (storm, runner):
            for group in arrivals(weeks, chance):
                for week, seed in group:
                    deliver(storm, week, seed)
                    final[week] = seed or 0
                done = settle(storm, runner, chance)
                runs, kills = runs + done[0], kills + done[1]
                print(f"{len(final)} of {count} weeks there, {runs} runs, {kills} of them killed", flush=True)
            assert refreshes(storm.lake, weeks) == []
        with platform(folder / "calm", address) as (calm, runner):
            for week in weeks:
                calm.deliver(week, shop.lines(week, final[week]))
            assert runner.run("backfill_weeks", weeks[0], weeks[-1], None, None) == 0
            for table in ("mission_profiles", *SCORES):
                for first, last in contiguous(storm.lake.weeks(table)):
                    assert runner.run("refresh_weeks", first, last, table, None) == 0
    return {
        "runs": runs,
        "kills": kills,
        "corrected": sum(final.values()),
        "storm": shop.contents(storm.lake),
        "calm": shop.contents(calm.lake),
        "leftovers": shop.leftovers(storm.lake),
    }


def held(found: dict[str, Any], record_property: Any, least_kills: int) -> None:
    record_property("killed", found["kills"])
    record_property("runs", found["runs"])
    assert found["kills"] >= least_kills
    assert found["corrected"] > 0
    assert found["storm"] == found["calm"]
    assert len(found["leftovers"]) <= len(shop.TABLES), "a table's last dead run may leave a folder, until the next run"


@pytest.mark.slow
@pytest.mark.parametrize("count", [WEEKS])
def test_a_storm_ends_like_a_calm(spark: SparkSession, tmp_path: Path, record_property: Any, count: int) -> None:
    """Every table of every week, and every list, is what the calm in-order run made."""
    held(soak(spark, tmp_path, count), record_property, least_kills=2)
