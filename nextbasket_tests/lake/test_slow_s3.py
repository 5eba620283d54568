"""An S3 that does not answer for a while: it is asked for longer, and what is said then is not that the lake is broken."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from nextbasket_assets.lake import tables
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_tests.emr_bed.aws import environment

THROTTLED = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"
SECONDS = 12.0


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake in a bucket that is throttled for some seconds, and empty then."""
    began = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            throttled = time.monotonic() - began < SECONDS
            missing = "_last_checkpoint" in self.path
            self.send_response(503 if throttled else 404 if missing else 200)
            body = THROTTLED if throttled else b"" if missing else EMPTY
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = answer

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in environment(f"http://127.0.0.1:{server.server_port}").items():
            monkeypatch.setenv(name, value)
        yield Lake("s3://shop/lake")
        server.shutdown()


@pytest.mark.slow
def test_throttling_that_passes_is_waited_for(throttled: Lake) -> None:
    """S3 says SlowDown to whatever is asked for twelve seconds: all three ways to it wait, and go on as if nothing had been."""
    asked: list[Callable[[], object]] = [
        lambda: throttled.storage.put("shop/lake/file", b"content"),
        lambda: throttled.version("raw_transactions"),
        lambda: _opened(throttled),
    ]
    with ThreadPoolExecutor() as pool:
        assert [answer.result() for answer in [pool.submit(one) for one in asked]] == [None, -1, "no table there"]


def _opened(lake: Lake) -> str:
    with pytest.raises(TableNotFoundError):
        DeltaTable(lake.uri("raw_transactions"), storage_options=lake.storage_options)
    return "no table there"


@pytest.mark.parametrize(
    "said",
    [
        "When listing objects under key 'lake' in bucket 'shop': AWS Error SLOW_DOWN during ListObjectsV2 operation: Please",
        "When reading information for key 'lake': AWS Error UNKNOWN (HTTP status 503) during HeadObject operation",
        "Kernel error -> Generic S3 error\nError performing GET http://s3 in 60.7s, after 10 retries, max_retries 20",
    ],
    ids=["Arrow, a list", "Arrow, an object", "deltalake"],
)
def test_an_s3_without_an_answer_is_no_broken_log(said: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Whoever reads that S3 does not answer is told to run again, and not to restore a log that is whole."""

    def refuse(*_: object) -> None:
        raise OSError(said)

    monkeypatch.setattr(tables, "newest_commit", refuse)
    with pytest.raises(
        LakeError, match=r"raw_transactions: S3 does not answer \(.*\)\. Nothing was changed\. Run again\."
    ):
        Lake(str(tmp_path)).version("raw_transactions")
