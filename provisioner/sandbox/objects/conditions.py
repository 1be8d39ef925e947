"""Azure's conditional headers, which mean one thing to a read and another to a write.

https://learn.microsoft.com/en-us/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
"""

from __future__ import annotations

from typing import Final

from provisioner.sandbox.objects.shelf import Item
from provisioner.sandbox.objects.wire import Refused, Request, etags, parse_date

_UNMET: Final = "The condition specified using HTTP conditional header(s) is not met."


def check_read(request: Request, item: Item | None) -> Item:
    """The blob, where it is there and as the reader wants it. Refused otherwise: 404, 412 or 304."""
    match, none_match = etags(request.header("if-match")), etags(request.header("if-none-match"))
    if "*" in none_match:
        message = "The request includes an unsatisfiable condition for this operation."
        raise Refused(400, "UnsatisfiableCondition", message)
    if item is None:
        if match:
            raise Refused(412, "ConditionNotMet", _UNMET)
        raise Refused(404, "BlobNotFound", "The specified blob does not exist.")
    since, until = _dates(request)
    modified = int(item.modified)
    if (match and not {"*", item.etag} & set(match)) or (until is not None and modified > until):
        raise Refused(412, "ConditionNotMet", _UNMET)
    # Either of these two lets the reader have it: If-None-Match || If-Modified-Since.
    wants = [item.etag not in none_match] if none_match else []
    wants += [modified > since] if since is not None else []
    if wants and not any(wants):
        raise Refused(304, "ConditionNotMet", _UNMET)
    return item


def check_write(request: Request, item: Item | None, *, creates: bool) -> None:
    """Refused where the blob is not as the writer wants it; ``creates`` says that it need not be there."""
    match, none_match = etags(request.header("if-match")), etags(request.header("if-none-match"))
    if len(match) + len(none_match) > 1:
        raise Refused(400, "MultipleConditionHeadersNotSupported", "Multiple condition headers are not supported.")
    if item is None:
        if match:
            raise Refused(412, "ConditionNotMet", _UNMET)
        if not creates:
            raise Refused(404, "BlobNotFound", "The specified blob does not exist.")
        return
    if none_match == ["*"] and creates:
        raise Refused(409, "BlobAlreadyExists", "The specified blob already exists.")
    since, until = _dates(request)
    modified = int(item.modified)
    unmet = (
        (bool(match) and match[0] not in ("*", item.etag))
        or (bool(none_match) and none_match[0] in ("*", item.etag))
        or (not none_match and since is not None and modified <= since)
        or (not match and until is not None and modified > until)
    )
    if unmet:
        raise Refused(412, "ConditionNotMet", _UNMET)


def _dates(request: Request) -> tuple[float | None, float | None]:
    return parse_date(request.header("if-modified-since")), parse_date(request.header("if-unmodified-since"))
