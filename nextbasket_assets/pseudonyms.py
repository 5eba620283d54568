"""Keyed pseudonyms: HMAC-SHA256 of a customer code under a key that lies outside the repository, the landing folder and the lake.

A plain digest would protect nobody: codes are few enough to digest them all. Standard library only; the same arithmetic in
Spark is in `transforms.pseudonyms`.
"""

import hashlib
import hmac

from nextbasket_assets.errors import BAD_INPUT, NextbasketError

NONE = "none"  # the fingerprint of a lake that holds plain codes
_BLOCK = 64  # bytes that SHA-256 takes at a time
_LEAST = 32


class PseudonymError(NextbasketError, ValueError):
    """The key is not there, none, or another one than the lake's; the message never shows it."""

    exit_code = BAD_INPUT


def key_of(text: str) -> bytes:
    """The key in a key file's text: all of it but white space around it.

    Raises:
        PseudonymError: it is too short to be a secret.
    """
    key = text.strip().encode()
    if len(key) < _LEAST:
        raise PseudonymError(
            f"the pseudonym key has {len(key)} bytes, expected at least {_LEAST}: a short one can be guessed. Make one with "
            "`openssl rand -hex 32`, and keep it: without it nobody can be found or erased."
        )
    return key


def pseudonym(key: bytes, code: str) -> str:
    """What stands for a customer code, 64 hexadecimal digits. A code may look the same and is a code all the same.

    >>> pseudonym(b"k" * 32, "CUST0000000001")[:16]
    'fce957c8babad3fe'
    """
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def fingerprint(key: bytes) -> str:
    """Tells two keys apart, and tells nothing about either: what a lake records."""
    return hmac.new(key, b"nextbasket: fingerprint of the pseudonym key", hashlib.sha256).hexdigest()[:16]


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Inner and outer pad of RFC 2104, for engines that have SHA-256 and no HMAC."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
