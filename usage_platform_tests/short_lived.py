"""How Java runs in tests, which stop it after minutes."""

JAVA_TOOL_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Most code runs a few times: to compile it thoroughly takes more than it saves."""
