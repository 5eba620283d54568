"""Runs jobs in forks: `python -m nextbasket_tests.faults.runner ROOT ADDRESS` reads one JSON request a line, answers one.

    {"job": "backfill_weeks", "first": "2006-04-10", "last": null, "table": null, "fault_at": "any:7"}

The answer is 0 for a run that succeeded, 1 for one that failed, 9 for one that was killed.
"""

import json
import os
import sys
import traceback
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import deltalake  # noqa: F401  (imported before the forks)
import torch  # noqa: F401

from nextbasket_assets.crash_points import VARIABLE
from nextbasket_tests.faults.spark_server import RemoteSpark
from nextbasket_tests.platforms import Platform, failure


def serve(root: Path, address: str) -> None:
    """Answer requests until the input ends."""
    for request in map(json.loads, sys.stdin):
        child = os.fork()
        if not child:
            _work(root, address, request)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


def _work(root: Path, address: str, request: dict[str, Any]) -> None:
    failed = 1
    try:
        if request["fault_at"]:
            os.environ[VARIABLE] = request["fault_at"]
        platform = Platform(root, dg.DagsterInstance.ephemeral(), {"spark": RemoteSpark(address=address)})
        first = date.fromisoformat(request["first"])
        last = date.fromisoformat(request["last"]) if request["last"] else None
        selection = [request["table"]] if request["table"] else None
        result = platform.run(request["job"], first, last, selection=selection)
        failed = int(not result.success)
        if failed:
            print(failure(result)[-3000:], file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(failed)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
