"""Stories of attacks on limits and the record. Each is told twice: it fails, and without its guard it succeeds."""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from console.access import enter_org
from console.audit import chain, entries, repeated, visible
from console.limits import count, policy, reached, reading, rules
from console.limits.rules import LIMITS as ALL_LIMITS
from console.models import AuditEntry, LimitPolicy, Operator, Organization, ReachedLimit, TicketPolicy
from console.operators import account_events, on_record, sign_ins
from console.perform import guards
from console.views import undo
from tests.support.answers import ADA, ada
from tests.support.everything import everything, unchanging
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.performing import on_record as recorded
from tests.support.performing import run
from tests.support.record import happened

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"  # of every operator of the tests
LIMITS = "/o/acme/settings/policies/limits/"


@dataclass
class Acme:
    """The organization under attack, and its people."""

    org: Organization
    agent: Operator
    admin: Operator
    lines: Callable[[], list[str]]
    file: Any


@pytest.fixture
def desk(acme, helpdesk, org_admin, audit_lines, tmp_path):
    cache.clear()
    reading._noted.clear()
    person = everything() | {f"/users/{ADA}": ada()}
    with unchanging(person):
        yield Acme(acme, helpdesk, org_admin, audit_lines, tmp_path / "lines.jsonl")


@pytest.fixture
def audit_lines():
    """Return a function that returns the lines of the process log so far."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("console.audit").addHandler(handler)
    yield lambda: lines
    logging.getLogger("console.audit").removeHandler(handler)


def browser(operator: Operator) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def press(client: Client, action: str, **inputs: str) -> Any:
    return client.post(f"/o/acme/users/{ADA}/actions/{action}/", {"submission": str(uuid4()), **inputs})


def refusals(desk: Acme) -> int:
    return AuditEntry.objects.filter(outcome="refused", note__contains="at most").count()


# The stories. Each returns whether the attack succeeds.


def collects_passwords(desk: Acme) -> bool:
    """Who talked an agent into it gets a new temporary password of one user again and again."""
    for _ in range(4):
        press(browser(desk.agent), "password.set-temporary")
    return refusals(desk) == 0


def floods_a_mailbox(desk: Acme) -> bool:
    """An agent's stolen session sends one user codes without end, by page and by command."""
    for _ in range(5):
        press(browser(desk.agent), "password.send-recovery-code")
    call = ("pingone", "acme", "password.send-recovery-code", "--user", str(ADA), "--as", desk.agent.email)
    try:
        call_command(*call, stdout=io.StringIO())
    except CommandError:
        return False
    return True


def removes_everybody(desk: Acme) -> bool:
    """An org admin's stolen session deletes one user after the other."""
    for _ in range(10):
        happened(desk.org, desk.admin, action="user.delete", user_id=uuid4())
    press(browser(desk.admin), "user.delete", username="ada.berg")
    return refusals(desk) == 0


def removes_everybody_by_call_api(desk: Acme) -> bool:
    """The same with Call API, which asks no question about the user."""
    for _ in range(10):
        happened(desk.org, desk.admin, action="user.delete", user_id=uuid4())
    asked = {"method": "DELETE", "path": f"/users/{ADA}", "media_type": "application/json", "reason": "Leaver"}
    browser(desk.admin).post("/o/acme/call-api/", asked | {"submission": str(uuid4())})
    return refusals(desk) == 0


def deactivates_all(desk: Acme) -> bool:
    """A stolen session deactivates thirty people, and goes on."""
    for _ in range(30):
        happened(desk.org, desk.agent, user_id=uuid4())
    press(browser(desk.agent), "user.deactivate")
    return refusals(desk) == 0


def reach_as_admin(desk: Acme) -> ReachedLimit:
    make_operator("other@acme.test", desk.org, "org_admin")
    LimitPolicy.objects.create(organization=desk.org, limit="codes", most=1)
    for _ in range(2):
        run(enter_org(desk.admin, "acme"), "password.send-recovery-code")
    return ReachedLimit.objects.get()


def lifts_their_own_limit(desk: Acme) -> bool:
    """Who reached a limit lifts it, although there is another org admin."""
    row = reach_as_admin(desk)
    browser(desk.admin).post(f"{LIMITS}{row.pk}/lift/")
    return AuditEntry.objects.filter(action="limit.lifted").exists()


def raises_their_own_limit(desk: Acme) -> bool:
    """Who reached a limit raises it on the page of limits instead."""
    reach_as_admin(desk)
    chosen = {limit.key: limit.most for limit in ALL_LIMITS} | {"codes": 99}
    browser(desk.admin).post(LIMITS, chosen)
    return LimitPolicy.objects.filter(limit="codes", most=99).exists()


def looks_through_the_directory(desk: Acme) -> bool:
    """An agent looks at person after person, and nobody hears of it."""
    LimitPolicy.objects.create(organization=desk.org, limit="people", most=3)
    for user_id in [uuid4() for _ in range(3)]:
        reading._note(desk.org.pk, desk.agent.pk, user_id)
    browser(desk.agent).get(f"/o/acme/users/{ADA}/")
    return not sent_emails()


def tries_every_door(desk: Acme) -> bool:
    """An agent tries what they may not do, and leaves no trace."""
    browser(desk.agent).post(f"/o/acme/users/{ADA}/protection/", {"reason": "Mine"})
    return not AuditEntry.objects.filter(action="access.refused").exists()


def drowns_the_record(desk: Acme) -> bool:
    """A script repeats a refused request, until nobody finds anything in the log."""
    client = browser(desk.agent)
    for _ in range(9):
        client.get("/o/acme/settings/members/")
    return AuditEntry.objects.filter(action="access.refused").count() > 2


