"""The services of the rounds, for a file of tests."""

import pytest

from usage_platform_tests.faults.matrix import Matrix
from usage_platform_tests.faults.services import Services


@pytest.fixture(scope="module")
def matrix(java, jar_folders, tmp_path_factory):
    with Services(java, jar_folders, tmp_path_factory.mktemp("faults")) as services:
        yield Matrix(services)
