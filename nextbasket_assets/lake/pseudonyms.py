"""Which pseudonym key a lake was made with: every commit of raw_transactions says it, so rows and mark are lost together."""

from nextbasket_assets.lake.publish import MADE
from nextbasket_assets.lake.storage import storage_of
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.pseudonyms import NONE, PseudonymError, fingerprint, key_of, pseudonym

TABLE = "raw_transactions"


def recorded(lake: Lake) -> str | None:
    """The fingerprint that the lake's rows were made under, `none` for plain codes; None before the first row."""
    snapshot = lake.snapshot(TABLE)
    commits = snapshot.commits if snapshot else []
    return next((commit.get("pseudonyms", NONE) for commit in commits if commit.get("kind") == MADE), None)


def refuse_other(lake: Lake, found: str) -> None:
    """Check that rows under this fingerprint may be added to the lake.

    Raises:
        PseudonymError: the lake's rows are under another one: one customer would be two.
    """
    wanted = recorded(lake)
    if wanted not in (None, found):
        raise PseudonymError(
            f"the lake's customers are {_said(str(wanted))}, and this run's are {_said(found)}. Nothing was published. Set "
            "NEXTBASKET_PSEUDONYM_KEY to the file with the lake's key (or unset it for plain codes), or take a new lake."
        )


def code_in(lake: Lake, code: str, key_uri: str | None) -> str:
    """How the lake writes a customer code; a pseudonym, which the lake shows, may be given for it.

    A plain code may have the form of a pseudonym, so that only the lake can tell: what it knows by its pseudonym is a code.

    Raises:
        PseudonymError: the lake needs a key, or another one.
    """
    from nextbasket_assets.lake.erasure import knows

    key = read_key(key_uri) if key_uri else None
    refuse_other(lake, fingerprint(key) if key else NONE)
    if not key:
        return code
    hidden = pseudonym(key, code)
    shown = len(code) == len(hidden) and not knows(lake, hidden) and knows(lake, code)
    return code if shown else hidden


def read_key(uri: str) -> bytes:
    """The key in a file of this machine or of a bucket.

    Raises:
        PseudonymError: the file cannot be read, or holds no key.
    """
    storage, path = storage_of(uri)
    try:
        with storage.filesystem.open_input_stream(path) as stream:
            text = bytes(stream.read()).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PseudonymError(
            f"{uri}: the pseudonym key cannot be read ({type(error).__name__}). Correct NEXTBASKET_PSEUDONYM_KEY, or let this "
            "process read the file."
        ) from error
    return key_of(text)


def _said(mark: str) -> str:
    return "plain codes" if mark == NONE else f"pseudonyms under the key {mark}"
