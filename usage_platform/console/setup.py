"""`usage-platform setup`: download everything that is needed once."""

from usage_platform.console.screen import Screen
from usage_platform.local.errors import LocalError
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.page_scripts import ensure_scripts
from usage_platform.local.stack import record_archives_of, set_up
from usage_platform.settings.settings import Settings


def fetch_all(settings: Settings) -> None:
    """Download what is missing.

    Raises:
        LocalError: In one line, when the platform could not run. Without the page's scripts, or the
            archives from which services start faster, it can: that is said.
    """
    screen = Screen()
    if settings.starts_java:
        java, jars = set_up(settings, screen.say, screen.progress)
        screen.quiet()
        screen.say(f"Java {java.major} at {java.home} and the jars are ready")
        # An image that is built for AWS has no use for it, and no broker to record.
        if not (settings.kafka_bootstrap or settings.spark_remote or settings.uses_aws):
            _record(java, jars, screen)
    else:
        screen.say("broker and Spark are external: no Java and no jars are needed here")
    try:
        ensure_scripts(settings.jars_dir.parent, screen.say)
    except LocalError as error:
        screen.say(str(error))


def _record(java: JavaHome, jars: JarFolders, screen: Screen) -> None:
    try:
        record_archives_of(java, jars, screen.say, screen.progress)
    # Whatever it is, the platform runs without the archives.
    except Exception as error:
        screen.say(f"not recorded, so Kafka and Spark start more slowly: {error}")
    finally:
        screen.quiet()
