"""Runs one call of a Python function: ``python -I bootstrap.py``, by itself, with nothing of provisioner's.

Arguments: folder of the code, handler, memory in MB, timeout in seconds, id of the request, ARN of the function, the
file descriptor that the answer is written to. The event is read from standard input; what the code prints goes to
standard output. Where the answer goes, a line break says that the code is loaded, from when on its time counts; then
comes one JSON object: ``{"result": …}`` or ``{"error": {…}}``.
"""

import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback

_MAPPED = 384 * 1024 * 1024
"""Bytes of address space that Python and its libraries map without using them."""
_LOADING = 20
"""Seconds for loading the code, and for being ended by whoever started this."""


class Context:
    """What Lambda tells a handler of its call."""

    def __init__(self, timeout: float, request: str, arn: str) -> None:
        self._end = time.monotonic() + timeout
        self.aws_request_id = request
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        """Until the call is cut off."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def main() -> None:
    root, handler, memory, timeout, request, arn, answer = sys.argv[1:]
    # Should whoever started this die, nobody else ends it.
    signal.setitimer(signal.ITIMER_REAL, float(timeout) + _LOADING)
    limit = int(memory) * 1024 * 1024 + _MAPPED
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    sys.path.insert(0, root)
    os.chdir(root)
    try:
        module, _, function = handler.rpartition(".")
        called = getattr(importlib.import_module(module.replace("/", ".")), function)
        os.write(int(answer), b"\n")
        event = json.load(sys.stdin)
        told = {"result": called(event, Context(float(timeout), request, arn))}
        text = json.dumps(told)
    except BaseException as err:
        traceback.print_exc(file=sys.stdout)
        lines = traceback.format_exception(err)
        text = json.dumps(
            {"error": {"errorMessage": str(err), "errorType": type(err).__name__, "requestId": request,
                       "stackTrace": lines[1:-1]}}
        )  # fmt: skip
    sys.stdout.flush()
    with os.fdopen(int(answer), "w") as out:
        out.write(text)


if __name__ == "__main__":
    main()