def guesses_a_password(desk: Acme) -> bool:
    """Somebody guesses an operator's password. Tries past the throttle leave no trace."""
    for _ in range(12):
        Client().post("/accounts/login/", {"login": desk.agent.email, "password": "wrong"})
    return not AuditEntry.objects.filter(action="operator.sign-in-throttled").exists()


def takes_an_account(desk: Acme) -> bool:
    """Who has a stolen session and the password chooses another one, and nobody can see when."""
    typed = {"oldpassword": PASSWORD, "password1": "another fine battery", "password2": "another fine battery"}
    browser(desk.agent).post("/accounts/password/change/", typed)
    return not AuditEntry.objects.filter(action="operator.password-changed").exists()


def comes_back(desk: Acme) -> bool:
    """Somebody who was removed from the organization still signs in, in no chain at all."""
    former = make_operator("former@acme.test")
    Client().post("/accounts/login/", {"login": former.email, "password": PASSWORD})
    return not AuditEntry.objects.filter(operator=former).exists()


def studies_the_admins(desk: Acme) -> bool:
    """An agent reads in the log when and from where org admins sign in."""
    Client().post("/accounts/login/", {"login": desk.admin.email, "password": PASSWORD}, REMOTE_ADDR="203.0.113.7")
    entry = AuditEntry.objects.get(action="operator.signed-in")
    client = browser(desk.agent)
    listed = str(entry.entry) in client.get("/o/acme/audit/?operator=admin@acme.test").text
    return listed or "203.0.113.7" in client.get(f"/o/acme/audit/{entry.entry}/").text


def undoes_on_an_old_ticket(desk: Acme) -> bool:
    """An agent reverses a colleague's action, on the ticket that the colleague had."""
    TicketPolicy.objects.create(organization=desk.org, action="user.deactivate", requirement="required")
    state = {"before": {"enabled": False}, "after": {"enabled": True}}
    entry = recorded(enter_org(desk.admin, "acme"), "user.activate", "succeeded", ticket="INC1", **state)
    browser(desk.agent).post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
    return AuditEntry.objects.filter(undoes=entry.entry, outcome="started").exists()


def cuts_the_log(desk: Acme) -> bool:
    """Who can write to the database removes the end of the log, with a head that fits."""
    for _ in range(2):
        happened(desk.org, desk.agent)
    desk.file.write_text("\n".join(desk.lines()))
    last = AuditEntry.objects.get(sequence=2)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM console_auditentry WHERE sequence > 2")
        cursor.execute("UPDATE console_audithead SET sequence = 2, hash = %s", [last.hash])
    return not _is_seen(desk)


def rewrites_the_log(desk: Acme) -> bool:
    """Who can write to the database gives the last entry another operator, and computes its hash and the head anew."""
    row = happened(desk.org, desk.agent)
    desk.file.write_text("\n".join(desk.lines()))
    row.operator_email = "mallory@acme.test"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE console_auditentry SET operator_email = %s, hash = %s WHERE sequence = 2",
            [row.operator_email, chain.digest(row)],
        )
        cursor.execute("UPDATE console_audithead SET hash = %s", [chain.digest(row)])
    return not _is_seen(desk)


def _is_seen(desk: Acme) -> bool:
    against = ["--against", str(desk.file)] if desk.file.exists() else []
    try:
        call_command("verify_audit", "acme", *against, stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError:
        return True
    return False


# The guards of the stories, taken out.


def nothing(*args: Any, **more: Any) -> None:
    return None


def no_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(count, "check", nothing)


def no_look_at_requests(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "_kinds_of_request", lambda *_: frozenset())


def no_lifter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reached, "require_lifter", nothing)
    patch.setattr(policy, "require_lifter", nothing)
    patch.setattr(policy, "require_fresh", nothing)


def no_alarm(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("console.middleware.looked_at", nothing)


def no_refusal_on_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("console.middleware.permission_refused", nothing)


def _as_entry(*args: Any, door: str, **more: Any) -> None:
    entries.record(*args, **more)


def no_number(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(repeated, "record", _as_entry)


def no_throttled_on_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sign_ins, "throttled", nothing)
    patch.setattr("console.middleware.throttled", nothing)


def no_account_on_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(account_events, "record", nothing)


def no_chain_of_the_server(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(on_record, "chains_of", lambda operator: list(operator.organizations.all()))


def everything_visible(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(visible, "sees_all", lambda _: True)


def no_ticket(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(undo, "_strictest", lambda access, *_: TicketPolicy(organization=access.org))
    patch.setattr(guards, "BEFORE_READING", ())


def no_lines(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("console.management.commands.verify_audit.Command._compare", lambda *_: [])


STORIES = [
    (collects_passwords, no_count),
    (floods_a_mailbox, no_count),
    (removes_everybody, no_count),
    (removes_everybody_by_call_api, no_look_at_requests),
    (deactivates_all, no_count),
    (lifts_their_own_limit, no_lifter),
    (raises_their_own_limit, no_lifter),
    (looks_through_the_directory, no_alarm),
    (tries_every_door, no_refusal_on_record),
    (drowns_the_record, no_number),
    (guesses_a_password, no_throttled_on_record),
    (takes_an_account, no_account_on_record),
    (comes_back, no_chain_of_the_server),
    (studies_the_admins, everything_visible),
    (undoes_on_an_old_ticket, no_ticket),
    (cuts_the_log, no_lines),
    (rewrites_the_log, no_lines),
]


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "unguarded"])
@pytest.mark.parametrize(("story", "without"), STORIES, ids=lambda one: one.__name__)
def test_story_succeeds_only_without_its_guard(desk, monkeypatch, story, without, is_guarded):
    if not is_guarded:
        without(monkeypatch)

    assert story(desk) is not is_guarded
