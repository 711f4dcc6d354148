"""A test that waits for another process fails with words if it waits too long."""

import subprocess
import sys

import pytest

from tests.support.patience import patience


def test_process_that_says_nothing_is_killed_and_the_test_fails() -> None:
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as silent:
        assert silent.stdout
        with (
            pytest.raises(pytest.fail.Exception, match=r"The answer took more than 0[.]1 s, and was killed[.]"),
            patience(silent.kill, "The answer", seconds=0.1),
        ):
            silent.stdout.readline()
    assert silent.returncode < 0
