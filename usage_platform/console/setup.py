"""`usage-platform setup`: everything that is fetched once."""

from usage_platform.console.screen import Screen
from usage_platform.local.errors import LocalError
from usage_platform.local.page_scripts import ensure_scripts
from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings


def fetch_all(settings: Settings) -> None:
    """Fetch what is missing, and say what is there.

    Raises:
        LocalError: In one line, when the platform could not run. Without the page's scripts it can:
            that is said, and the page says it again.
    """
    screen = Screen()
    if settings.starts_java:
        java, _ = set_up(settings, screen.say, screen.progress)
        screen.quiet()
        screen.say(f"Java {java.major} at {java.home} and the jars are in place")
    else:
        screen.say("the settings name a broker and a Spark: no Java and no jars are needed here")
    try:
        ensure_scripts(settings.jars_dir.parent, screen.say)
    except LocalError as error:
        screen.say(str(error))
