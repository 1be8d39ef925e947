"""``python -m provisioner.sandbox.objects gcs|azure --port 0 --bucket NAME``: an object store in its own process.

Writes one line of JSON to stdout when it answers (``url`` and how to be let in), and serves until SIGTERM, SIGINT or,
with ``--tied``, until its stdin ends: the server then outlives nobody who started it.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
from collections.abc import Sequence

from provisioner.sandbox.objects import serve
from provisioner.sandbox.objects.azure import ACCOUNT, KEY, AzureServer
from provisioner.sandbox.objects.gcs import BEARER, GcsServer


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 0 then."""
    arguments = _parser().parse_args(argv)
    server: GcsServer | AzureServer
    if arguments.store == "gcs":
        server = gcs = GcsServer(object_rate=arguments.object_rate)
        for name in arguments.bucket:
            gcs.create_bucket(name)
        about = {"token": BEARER}
    else:
        server = azure = AzureServer(public_access=not arguments.no_public_access)
        for name in arguments.bucket:
            azure.create_container(name)
        about = {"account": ACCOUNT, "key": KEY}
    reading, writing = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(writing, b"!"))
    with serve(server, arguments.port) as url:
        sys.stdout.write(json.dumps({"url": url, **about}) + "\n")
        sys.stdout.flush()
        select.select([reading, *([sys.stdin] if arguments.tied else [])], [], [])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m provisioner.sandbox.objects", description=__doc__)
    parser.add_argument("store", choices=("gcs", "azure"))
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--bucket", action="append", default=[], metavar="NAME", help="make this one, private")
    parser.add_argument(
        "--object-rate", type=float, default=0.0, metavar="N", help="gcs: changes a second of one object"
    )
    parser.add_argument("--no-public-access", action="store_true", help="azure: the account lets nothing be public")
    parser.add_argument("--tied", action="store_true", help="end when stdin does")
    return parser


if __name__ == "__main__":
    sys.exit(main())
