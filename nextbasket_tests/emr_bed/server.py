"""`python -m nextbasket_tests.emr_bed.server`: prints its port, and serves the AWS APIs until standard input closes.

A process of its own: deltalake holds Python's lock while it talks to S3, so a server in the same process never answers.
"""

import logging
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
