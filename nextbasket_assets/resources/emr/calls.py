"""Calls to AWS that outlive a bad quarter of an hour: throttling, network trouble, credentials that are being renewed."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlparse

_TRANSIENT = {
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException"),
    *("SlowDown", "InternalServerException", "InternalServerError", "InternalFailure", "InternalError"),
    *("ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException"),
}
_RENEWED = "the AWS credentials have expired"
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}


class Clock:
    """Time, as this machine has it."""

    def now(self) -> float:
        """Seconds, from any zero."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Aws:
    """boto3 clients, and the patience to use them.

    Args:
        clock: what waits.
        patience: seconds that a call may keep failing for a reason that passes.
        tell: takes a line about a call that is tried again.
    """

    def __init__(self, clock: Clock, patience: float, tell: Callable[[str], None]) -> None:
        self._clock, self._patience, self._tell = clock, patience, tell
        self._clients: dict[tuple[str, int], Any] = {}

    def client(self, service: str, attempts: int = 3) -> Any:  # boto3 builds its clients at run time
        """The client of a service; `attempts` are boto3's own short ones, of each call."""
        if (service, attempts) not in self._clients:
            import boto3
            from botocore.config import Config

            retries = {"mode": "standard", "total_max_attempts": attempts}
            config = Config(retries=retries, connect_timeout=10, read_timeout=60)
            # A session of its own: credentials that were renewed on disk or by a role are read again.
            self._clients[service, attempts] = boto3.session.Session().client(service, config=config)
        return self._clients[service, attempts]

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """Call, and call again while the reason passes.

        Raises:
            botocore.exceptions.ClientError: the call is wrong, or the reason did not pass in time.
        """
        return self.call_within(self._patience, service, operation, arguments)

    def call_within(self, patience: float, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        """The same with another patience, in seconds."""
        return self._patiently(patience, operation, lambda: getattr(self.client(service), operation)(**arguments))

    def make(self, service: str, operation: str, lost: Callable[[], Any | None], **arguments: Any) -> Any:
        """Call what makes another one each time it is called: once, and again only where `lost` finds no answer.

        Args:
            service: as boto3 names it.
            operation: the same.
            lost: the answer that did not arrive, by what is there now; None where the call made nothing.
            arguments: of the call.
        """
        asked = False

        def ask() -> Any:
            nonlocal asked
            answer = lost() if asked else None
            asked = True
            return answer or getattr(self.client(service, attempts=1), operation)(**arguments)

        return self._patiently(self._patience, operation, ask)

    def read(self, uri: str) -> bytes:
        """An object of S3, to its end.

        Raises:
            botocore.exceptions.ClientError: it is not there.
        """

        def whole() -> bytes:
            return bytes(self.client("s3").get_object(**location(uri))["Body"].read())

        content: bytes = self._patiently(self._patience, "get_object", whole)
        return content

    def _patiently(self, patience: float, operation: str, ask: Callable[[], Any]) -> Any:
        began, wait = self._clock.now(), 1.0
        while True:
            try:
                return ask()
            except Exception as error:
                reason = passing(error)
                if reason is None or self._clock.now() - began + wait > patience:
                    raise
                if wait == 1.0:
                    self._tell(f"{operation}: {reason}; trying again for up to {patience / 60:.0f} minutes")
                if reason == _RENEWED:
                    self._clients.clear()
                self._clock.sleep(wait)
                wait = min(2 * wait, 60.0)


def location(uri: str) -> dict[str, str]:
    """Bucket and key of an s3:// URI, as boto3 takes them."""
    parsed = urlparse(uri)
    return {"Bucket": parsed.netloc, "Key": parsed.path.lstrip("/")}


def passing(error: Exception) -> str | None:
    """Why a call failed, when the reason may pass; None when calling again is useless."""
    from botocore.exceptions import (
        ClientError,
        ConnectionError,
        CredentialRetrievalError,
        HTTPClientError,
        IncompleteReadError,
    )

    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _EXPIRED:
            return _RENEWED
        return f"AWS answers {code or status}" if code in _TRANSIENT or status >= 500 else None
    if isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError | CredentialRetrievalError):
        return f"no answer from AWS ({type(error).__name__})"
    return None
