"""The services of the rounds, for a file of tests."""

import pytest

from usage_platform_tests.tools.faults.matrix import Matrix
from usage_platform_tests.tools.faults.services import Services


@pytest.fixture(scope="module")
def matrix(java, jar_folders, tmp_path_factory):
    with Services(java, jar_folders, tmp_path_factory.mktemp("faults")) as services:
        yield Matrix(services)
