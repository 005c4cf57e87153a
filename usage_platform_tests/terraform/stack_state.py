"""What the configuration has made on a double of AWS, as Terraform's state says it."""

from typing import Any

STACK = "tests/moto/stack.tftest.hcl:everything_is_made_and_taken_away"
"""The run that makes everything."""


def resources(state: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The values of a state's resources or data sources of one kind."""
    found = state["root_module"]["resources"]
    return [resource["values"] for resource in found if resource["type"] == kind]
