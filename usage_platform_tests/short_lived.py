"""How Java runs in tests, which stop it after minutes."""

JAVA_TOOL_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=4 -XX:+UseSerialGC"
"""Most code runs a few times: to compile it takes more of a processor than it saves."""
