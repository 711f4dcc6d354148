"""Every action of the catalogue on a page: the user's state before, the input, and the result on the page.

Each action has its own user at the sandbox, and the result is checked there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.utils import timezone

from console.actions.catalogue import Place
from console.models import Operator, Organization
from pingone_integration.models import Connection
from tests.support.people import make_operator, without_groups
from tests.support.sandbox_connection import connect, enter
from tests.support.sandbox_server import Sandbox

MEDIA_TYPE = "application/vnd.pingidentity"
LATER = f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"  # not today in any time zone
NAME = "Mara Lind"
OTHER_POPULATION = "Partners"


def org_admin_at(sandbox: Sandbox) -> Operator:
    """Create an org admin of an organization (acme) that is connected to the sandbox."""
    connection = connect(enter(sandbox), sandbox)
    Connection.objects.filter(pk=connection.pk).update(
        managed_environment_id=UUID(sandbox.details["managed_environment_id"])
    )
    organization = without_groups(Organization.objects.create(slug="acme", name="Acme", connection=connection))
    return make_operator("admin@acme.test", organization, "org_admin")


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the sandbox for one test only."""

    id: UUID
    username: str
    sandbox: Sandbox
    administrator: httpx.Client

    @property
    def page(self) -> str:
        return f"/o/acme/users/{self.id}/"

    def ask(self, path: str = "") -> Any:
        """Return PingOne's answer about the user."""
        return self.administrator.get(f"users/{self.id}{path}").raise_for_status().json()

    def send(self, method: str, path: str, media_type: str = "application/json", **body: Any) -> None:
        """Change the user at PingOne, without the console."""
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
        """Return the subjects of PingOne's emails to the user."""
        return [one["subject"] for one in self.sandbox.sql("SELECT * FROM sandbox_mail WHERE user_id = ?", self.id)]


def new_person(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    """Create a user who can sign in."""
    username = new_name()
    body = {"username": username, "email": f"{username}@acme.test", "name": {"given": "Mara", "family": "Lind"}}
    created = administrator.post("users", json=body).raise_for_status().json()
    return Person(id=UUID(created["id"]), username=username, sandbox=sandbox, administrator=administrator)


def new_name() -> str:
    return f"t{uuid4().hex[:10]}"


# States that a user needs before an action


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


def bypassed(person: Person) -> None:
    until = f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M:%S}.000Z"
    person.send("PUT", "/bypassMFA", bypassMFAEnabledUntil=until)


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
    """One action on the user's page."""

    of: Callable[[Person], None] = as_created
    typed: Mapping[str, str] = field(default_factory=dict)  # by label
    happened: Callable[[Person], bool]  # checked at PingOne
    shown: tuple[str, str] | None = None  # section and its text afterwards; None if only the notice shows the result

    def typed_for(self, person: Person) -> dict[str, str]:
        """Return the input by label, for this user."""
        return {_named(label, person): _named(text, person) for label, text in self.typed.items()}


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
    "user.delete": Press(typed={"Type {username} to confirm": "{username}"}, happened=lambda mara: not mara.is_there()),
    "password.send-recovery-code": Press(
        of=with_password, happened=lambda mara: mara.mail() == ["Recover your password"]
    ),
    "password.force-change": Press(
        of=with_password,
        happened=lambda mara: mara.ask("/password")["status"] == "MUST_CHANGE_PASSWORD",
        shown=("Password", "They have to choose a new password when they sign in."),
    ),
    "password.unlock": Press(
        of=with_locked_password,
        happened=lambda mara: mara.ask("/password")["status"] == "OK",
        shown=("Password", "The password works."),
    ),
    "password.set-temporary": Press(
        happened=lambda mara: mara.ask("/password")["status"] == "MUST_CHANGE_PASSWORD",
        shown=("Password", "They have to choose a new password when they sign in."),
    ),
    "password.replace": Press(
        of=with_password,
        happened=lambda mara: mara.ask("/password")["status"] == "MUST_CHANGE_PASSWORD",
        shown=("Password", "They have to choose a new password when they sign in."),
    ),
    "mfa.enable": Press(happened=lambda mara: mara.ask()["mfaEnabled"], shown=("Account", "Switch MFA off")),
    "mfa.disable": Press(
        of=with_mfa, happened=lambda mara: not mara.ask()["mfaEnabled"], shown=("Account", "Switch MFA on")
    ),
    "mfa.bypass": Press(
        of=with_mfa,
        typed={"Until": LATER},
        happened=lambda mara: mara.ask("/bypassMFA")["bypassMFAEnabled"],
    ),
    "mfa.end-bypass": Press(
        of=bypassed,
        happened=lambda mara: "bypassMFAEnabledUntil" not in mara.ask("/bypassMFA"),
        shown=("MFA devices", "No MFA devices."),
    ),
    "device.remove": Press(
        of=with_device, happened=lambda mara: not mara.listed("devices"), shown=("MFA devices", "No MFA devices.")
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
        typed={"Title": "Chief", "City": "Lund"},
        happened=lambda mara: (mara.ask().get("title"), mara.ask().get("address")) == ("Chief", {"locality": "Lund"}),
        shown=("Profile", "Chief"),
    ),
    "user.move": Press(
        typed={"Population": OTHER_POPULATION},
        happened=lambda mara: mara.population() == OTHER_POPULATION,
        shown=("Account", OTHER_POPULATION),
    ),
    "user.verify-email": Press(happened=lambda mara: mara.mail() == ["Verify your email address"]),
    "group.remove": Press(
        of=in_a_group, happened=lambda mara: not mara.listed("memberOfGroups"), shown=("Groups", "Not in any groups.")
    ),
    "session.end": Press(
        of=signed_on,
        happened=lambda mara: not mara.listed("sessions"),
        shown=("Sessions", "PingOne shows no sessions."),
    ),
    "sessions.end-all": Press(
        of=signed_on_twice,
        happened=lambda mara: not mara.listed("sessions"),
        shown=("Sessions", "PingOne shows no sessions."),
    ),
}
SECTION = {
    Place.SIGN_IN: "Sign-in",
    Place.ACCOUNT: "Account",
    Place.PROFILE: "Profile",
    Place.PASSWORD: "Password",
    Place.GROUP: "Groups",
    Place.MFA: "MFA devices",
    Place.DEVICE: "MFA devices",
    Place.SESSION: "Sessions",
    Place.SESSIONS: "Sessions",
}


