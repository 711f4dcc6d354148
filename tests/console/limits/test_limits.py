"""Limits in `perform`: parallel requests, double-submits, the email to org admins, and the lift by another one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.outcome import AlreadySubmitted
from console.limits.rules import LIMITS as ALL_LIMITS
from console.models import AuditEntry, LimitPolicy, Operator, Organization, ReachedLimit
from tests.support.answers import ADA, ada
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.performing import done, refused, run
from tests.support.record import happened

pytestmark = pytest.mark.database

LIMITS = "/o/acme/settings/policies/limits/"
SEND = f"/o/acme/users/{ADA}/actions/password.send-recovery-code/"
SET = f"/o/acme/users/{ADA}/actions/password.set-temporary/"
PASSWORD = "correct horse battery"  # of every operator of the tests


@pytest.fixture
def access(helpdesk: Operator) -> OrgAccess:
    return enter_org(helpdesk, "acme")


@pytest.fixture
def codes(pingone: respx.MockRouter) -> Any:
    """Let PingOne send any number of codes; return the route that does."""
    pingone.get(f"/users/{ADA}").respond(json=ada())
    return pingone.post(f"/users/{ADA}/password").respond(200, json={"status": "OK"})


@pytest.fixture
def few(acme: Organization) -> None:
    """Let Acme send one code to a user in an hour."""
    LimitPolicy.objects.create(organization=acme, limit="codes", most=1)


def send(access: OrgAccess, **circumstances: Any) -> Any:
    return run(access, "password.send-recovery-code", **circumstances)


def signed_in(operator: Operator) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": operator.email, "password": PASSWORD})
    return client


def chosen(**changes: int) -> dict[str, int]:
    return {limit.key: limit.most for limit in ALL_LIMITS} | changes


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_cannot_pass_a_limit(acme, helpdesk, access, codes):
    LimitPolicy.objects.create(organization=acme, limit="codes", most=2)

    def one(_number: int) -> str:
        try:
            return type(send(access)).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(one, range(8)))

    assert outcomes == ["Done"] * 2 + ["Refused"] * 6
    assert codes.call_count == 2


def test_past_a_limit_nothing_is_sent_and_it_is_on_record_with_words(access, codes, few, time_machine):
    time_machine.move_to("2026-11-27T12:00:00Z", tick=False)
    done(send(access))

    result = refused(send(access))

    said = "Codes sent to one user in an hour: at most 1. This is possible again on 2026-11-27 at 13:00 UTC"
    assert said in str(result.reason)
    assert codes.call_count == 1
    entry = AuditEntry.objects.get(outcome="refused")
    assert (entry.action, entry.subject_name) == ("password.send-recovery-code", "ada.berg")
    assert said in entry.note
    time_machine.move_to("2026-11-27T13:00:00Z", tick=False)
    done(send(access))


def test_double_submit_and_failures_do_not_count(access, pingone, few):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    wire = pingone.post(f"/users/{ADA}/password").mock(
        side_effect=[httpx.Response(400, json={"code": "INVALID_REQUEST"}), httpx.Response(200, json={})]
    )
    send(access)
    submission = uuid4()
    done(send(access, submission=submission))

    assert isinstance(send(access, submission=submission), AlreadySubmitted)
    assert wire.call_count == 2


def test_every_way_in_meets_the_limit(helpdesk, browser_of, access, codes, few):
    done(send(access))
    client = browser_of(helpdesk)

    page = client.post(SEND, {"submission": str(uuid4())}, follow=True)
    fragment = client.post(SEND, {"submission": str(uuid4())}, headers={"HX-Request": "true", "HX-Target": "action"})
    with pytest.raises(CommandError, match="in an hour: at most 1"):
        call_command("pingone", "acme", "password.send-recovery-code", "--user", str(ADA), "--as", helpdesk.email)

    assert "in an hour: at most 1." in page.text
    assert "in an hour: at most 1." in fragment.text
    assert codes.call_count == 1


def test_org_admins_get_one_email_an_hour(access, org_admin, auditor, codes, few, time_machine):
    time_machine.move_to("2026-11-27T12:00:00Z", tick=False)
    done(send(access))
    for minute in (1, 2, 40):
        time_machine.move_to(f"2026-11-27T12:{minute:02}:00Z", tick=False)
        refused(send(access))

    [email] = sent_emails()

    assert email.to == ["admin@acme.test"]
    assert "Codes sent to one user in an hour: at most 1." in email.body
    assert "agent@acme.test" in email.body
    assert "ada.berg" in email.body
    assert LIMITS in email.body


def test_email_leads_nowhere_that_a_username_says(access, org_admin, pingone, codes, few):
    """A user may choose their own username, also one that is an address."""
    pingone.get(f"/users/{ADA}").respond(json=ada(username="https://evil.test/reset"))
    done(send(access))
    refused(send(access))

    [email] = sent_emails()

    assert "evil.test" not in email.body
    assert str(ADA) in email.body


def test_another_org_admin_lifts_the_limit_and_counting_starts_anew(access, org_admin, browser_of, codes, few):
    done(send(access))
    refused(send(access))
    client = browser_of(org_admin)

    page = client.get(LIMITS).text
    assert "ada.berg" in page
    row = ReachedLimit.objects.get()
    client.post(f"{LIMITS}{row.pk}/lift/")

    done(send(access))
    refused(send(access))
    entry = AuditEntry.objects.get(action="limit.lifted")
    assert (entry.operator, entry.subject_id, entry.inputs["name"]) == (org_admin, "codes", "ada.berg")


def reach_as_admin(acme: Organization, admin: Operator, pingone: respx.MockRouter) -> None:
    """Let the admin reach the limit of temporary passwords."""
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "OK"})
    for _ in range(3):
        happened(acme, admin, action="password.set-temporary")
    refused(run(enter_org(admin, "acme"), "password.set-temporary"))


@pytest.mark.parametrize("way", ["lift", "raise"])
def test_limit_is_not_lifted_by_whoever_reached_it(acme, org_admin, pingone, way):
    other = make_operator("other@acme.test", acme, "org_admin")
    reach_as_admin(acme, org_admin, pingone)
    url = LIMITS if way == "raise" else f"{LIMITS}{ReachedLimit.objects.get().pk}/lift/"

    told = signed_in(org_admin).post(url, chosen(passwords=9), follow=True).text
    assert "Another org admin can lift it: other@acme.test." in told
    refused(run(enter_org(org_admin, "acme"), "password.set-temporary"))

    signed_in(other).post(url, chosen(passwords=9))
    assert not AuditEntry.objects.filter(action="password.set-temporary", operator=other).exists()
    assert LimitPolicy.objects.filter(most=9).exists() is (way == "raise")
    assert AuditEntry.objects.filter(action="limit.lifted", operator=other).exists() is (way == "lift")


@pytest.mark.parametrize("way", ["lift", "raise"])
def test_only_org_admin_lifts_a_limit_after_a_fresh_sign_in(acme, org_admin, pingone, time_machine, way):
    client = signed_in(org_admin)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    reach_as_admin(acme, org_admin, pingone)
    url = LIMITS if way == "raise" else f"{LIMITS}{ReachedLimit.objects.get().pk}/lift/"

    asked = client.post(url, chosen(passwords=9))
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not AuditEntry.objects.filter(action__startswith="limit.").exists()

    client.post(asked["Location"], {"password": PASSWORD})
    assert client.post(url, chosen(passwords=9)).status_code == 302
    assert AuditEntry.objects.filter(action__startswith="limit.").count() == 1


def test_changed_limit_is_on_record_and_counts_at_once(acme, org_admin, helpdesk, browser_of):
    happened(acme, helpdesk, action="password.send-recovery-code")

    browser_of(org_admin).post(LIMITS, chosen(codes=1))

    entry = AuditEntry.objects.get(action="limit.changed")
    assert (entry.subject_id, entry.before, entry.after) == ("codes", {"most": 5}, {"most": 1})
    with respx.mock(base_url="https://api.pingone.test") as router:
        router.get(path__regex=r".*").respond(json=ada())
        refused(send(enter_org(helpdesk, "acme")))


@pytest.mark.parametrize("typed", ["0", "-1", "", "x", "1000000"])
def test_limit_has_to_be_a_number(acme, org_admin, browser_of, typed):
    response = browser_of(org_admin).post(LIMITS, chosen() | {"codes": typed})

    assert response.status_code == 422
    assert not LimitPolicy.objects.exists()
