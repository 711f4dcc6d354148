"""`make demo` without its pages: its people, its settings, its refusals, and its child processes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import send_mail
from django.core.management import CommandError, call_command

from console.actions.catalogue import ACTIONS
from console.demo.__main__ import write_environment
from console.demo.mails import Mails
from console.demo.people import ORGANIZATIONS, PASSWORD, PEOPLE
from console.demo.stories import STORIES, told, told_of_recovery
from console.models import Membership, Operator, Organization
from pingone_integration.texts import english
from tests.support.patience import patience

ROOT = Path(__file__).resolve().parent.parent.parent
SANDBOX = {
    "auth_url": "http://127.0.0.1:9100",
    "client_id": "7c6b5a49-0000-4000-8000-000000000001",
    "client_secret": "the-sandbox-secret",
    "environment_id": "3a7c1e90-52b8-4d16-8f0a-6e4d2c1b0a99",
}


@pytest.fixture
def sandbox_file(tmp_path: Path) -> Path:
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(SANDBOX))
    return path


@pytest.mark.django_db
def test_demo_has_its_people_with_the_printed_password(sandbox_file: Path) -> None:
    call_command("seed_demo", sandbox_file)

    for person in PEOPLE:
        operator = Operator.objects.get(email=person.email)
        assert operator.check_password(PASSWORD)
        roles = operator.memberships.values_list("organization__slug", "role")
        assert dict(roles) == person.roles
    assert {role for person in PEOPLE for role in person.roles.values()} == set(Membership.Role)
    assert dict(Organization.objects.values_list("slug", "name")) == ORGANIZATIONS


@pytest.mark.django_db
def test_demo_has_the_settings_that_connect_needs(sandbox_file: Path) -> None:
    call_command("seed_demo", sandbox_file)

    connection = Organization.objects.get(slug="acme").connection
    entered = {name: str(getattr(connection, name)) for name in ("auth_url", "client_id", "environment_id")}
    assert entered | {"client_secret": connection.unseal("client_secret")} == SANDBOX
    assert connection.state == connection.State.NOT_CONNECTED


@pytest.mark.django_db
def test_demo_rerun_keeps_changes_and_follows_the_sandbox_port(sandbox_file: Path) -> None:
    call_command("seed_demo", sandbox_file)
    admin = Operator.objects.get(email="admin@acme.test")
    admin.set_password("something of my own")
    admin.save()
    Organization.objects.filter(slug="acme").update(name="Renamed")
    sandbox_file.write_text(json.dumps(SANDBOX | {"auth_url": "http://127.0.0.1:9101"}))

    call_command("seed_demo", sandbox_file)

    admin.refresh_from_db()
    assert admin.check_password("something of my own")
    acme = Organization.objects.get(slug="acme")
    assert (acme.name, acme.connection.auth_url) == ("Renamed", "http://127.0.0.1:9101")


@pytest.mark.django_db
def test_demo_keeps_a_connection_to_a_real_pingone(sandbox_file: Path) -> None:
    call_command("seed_demo", sandbox_file)
    connection = Organization.objects.get(slug="acme").connection
    connection.auth_url = "https://auth.pingone.eu"
    connection.save()

    call_command("seed_demo", sandbox_file)

    connection.refresh_from_db()
    assert connection.auth_url == "https://auth.pingone.eu"


@pytest.mark.django_db
def test_demo_refuses_a_server_with_other_operators(sandbox_file: Path) -> None:
    somebody = Operator.objects.create_user("somebody@example.com")

    with pytest.raises(CommandError, match="already has other operators"):
        call_command("seed_demo", sandbox_file)

    assert list(Operator.objects.all()) == [somebody]


def test_demo_has_five_stories_that_each_name_the_button_that_helps() -> None:
    assert len({story.username for story in STORIES}) == 5
    assert {story.button for story in STORIES} <= {english(action.name) for action in ACTIONS}
    mailed = told(next(story for story in STORIES if story.mailed), outbox="http://127.0.0.1:9100/sandbox/outbox/")
    assert mailed.endswith("http://127.0.0.1:9100/sandbox/outbox/?to=mike.mustchange@acme.test")


def test_demo_tells_where_a_user_helps_themself() -> None:
    told_so = told_of_recovery(console="http://localhost:8000", outbox="http://127.0.0.1:9100/sandbox/outbox/")

    assert "paul.password is locked out: open http://localhost:8000/recover/acme/ in a private window." in told_so
    assert told_so.endswith("http://127.0.0.1:9100/sandbox/outbox/?to=paul.password@acme.test")


def test_demo_secrets_are_generated_once_and_ports_are_updated(tmp_path: Path) -> None:
    first = write_environment(tmp_path, 8000, 9100)
    second = write_environment(tmp_path, 8001, 9101)

    for secret in ("SECRET_KEY", "CREDENTIAL_KEYS"):
        assert first[secret] == second[secret]
        assert first[secret] in (tmp_path / "env").read_text()
    assert second["PUBLIC_URL"] == "http://localhost:8001"
    assert second["ALLOWED_HOSTS"] == "localhost,127.0.0.1"
    assert second["CSRF_TRUSTED_ORIGINS"] == "http://localhost:8001,http://127.0.0.1:8001"
    assert second["PINGONE_CUSTOM_HOSTS"] == "http://127.0.0.1:9101=http://127.0.0.1:9101"
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0


def test_mails_of_the_console_are_told_once_with_their_links(tmp_path: Path, settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", tmp_path
    send_mail("Connected", "Nothing to follow.", None, ["admin@acme.test"])
    mails = Mails(tmp_path)
    assert list(mails.new()) == []

    link = f"http://localhost:8000/accounts/password/reset/key/{'k' * 90}/"
    send_mail("Choose your password", f"Hello,\n\n{link}\n\nBye", None, ["agent@acme.test"])
    (tmp_path / "unfinished.log").write_bytes(b"To: auditor@acme.test\nSubject: Half a")

    [mail] = mails.new()
    assert str(mail) == f"Mail to agent@acme.test: Choose your password\n    {link}"
    assert link in mail.body
    assert list(mails.new()) == []


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def demo(directory: Path, port: int, sandbox_port: int) -> subprocess.CompletedProcess[str]:
    ports = ["--port", str(port), "--sandbox-port", str(sandbox_port)]
    command = [sys.executable, "-m", "console.demo", "--directory", str(directory), *ports]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_taken_port_is_named_with_a_command_for_another_port(tmp_path: Path, taken_port: int) -> None:
    refused = demo(tmp_path, taken_port, 1)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Port {taken_port}: Address already in use.")
    assert f"Use other ports: make demo PORT={taken_port + 1} SANDBOX_PORT=2" in refused.stderr


# Stands in for `make demo`: starts two children, which connect to the given port and wait.
PARENT = """
import sys
from pathlib import Path
from typing import Any
from console.demo.processes import Children, DemoFailed

