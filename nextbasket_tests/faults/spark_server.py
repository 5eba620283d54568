"""Spark in one process, runs in others: a stand-in that sends a stage's plan to the process that holds the session.

A run can then be killed without taking the JVM along, as on a cluster; and Spark goes on writing for a run that is dead.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from nextbasket_assets.crash_points import reach
from nextbasket_assets.resources.spark import SparkResource, StageReport


class RemoteSpark(SparkResource):
    """Runs a stage in the process that listens at `address`, a socket's path."""

    address: str

    def run(
        self, stage: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str], **parameters: Any
    ) -> StageReport:
        plan = {
            "stage": stage,
            "inputs": {table: list(files) for table, files in inputs.items()},
            "outputs": dict(outputs),
            "parameters": parameters,
        }
        with Client(self.address) as connection:
            reach("stage sent")
            connection.send(plan)
            reach("stage sent")
            answer = connection.recv()
        reach("stage answered")
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return StageReport(**answer)


@contextmanager
def serving(spark: SparkSession, address: Path) -> Iterator[None]:
    """Answer plans at `address` as long as the block lasts; one at a time."""
    from nextbasket_assets.transforms import stages

    listener = Listener(str(address))

    def serve() -> None:
        while True:
            try:
                connection = listener.accept()
                plan = connection.recv()
            except EOFError:  # the asker died before it asked
                continue
            except OSError:  # closed: the block has ended
                return
            try:
                answer: Any = stages.run(spark, plan)
            except Exception as error:
                answer = str(error)
            try:
                connection.send(answer)
            except OSError:  # the asker died meanwhile
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.close()
