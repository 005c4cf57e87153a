"""Where the package's source tree is: the folder that holds the package `usage_platform`."""

from pathlib import Path

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
"""The clone of the repository; of an installed wheel the folder `site-packages`."""
