"""`usage-platform setup`: download everything that is needed once."""

from usage_platform.console.screen import Screen
from usage_platform.local.errors import LocalError
from usage_platform.local.page_scripts import ensure_scripts
from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings


def fetch_all(settings: Settings) -> None:
    """Download what is missing.

    Raises:
        LocalError: When the platform could not run. Missing scripts of the page only print a
            warning: everything else works without them.
    """
    screen = Screen()
    if settings.starts_java:
        java, _ = set_up(settings, screen.say, screen.progress)
        screen.quiet()
        screen.say(f"Java {java.major} at {java.home} and the jars are ready")
    else:
        screen.say("broker and Spark are external: no Java and no jars are needed here")
    try:
        ensure_scripts(settings.jars_dir.parent, screen.say)
    except LocalError as error:
        screen.say(str(error))
