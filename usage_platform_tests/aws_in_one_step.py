"""Moto's server, whose S3 compares and puts in one step, as Amazon's does.

    python -m usage_platform_tests.aws_in_one_step -H HOST -p PORT

Moto itself lets other requests come between the two, so that a lease could be taken twice.
"""

import threading
from typing import Any

from moto import server
from moto.s3.responses import S3Response

_PUTS = threading.Lock()
_put_object = S3Response.put_object


def _put_object_in_one_step(self: S3Response) -> Any:
    with _PUTS:
        return _put_object(self)


if __name__ == "__main__":
    S3Response.put_object = _put_object_in_one_step
    server.main()