def notice_of(key: str, person: Person) -> str:
    """Return the notice after the action, as a regular expression."""
    return _named(_TOLD[key], person)


def notice_of_undo(key: str) -> str:
    return _UNDONE[key]


def _named(text: str, person: Person) -> str:
    return text.replace("{username}", person.username)


_TOLD = {  # by action; none if the page shows a secret instead
    "user.activate": "Activated Mara Lind[.]",
    "user.deactivate": "Deactivated Mara Lind[.]",
    "user.unlock": "Unlocked Mara Lind's account[.]",
    "user.lock": "Locked Mara Lind's account[.]",
    "user.delete": "Deleted {username}[.]",
    "password.send-recovery-code": "Sent a recovery code to Mara Lind[.]",
    "password.force-change": "Forced a password change for Mara Lind[.]",
    "password.unlock": "Unlocked Mara Lind's password[.]",
    "password.replace": "Replaced Mara Lind's password with one that nobody knows[.]",
    "mfa.enable": "Switched MFA on for Mara Lind[.]",
    "mfa.disable": "Switched MFA off for Mara Lind[.]",
    "mfa.bypass": "Set an MFA bypass for Mara Lind[.]",
    "mfa.end-bypass": "Ended the MFA bypass of Mara Lind[.]",
    "device.remove": "Removed the device E-?mail from Mara Lind[.]",
    "device.unlock": "Unlocked Mara Lind's device E-?mail[.]",
    "device.rename": "Renamed Mara Lind's device E-?mail to Work[.]",
    "user.update": "Saved Mara Lind's profile[.]",
    "user.move": "Moved Mara Lind to Partners[.]",
    "user.verify-email": "Sent a verification email to Mara Lind[.]",
    "group.remove": "Removed Mara Lind from t[0-9a-f]{10}[.]",
    "session.end": "Signed Mara Lind out of the session [-0-9a-f]+[.]",
    "sessions.end-all": "Signed Mara Lind out of 2 sessions[.]",
}
_UNDONE = {
    "user.activate": "Deactivated Mara Lind[.]",
    "user.deactivate": "Activated Mara Lind[.]",
    "user.update": "Saved Mara Lind's profile[.]",
    "user.move": "Moved Mara Lind to [A-Z]",
    "group.remove": "Added Mara Lind to t[0-9a-f]{10}[.]",
}
