"""A digest of this platform's own code: whether a job runs what the platform that asks it runs.

Belongs here: the digest. Not here: comparing it (`request`), bringing the code to the cluster
(`deploy/emr_package.py`).
"""

import hashlib
from functools import cache
from pathlib import Path

import usage_platform

_CODE = Path(usage_platform.__file__).parent


@cache
def code_digest(folder: Path = _CODE) -> str:
    """SHA-256 over all Python files below a folder with their names, as hexadecimal digits.

    Args:
        folder: The package's by default.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        content = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        # Names and lengths, so that no two sets of files are one text.
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()
