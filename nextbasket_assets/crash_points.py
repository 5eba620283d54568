"""Where a test may end the process: `FAULT_AT=commit:2` kills it, as SIGKILL does, when `commit` is reached the second time.

`FAULT_AT=any:7` counts every point. Unset, a point costs one look into the environment. Standard library only.
"""

import os
import signal
from collections import Counter

VARIABLE = "FAULT_AT"
ANY = "any"

_reached: Counter[str] = Counter()


def reach(name: str) -> None:
    """Note that the process is about to change something outside itself, or has just done so."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    chosen, _, number = wanted.partition(":")
    _reached[name] += 1
    _reached[ANY] += 1
    if chosen in (name, ANY) and _reached[chosen] == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
