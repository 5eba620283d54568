"""`python -m nextbasket_tests.emr_bed.server [FOLDER [hang]]`: prints its port, serves the AWS APIs until its input closes.

With a folder a worker executes submitted steps there, or lets them hang. A process of its own: deltalake holds Python's
lock while it talks to S3, so a server in the same process never answers.
"""

import logging
import os
import sys
import threading
import time
import traceback
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from nextbasket_tests.emr_bed.aws import environment
from nextbasket_tests.emr_bed.emulator import patched
from nextbasket_tests.emr_bed.spark_submit import Submitter
from nextbasket_tests.emr_bed.worker import Worker

_SECONDS_BETWEEN_TICKS = 0.2


def main(*arguments: str) -> None:
    """Serve."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with patched():
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        port = server.get_host_and_port()[1]
        if arguments:
            os.environ.update(environment(f"http://127.0.0.1:{port}"))
            worker = Worker(Submitter(boto3.client("s3"), Path(arguments[0]), hang="hang" in arguments), time.monotonic)
            threading.Thread(target=_work, args=(worker,), daemon=True).start()
        print(port, flush=True)
        sys.stdin.read()
        if arguments:
            worker.stop()
        server.stop()


def _work(worker: Worker) -> None:
    while True:
        try:
            worker.tick()
        except Exception:  # a worker that dies leaves every test waiting; say what it was instead
            traceback.print_exc()
        time.sleep(_SECONDS_BETWEEN_TICKS)


if __name__ == "__main__":
    main(*sys.argv[1:])
