"""A landing folder in a bucket that throttles, refuses, or breaks off in the middle of a file."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nextbasket_assets.landing import FIELDS
from nextbasket_assets.resources import landing
from nextbasket_assets.resources.landing import inspect_file
from nextbasket_assets.resources.landing_folders import BrokenOffError, LocalFolder, S3Folder, UnopenedError
from nextbasket_tests.emr_bed.aws import environment

NAME = "transactions_200607.csv"
LINES = 20_000
TEXT = ",".join(FIELDS).encode() + b"\n" + (b",".join([b"x"] * len(FIELDS)) + b"\n") * LINES
THROTTLED = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"

Answer = tuple[int, bytes, int]  # status, body, and how many of its bytes arrive


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Answer]], list[Answer]]]:
    """A function that has S3 give these answers, one a request; what it returns is what was not asked for."""
    left: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, arrive = left.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:arrive])
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    def answer(answers: list[Answer]) -> list[Answer]:
        left[:] = answers
        return left

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in environment(f"http://127.0.0.1:{server.server_port}").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        yield answer
        server.shutdown()


def whole(body: bytes) -> Answer:
    return 200, body, len(body)


def broken(body: bytes) -> Answer:
    return 200, body, len(body) // 2


def test_throttling_that_passes_costs_no_week(answering: Callable[[list[Answer]], list[Answer]]) -> None:
    """S3 may say SlowDown nine times in a row: the tenth answer is taken."""
    left = answering([(503, THROTTLED, len(THROTTLED))] * 9 + [whole(TEXT)])

    assert inspect_file(S3Folder("shop", "landing/"), NAME).lines == LINES
    assert left == []


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, UnopenedError),
        ("InvalidObjectState", 403, UnopenedError),
        ("SlowDown", 503, ClientError),
        ("InternalError", 500, ClientError),
        ("ExpiredToken", 400, ClientError),
    ],
)
def test_only_what_stays_refused_is_a_fault_of_the_file(
    code: str, status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to grant a permission because S3 is busy or the credentials are being renewed."""

    def refuse(**_: str) -> None:
        answer: Any = {"Error": {"Code": code, "Message": "No."}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "GetObject")

    monkeypatch.setattr(S3Folder, "_client", staticmethod(lambda: SimpleNamespace(get_object=refuse)))
    with pytest.raises(kind, match=code), S3Folder("shop", "landing/").open(NAME):
        raise AssertionError


@pytest.mark.parametrize("name", [NAME, f"{NAME}.gz"])
def test_a_file_that_breaks_off_is_read_anew(
    name: str, answering: Callable[[list[Answer]], list[Answer]], tmp_path
) -> None:
    """Its bytes end in the middle four times: what is found is what the whole file holds, each byte counted once."""
    body = gzip.compress(TEXT) if name.endswith(".gz") else TEXT
    (tmp_path / name).write_bytes(body)
    answering([broken(body)] * 4 + [whole(body)])

    assert inspect_file(S3Folder("shop", "landing/"), name) == inspect_file(LocalFolder(tmp_path), name)


def test_a_small_file_that_breaks_off_is_read_anew(
    answering: Callable[[list[Answer]], list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files beside the weekly ones are read as patiently."""
    monkeypatch.setattr(S3Folder, "list", lambda _: [SimpleNamespace(name="products.csv")])
    answering([broken(b"PROD_CODE,NAME\n"), whole(b"PROD_CODE,NAME\n")])

    assert landing.read_optional(S3Folder("shop", "landing/"), "products.csv") == b"PROD_CODE,NAME\n"


def test_a_file_that_always_breaks_off_is_said(answering: Callable[[list[Answer]], list[Answer]]) -> None:
    """After five readings the message is of S3, and not that the file is cut."""
    left = answering([broken(TEXT)] * 6)

    with pytest.raises(BrokenOffError, match=f"{NAME}: S3 broke off while it was read"):
        inspect_file(S3Folder("shop", "landing/"), NAME)
    assert len(left) == 1
