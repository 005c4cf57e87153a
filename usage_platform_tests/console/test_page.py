"""`usage-platform page`: how it ends."""

import os
import signal
import subprocess
import sys

import pytest

from usage_platform_tests.repository import ROOT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_that_is_no_failure(tmp_path, unused_port, number):
    command = f"from usage_platform.console.cli import main; main({['page']!r})"
    env = {**os.environ, "USAGE_DATA": str(tmp_path), "USAGE_PAGE_PORT": str(unused_port())}
    argv = [sys.executable, "-u", "-c", command]
    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE) as page:
        try:
            assert b"page: http://127.0.0.1:" in page.stdout.readline()
            page.send_signal(number)
            assert page.stdout.read() == b"page: stopped\n"
            assert page.wait() == 0
        finally:
            page.kill()
