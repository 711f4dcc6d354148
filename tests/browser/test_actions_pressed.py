"""Every action of the catalogue pressed on its real page, with a PingOne that answers for itself.

Each test has a user of its own, looks at the page afterwards, and asks PingOne what became of the user.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from console.actions.catalogue import ACTIONS, BY_KEY, Action, Place
from console.models import AuditEntry, Operator, Organization
from pingone_integration.models import Connection
from tests.support.browser import NewPage
from tests.support.people import make_operator
from tests.support.sandbox_connection import connect, enter
from tests.support.sandbox_server import Sandbox, running_sandbox

MEDIA_TYPE = "application/vnd.pingidentity"
LATER = f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"  # the same day in no zone
NAME = "Mara Lind"
OTHER_POPULATION = "Partners"

with_and_without_javascript = pytest.mark.parametrize(
    "java_script", [True, False], ids=["with JavaScript", "without JavaScript"]
)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture(scope="module")
def administrator(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """PingOne's API without the console in between."""
    with sandbox.api(sandbox.token()) as client:
        yield client


@pytest.fixture
def operator(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    """An org admin, who may do everything, of an organization that is connected to the sandbox."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    connection = connect(enter(sandbox), sandbox)
    Connection.objects.filter(pk=connection.pk).update(
        managed_environment_id=UUID(sandbox.details["managed_environment_id"])
    )
    organization = Organization.objects.create(slug="acme", name="Acme", connection=connection)
    return make_operator("admin@acme.test", organization, "org_admin")


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the sandbox whom no other test touches."""

    id: UUID
    username: str
    sandbox: Sandbox
    administrator: httpx.Client

    @property
    def page(self) -> str:
        return f"/o/acme/users/{self.id}/"

    def ask(self, path: str = "") -> Any:
        """What PingOne says of them."""
        return self.administrator.get(f"users/{self.id}{path}").raise_for_status().json()

    def send(self, method: str, path: str, media_type: str = "application/json", **body: Any) -> None:
        """Change them at PingOne, behind the console's back."""
        reply = self.administrator.request(
            method, f"users/{self.id}{path}", json=body, headers={"Content-Type": media_type}
        )
        reply.raise_for_status()

    def listed(self, panel: str) -> list[Any]:
        (found,) = self.ask(f"/{panel}").get("_embedded", {panel: []}).values()
        return list(found)

    def is_there(self) -> bool:
        return self.administrator.get(f"users/{self.id}").status_code == 200

    def population(self) -> str:
        return str(self.ask("?expand=population")["_embedded"]["population"]["name"])

    def mail(self) -> list[str]:
        """The subjects of what PingOne mailed them."""
        return [one["subject"] for one in self.sandbox.sql("SELECT * FROM sandbox_mail WHERE user_id = ?", self.id)]


@pytest.fixture
def mara(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    """A user in good standing."""
    username = new_name()
    body = {"username": username, "email": f"{username}@acme.test", "name": {"given": "Mara", "family": "Lind"}}
    created = administrator.post("users", json=body).raise_for_status().json()
    return Person(id=UUID(created["id"]), username=username, sandbox=sandbox, administrator=administrator)


def new_name() -> str:
    return f"t{uuid4().hex[:10]}"


# How a user has to be, so that the action makes sense


def as_created(person: Person) -> None:
    pass


def deactivated(person: Person) -> None:
    person.send("PUT", "/enabled", enabled=False)


def locked(person: Person) -> None:
    person.send("POST", "", f"{MEDIA_TYPE}.account.lock+json")


def with_password(person: Person) -> None:
    person.send("PUT", "/password", f"{MEDIA_TYPE}.password.set+json", value="Correct-Horse-1", forceChange=False)


def with_locked_password(person: Person) -> None:
    with_password(person)
    person.sandbox.sql("UPDATE sandbox_user SET password_status = 'PASSWORD_LOCKED_OUT' WHERE id = ?", person.id)


def with_mfa(person: Person) -> None:
    person.send("PUT", "/mfaEnabled", mfaEnabled=True)


def with_device(person: Person) -> None:
    person.sandbox.pair_device(person.id)


def signed_on(person: Person) -> None:
    person.sandbox.begin_session(person.id)


def signed_on_twice(person: Person) -> None:
    signed_on(person)
    signed_on(person)


def in_a_group(person: Person) -> None:
    person.send("POST", "/memberOfGroups", id=new_group(person.administrator, new_name()))


def new_group(administrator: httpx.Client, name: str) -> str:
    return str(administrator.post("groups", json={"name": name}).raise_for_status().json()["id"])


@dataclass(frozen=True, kw_only=True)
class Press:
    """One action as it is done on the user's page."""

    of: Callable[[Person], None] = as_created
    typed: Mapping[str, str] = field(default_factory=dict)  # by label
    happened: Callable[[Person], bool]  # at PingOne
    shown: tuple[str, str] | None = None  # afterwards, and in which part of the page; None: only the notice tells


PRESSES = {
    "user.activate": Press(
        of=deactivated, happened=lambda mara: mara.ask()["enabled"], shown=("Sign-in", "No lock on the account.")
    ),
    "user.deactivate": Press(
        happened=lambda mara: not mara.ask()["enabled"], shown=("Sign-in", "Deactivated. They cannot sign in")
    ),
    "user.unlock": Press(
        of=locked,
        happened=lambda mara: mara.ask()["account"]["status"] == "OK",
        shown=("Sign-in", "No lock on the account."),
    ),
    "user.lock": Press(
        typed={"Until": LATER},
        happened=lambda mara: mara.ask()["account"]["status"] == "LOCKED",
        shown=("Sign-in", "Locked."),
    ),
    "user.delete": Press(typed={"Username, to confirm": "{username}"}, happened=lambda mara: not mara.is_there()),
    "password.send-recovery-code": Press(
        of=with_password, happened=lambda mara: mara.mail() == ["Recover your password"]
    ),
    "password.force-change": Press(
        of=with_password,
        happened=lambda mara: mara.ask("/password")["status"] == "MUST_CHANGE_PASSWORD",
        shown=("Password", "The password must be changed at the next sign-on."),
    ),
    "password.unlock": Press(
        of=with_locked_password,
        happened=lambda mara: mara.ask("/password")["status"] == "OK",
        shown=("Password", "The password can be used."),
    ),
    "password.set-temporary": Press(
        happened=lambda mara: mara.ask("/password")["status"] == "MUST_CHANGE_PASSWORD",
        shown=("Password", "The password must be changed at the next sign-on."),
    ),
    "mfa.enable": Press(happened=lambda mara: mara.ask()["mfaEnabled"], shown=("Account", "Switch MFA off")),
    "mfa.disable": Press(
        of=with_mfa, happened=lambda mara: not mara.ask()["mfaEnabled"], shown=("Account", "Switch MFA on")
    ),
    "mfa.bypass": Press(
        of=with_mfa,
        typed={"Until": LATER},
        happened=lambda mara: mara.ask("/bypassMFA")["bypassMFAEnabled"],
        shown=("Sign-in", "MFA bypass is running"),
    ),
    "device.remove": Press(
        of=with_device, happened=lambda mara: not mara.listed("devices"), shown=("MFA devices", "No device paired.")
    ),
    "device.unlock": Press(
        of=with_device,
        happened=lambda mara: mara.listed("devices")[0].get("lock", {}).get("status") != "LOCKED",
        shown=("MFA devices", "Active"),
    ),
    "device.rename": Press(
        of=with_device,
        typed={"Nickname": "Work"},
        happened=lambda mara: mara.listed("devices")[0]["nickname"] == "Work",
        shown=("MFA devices", "“Work”"),
    ),
    "user.update": Press(
        typed={"Title": "Chief", "Town": "Lund"},
        happened=lambda mara: (mara.ask()["title"], mara.ask()["address"]) == ("Chief", {"locality": "Lund"}),
        shown=("Profile", "Chief"),
    ),
    "user.move": Press(
        typed={"Population": OTHER_POPULATION},
        happened=lambda mara: mara.population() == OTHER_POPULATION,
        shown=("Account", OTHER_POPULATION),
    ),
    "user.verify-email": Press(happened=lambda mara: mara.mail() == ["Verify your e-mail address"]),
    "group.remove": Press(
        of=in_a_group, happened=lambda mara: not mara.listed("memberOfGroups"), shown=("Groups", "In no group.")
    ),
    "session.end": Press(
        of=signed_on, happened=lambda mara: not mara.listed("sessions"), shown=("Sessions", "Not signed on anywhere.")
    ),
    "sessions.end-all": Press(
        of=signed_on_twice,
        happened=lambda mara: not mara.listed("sessions"),
        shown=("Sessions", "Not signed on anywhere."),
    ),
}
WITHOUT_JAVASCRIPT = (
    "user.update",
    "user.deactivate",
    "user.activate",
    "user.unlock",
    "password.send-recovery-code",
    "group.remove",
)
SECTION = {
    Place.ACCOUNT: "Account",
    Place.PROFILE: "Profile",
    Place.PASSWORD: "Password",
    Place.GROUP: "Groups",
    Place.DEVICE: "MFA devices",
    Place.SESSION: "Sessions",
    Place.SESSIONS: "Sessions",
}


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def press(page: Page, action: Action, typed: Mapping[str, str]) -> None:
    """The button; and where it leads to a form or a question, that as well."""
    section = part(page, SECTION[action.place])
    if action.is_immediate:
        section.get_by_role("button", name=action.label, exact=True).click()
        return
    section.get_by_role("link", name=action.label, exact=True).click()
    form = part(page, action.name)
    for label, value in typed.items():
        box = form.get_by_label(label, exact=True)
        if box.evaluate("box => box.matches('select')"):
            box.select_option(label=value)
        else:
            box.fill(value)
    form.get_by_role("button", name=action.submit or action.name, exact=True).click()


def drive(page: Page, action: Action, mara: Person, address: str) -> None:
    step = PRESSES[action.key]
    step.of(mara)
    page.goto(address)
    expect(page.locator(".user-panel-awaited")).to_have_count(0)  # what arrives moves what is below it

    press(page, action, {label: text.format(username=mara.username) for label, text in step.typed.items()})

    if action.secret_result:
        expect(part(page, action.done)).to_contain_text(f"{action.secret_result} of {NAME}")
    else:
        expect(page.locator("#notices")).to_contain_text(re.compile(f"{action.done}: ({NAME}|{mara.username})[.]"))
    assert step.happened(mara)
    assert [entry.action for entry in AuditEntry.objects.current()] == [action.key]


def see(page: Page, key: str) -> None:
    if shown := PRESSES[key].shown:
        name, text = shown
        expect(part(page, name)).to_contain_text(text)


@pytest.mark.parametrize("key", PRESSES)
def test_an_action_pressed_on_the_users_page_happens_and_is_seen_there(
    new_page: NewPage, operator: Operator, mara: Person, key: str
) -> None:
    page, action = new_page(operator), BY_KEY[key]

    drive(page, action, mara, mara.page)

    see(page, key)


@pytest.mark.parametrize("key", WITHOUT_JAVASCRIPT)
def test_an_action_of_the_eleven_happens_without_javascript(
    new_page: NewPage, operator: Operator, mara: Person, key: str
) -> None:
    page, action = new_page(operator, java_script_enabled=False), BY_KEY[key]

    drive(page, action, mara, f"{mara.page}?panels=all")

    page.goto(f"{mara.page}?panels=all")
    see(page, key)


@with_and_without_javascript
def test_a_user_is_created_from_the_list_and_shown(
    new_page: NewPage, operator: Operator, administrator: httpx.Client, java_script: bool
) -> None:
    page, username = new_page(operator, java_script_enabled=java_script), new_name()
    page.goto("/o/acme/users/")

    page.get_by_role("link", name="New user").click()
    for label, value in {"Username": username, "Given name": "Mara", "Family name": "Lind"}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name=BY_KEY["user.create"].label).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.locator("#notices")).to_contain_text(f"{BY_KEY['user.create'].done}: {NAME}.")
    created = administrator.get("users", params={"filter": f'username eq "{username}"'}).json()["_embedded"]["users"]
    assert [user["name"] for user in created] == [{"given": "Mara", "family": "Lind"}]


