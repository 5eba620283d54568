"""A run that fails says which run it was, what its step said, and what kind of failure it is."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from nextbasket_assets.cli.runs import Run, failure
from nextbasket_assets.errors import BAD_INPUT, FAILED, NOTHING_THERE, RED, facts_and_remedy
from nextbasket_assets.lake.tables import NotThereError
from nextbasket_assets.landing import LandingError

TABLE = "staged_baskets"


def run(body: Callable[[], Iterator[Any]]) -> dg.ExecuteInProcessResult:
    """A run of one asset with one check."""

    @dg.multi_asset(specs=[dg.AssetSpec(TABLE)], check_specs=[dg.AssetCheckSpec("claim", asset=TABLE, blocking=True)])
    def asset() -> Iterator[Any]:
        yield from body()

    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize([asset], instance=instance, raise_on_error=False)


def bad_file() -> Iterator[Any]:
    yield from ()
    raise LandingError("transactions_200607.csv: 0 bytes. Deliver it.")


def nothing_there() -> Iterator[Any]:
    yield from ()
    raise NotThereError("no model yet. Train one.") from OSError("gone")


def red_check() -> Iterator[Any]:
    yield dg.AssetCheckResult(asset_key=TABLE, check_name="claim", passed=False)
    raise dg.Failure("staged_baskets: a claim does not hold. Correct the input.", allow_retries=False)


def broken_engine() -> Iterator[Any]:
    yield from ()
    raise RuntimeError("java.lang.Exception\n" + "\tat somewhere\n" * 1000)


@pytest.mark.parametrize(
    ("body", "code", "facts"),
    [
        (bad_file, BAD_INPUT, "transactions_200607.csv: 0 bytes."),
        (nothing_there, NOTHING_THERE, "No model yet."),
        (red_check, RED, "staged_baskets: a claim does not hold."),
        (broken_engine, FAILED, "Java.lang.Exception"),
    ],
)
def test_a_failure_says_its_kind(body: Callable[[], Iterator[Any]], code: int, facts: str) -> None:
    """A file that must not be ingested, a red check, and anything else: three exit codes; no class names, no endless traces."""
    error = failure("score_week 200607", run(body))

    assert (error.what, error.exit_code) == ("score_week 200607", code)
    assert facts_and_remedy(str(error))[0].lower().startswith(facts.lower())
    assert len(str(error)) <= 600


def test_a_run_is_named_by_its_job_and_weeks() -> None:
    """One week, a range, or one table of it, as the retailer names weeks."""
    first, last = date(2006, 4, 10), date(2006, 4, 24)

    assert str(Run("score_week", first, first)) == "score_week 200607"
    assert str(Run("backfill_weeks", first, last)) == "backfill_weeks 200607 to 200609"
    assert str(Run("refresh_weeks", first, last, "score_exports")) == "score_exports 200607 to 200609"
