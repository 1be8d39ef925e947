"""Object stores on loopback that are as strict as Cloud Storage and Azure Blob Storage are, where obstore looks.

State in a bucket is only as safe as the bucket's conditional writes, and an emulator that ignores a condition proves
nothing. So each write here is decided and made with the object locked (``shelf``), and whatever is not done as the
real one does it is refused with 501 and the reason.

1. ``wire``     a request, an answer, a refusal; dates, ranges and lists of ETags. ``shelf`` the objects of one bucket.
2. ``gcs``      Cloud Storage's XML API: generations, ``x-goog-if-generation-match``, reads, listing, and a machine's
                token. ``buckets`` its JSON API for buckets (public access prevention, IAM policy, encryption),
                ``access`` roles and callers.
3. ``azure``    Azure's block blobs and containers; ``sharedkey`` checks every signature, ``conditions`` are Azure's
                own, ``batch`` is how several blobs are deleted in one request.

:func:`serve` puts one on a port; ``python -m provisioner.sandbox.objects`` does so in a process of its own.

Weaknesses: objects live in memory, listings sort them all every time; uploads in parts, versions, leases, copies,
access control lists, customers' keys and signed URLs are refused; nothing is ever slow or unavailable, and of the
limits only Cloud Storage's on changes of one object is there, switched off until asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.sandbox.objects.wire import ObjectServer

__all__ = ["serve"]


@contextmanager
def serve(server: ObjectServer, port: int = 0) -> Iterator[str]:
    """Answer on a loopback port while the context lasts, and say at which URL. ``port`` 0 is any free one."""
    from provisioner.sandbox.httpd import HttpServer

    http = HttpServer(server, port)
    http.start()
    try:
        yield http.url
    finally:
        http.close()