@with_and_without_javascript
def test_a_user_is_added_to_a_group_found_by_name(
    new_page: NewPage, operator: Operator, mara: Person, administrator: httpx.Client, java_script: bool
) -> None:
    page, name = new_page(operator, java_script_enabled=java_script), new_name()
    group = new_group(administrator, name)
    page.goto(f"{mara.page}?panels=all")

    part(page, "Groups").get_by_role("link", name=BY_KEY["group.add"].label).click()
    page.get_by_label("Group, by the beginning of its name").fill(name)
    if not java_script:
        page.get_by_role("button", name="Search").click()
    page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Add to the chosen groups").click()

    expect(page.locator("#notices")).to_contain_text(name)
    assert [membership["id"] for membership in mara.listed("memberOfGroups")] == [group]
    page.goto(f"{mara.page}?panels=all")
    expect(part(page, "Groups")).to_contain_text(name)


@with_and_without_javascript
def test_a_user_is_found_in_the_list_and_opened(
    new_page: NewPage, operator: Operator, mara: Person, java_script: bool
) -> None:
    page = new_page(operator, java_script_enabled=java_script)
    page.goto("/o/acme/users/")

    page.get_by_role("searchbox", name="Find a user").fill(mara.username)
    if not java_script:
        page.get_by_role("button", name="Search").click()
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.get_by_role("rowheader").get_by_role("link", name=NAME).click()

    expect(page).to_have_url(re.compile(f"{mara.page}$"))
    expect(part(page, "Profile")).to_contain_text(mara.ask()["email"])


