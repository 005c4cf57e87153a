"""How services run that tests stop after minutes."""

JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""To compile their code a second time does not pay."""
