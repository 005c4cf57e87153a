"""The script that looks for barriers in a page: axe-core, of the lock file, never shipped."""

from usage_platform.local.page_scripts import installed_modules
from usage_platform_tests.conftest import DATA_DIR

_WORK = DATA_DIR / "npm-dev"
_SCRIPT = "axe-core/axe.min.js"


def accessibility_checker() -> str:
    """The script's text; fetched once."""
    if not (_WORK / "node_modules" / _SCRIPT).is_file():
        installed_modules(_WORK, "--include=dev")
    return (_WORK / "node_modules" / _SCRIPT).read_text("utf-8")