@with_and_without_javascript
def test_an_endpoint_is_called(new_page: NewPage, operator: Operator, mara: Person, java_script: bool) -> None:
    page = new_page(operator, java_script_enabled=java_script)
    page.goto("/o/acme/call-api/")

    page.get_by_label("Path").fill(f"/users/{mara.id}")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Answer: 200")).to_be_visible()
    expect(page.get_by_label("Body of the answer")).to_contain_text(mara.username)

    page.get_by_label("Method").select_option("PUT")
    page.get_by_label("Path").fill(f"/users/{mara.id}/enabled")
    page.get_by_label("Body", exact=True).fill('{"enabled": false}')
    page.get_by_role("button", name="Send").click()
    page.get_by_label("Reason").fill("Left the company")
    assert mara.ask()["enabled"]
    page.get_by_role("button", name="Send PUT").click()
    expect(page.get_by_role("heading", name="Answer: 200")).to_be_visible()
    assert not mara.ask()["enabled"]


ON_PAGES_OF_THEIR_OWN = {
    "user.create": test_a_user_is_created_from_the_list_and_shown,
    "group.add": test_a_user_is_added_to_a_group_found_by_name,
}
NOT_IN_THE_CATALOGUE = {
    "get user": test_a_user_is_found_in_the_list_and_opened,
    "list users": test_a_user_is_found_in_the_list_and_opened,
    "call API": test_an_endpoint_is_called,
}


def test_no_action_goes_without_a_test_here() -> None:
    assert PRESSES.keys() | ON_PAGES_OF_THEIR_OWN.keys() == {action.key for action in ACTIONS}
    assert len({*WITHOUT_JAVASCRIPT, *ON_PAGES_OF_THEIR_OWN, *NOT_IN_THE_CATALOGUE}) == 11
