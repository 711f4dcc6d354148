"""The audit log's lines on a stream of their own."""

import logging
import stat
import sys
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from console.models import AuditEntry, Operator
from console.server.audit_log import LOGGER, handler
from tests.support.small_environment import command


def written(line: str) -> logging.LogRecord:
    return logging.LogRecord("console.audit", logging.INFO, "", 1, "%s", (line,), None)


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    """Each process opens the file itself, and a line may be longer than a buffer."""
    file = tmp_path / "audit.log"

    def write(name: str) -> None:
        own = handler(str(file))
        for _ in range(20):
            own.handle(written(name * 20_000))
        own.close()

    threads = [Thread(target=write, args=[name]) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(file.read_text().splitlines()) == ["a" * 20_000] * 20 + ["b" * 20_000] * 20


def test_file_is_closed_to_others_and_begun_anew_after_rotation(tmp_path: Path) -> None:
    file, rotated = tmp_path / "audit.log", tmp_path / "audit.log.1"
    own = handler(str(file))
    own.handle(written("one"))
    file.rename(rotated)
    own.handle(written("two"))
    own.close()

    assert (rotated.read_text(), file.read_text()) == ("one\n", "two\n")
    assert {stat.S_IMODE(path.stat().st_mode) & 0o137 for path in (file, rotated)} == {0}


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_stream_is_by_its_name(stream: str) -> None:
    assert handler(stream).stream is getattr(sys, stream)  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_commands_results_are_alone_on_standard_output(org_admin: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads a command's JSON reads one object, not the lines of the log before it."""
    own = handler("stdout")
    logging.getLogger(LOGGER).addHandler(own)
    try:
        command(org_admin, "user.unlock", "--user", str(uuid4()), "--json")
        entry = AuditEntry.objects.latest("sequence")
        during = capsys.readouterr()
        own.handle(written("of the server"))
        after = capsys.readouterr()
    finally:
        logging.getLogger(LOGGER).removeHandler(own)

    assert str(entry.entry) in during.err
    assert during.out == ""
    assert after.out == "of the server\n"
