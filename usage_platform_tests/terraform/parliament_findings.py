"""What parliament finds wrong with policies: JSON by name on standard input, a list comes out.

Run by the Python of `.venv-aws`; it imports nothing of this repository.
"""

import json
import sys

from parliament import analyze_policy_string


def main() -> None:
    """Judge what is on standard input."""
    findings = []
    for name, policy in json.load(sys.stdin).items():
        # Of resources and trust: parliament knows those of people and roles.
        if any("Principal" in statement for statement in policy["Statement"]):
            continue
        found = analyze_policy_string(json.dumps(policy)).findings
        findings += [
            f"{name}: {finding.issue} {finding.detail} {finding.location}" for finding in found
        ]
    json.dump(findings, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