directory, port, then = sys.argv[1:]
wait = f"import socket; peer = socket.create_connection(('127.0.0.1', {port})); peer.recv(1)"
children = Children(Path(directory), Path.cwd())
first = children.start("first", [sys.executable, "-c", wait], {})
second = children.start("second", [sys.executable, "-c", wait], {})
if then == "lose one":
    sys.stdin.readline()
    second.kill()
    second.wait()
    try:
        children.check()
    except DemoFailed as failure:
        print(failure)
    finally:
        children.stop()
first.wait()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_child_processes_end_with_their_parent(tmp_path: Path, end: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        port = str(server.getsockname()[1])
        with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), port, "just wait"], cwd=ROOT) as parent:
            peers = [server.accept()[0] for _ in range(2)]
            parent.send_signal(end)
            with patience(parent.kill, "The end of the demo"):
                parent.wait()
        for peer in peers:
            with peer:
                peer.settimeout(30)
                assert peer.recv(1) == b""  # the connection is closed, so the child has ended


def test_end_of_one_child_stops_the_other_and_names_the_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        port = str(server.getsockname()[1])
        command = [sys.executable, "-c", PARENT, str(tmp_path), port, "lose one"]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
        ) as parent:
            peers = [server.accept()[0] for _ in range(2)]
            said, _ = parent.communicate("now\n", timeout=30)
        for peer in peers:
            with peer:
                peer.settimeout(30)
                assert peer.recv(1) == b""
    assert parent.returncode == 0
    assert f"second stopped. The end of {tmp_path / 'second.log'}:" in said
