"""The demo as a newcomer uses it: from the sign-in that `make demo` prints to a user's page; and its end."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.patience import patience

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A running demo and its output."""

    process: subprocess.Popen[str]
    printed: str

    @property
    def console_url(self) -> str:
        return self._find(r"The console: +(http://localhost:\d+/)")

    @property
    def password(self) -> str:
        return self._find(r"with the password +(\S+) +as")

    @property
    def administrator(self) -> tuple[str, str]:
        """Username and password of the administrator at the local PingOne."""
        return self._find(r"as  (\S+)\n\nThe local"), self._find(r"\npassword +(\S+) +as  \S+\n\nThe local")

    @property
    def stories(self) -> list[tuple[str, str]]:
        """Usernames, each with the button that helps."""
        return re.findall(r"  \d\. (\S+) .*, ([^,.]+)\.\n", self.printed)

    def email_of(self, role: str) -> str:
        return self._find(rf"(\S+@\S+) +{role}")

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self.printed)
        assert found, f"{pattern} is not in {self.printed}"
        return found[1]


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    port, sandbox_port = free_ports()
    command = [sys.executable, "-m", "console.demo", "--directory", str(tmp_path)]
    command += ["--port", str(port), "--sandbox-port", str(sandbox_port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        with patience(process.kill, "The start of the demo"):
            printed = printed_by(process)
        yield Demo(process=process, printed=printed)
        process.terminate()
        with patience(process.kill, "The end of the demo"):
            process.wait()


def printed_by(process: subprocess.Popen[str]) -> str:
    """Return the output until the demo is ready, or all of it if the demo ends."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C stops everything" in line:
            break
    return "".join(lines)


def test_newcomer_gets_from_the_printed_sign_in_to_the_page_of_a_user_and_the_demo_ends_completely(
    demo: Demo, browser: Browser
) -> None:
    mistakes: list[str] = []

    here = demo.console_url.replace("localhost", "127.0.0.1")
    for organization, address, java_script in (("Acme", here, True), ("Globex", demo.console_url, False)):
        page = browser.new_page(base_url=address, java_script_enabled=java_script)
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        walk(page, demo, organization, java_script=java_script)
        page.close()
    take_calls(browser.new_page(base_url=demo.console_url), demo)

    assert not mistakes
    end_and_leave_no_process(demo)


def walk(page: Page, demo: Demo, organization: str, *, java_script: bool) -> None:
    sign_in(page, demo.email_of(f"org admin of {organization}"), demo.password)
    expect(page.get_by_role("heading", name=organization, level=1)).to_be_visible()
    page.goto(f"/o/{organization.lower()}/settings/connection/")
    expect(page.get_by_role("textbox", name="Client secret")).to_have_value("")
    page.get_by_role("button", name="Connect again").click()

    approve(page, *demo.administrator)

    expect(page).to_have_url(re.compile(f"/o/{organization.lower()}/settings/connection/$"))
    expect(page.get_by_text(f"Connected {organization} to PingOne.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Acme production")  # the only environment of this administrator
    find_and_open(page, java_script=java_script)


def sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def approve(page: Page, username: str, password: str) -> None:
    """Sign in at PingOne and allow the connection."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign on").click()
    page.get_by_role("button", name="Allow").click()


def take_calls(page: Page, demo: Demo) -> None:
    """Find each printed story's user and button, and help the first user."""
    assert len(demo.stories) == 5
    sign_in(page, demo.email_of("helpdesk agent"), demo.password)
    for username, button in reversed(demo.stories):
        page.goto(f"/o/acme/users/?q={username}")  # opens the only user who matches
        expect(page.get_by_text(username).first).to_be_visible()
        expect(page.get_by_role("button", name=button).first).to_be_attached()
        expect(page.get_by_text("This user is protected.")).to_have_count(0)  # an agent can press it
    page.locator("#account").get_by_role("button", name=button).click()
    expect(page.get_by_text("unlocked").first).to_be_visible()


def find_and_open(page: Page, *, java_script: bool) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Users").click()
    page.get_by_role("searchbox", name="Find a user").fill("mara lind")
    page.get_by_role("button", name="Search").click()  # opens the only user who matches
    expect(page.get_by_role("heading", level=1)).to_have_text("Mara Lind")
    if not java_script:
        page.get_by_role("link", name="Show Groups").click()
    expect(page.get_by_role("region", name="Groups")).to_contain_text("Field engineers")


def descendants(process: int) -> list[int]:
    """Return the IDs of all descendant processes, from /proc (Linux only)."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # the process has ended by now
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, unvisited = [], [process]
    while unvisited:
        children = parents.get(unvisited.pop(), [])
        found += children
        unvisited += children
    return found


def end_and_leave_no_process(demo: Demo) -> None:
    """End the demo by Ctrl-C. tests/console/test_demo.py ends its processes in every other way."""
    processes = [os.pidfd_open(process) for process in descendants(demo.process.pid)]
    assert len(processes) >= 6  # the guard, the local PingOne with its worker, and the console with two

    demo.process.send_signal(signal.SIGINT)

    for process in processes:
        ended, _, _ = select.select([process], [], [], 20)
        assert ended
        os.close(process)
    assert demo.process.wait(20) == 0
