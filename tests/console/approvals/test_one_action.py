"""One action that needs the approval of a second person: asked for, approved, done once; by every way in."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.approvals.requests import clear
from console.models import ApprovalRequest, AuditEntry, Job, Operator, Organization
from tests.support.answers import ADA, ENGINEERS
from tests.support.approving import DEACTIVATE, approves, asks, demand, make_long_standing, sends, time_passes
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.small_environment import SmallEnvironment, browser, call_api, command

pytestmark = pytest.mark.django_db

WRITE = f"PUT /users/{ADA}/enabled"
State = ApprovalRequest.State


@pytest.fixture(autouse=True)
def people(acme: Organization, org_admin: Operator, helpdesk: Operator) -> tuple[Operator, Operator]:
    make_long_standing(org_admin, helpdesk)
    return org_admin, helpdesk


def test_form_says_what_would_meet_the_demand_and_keeps_what_was_typed(
    acme: Organization, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "user.deactivate")

    for htmx in (False, True):
        answer = sends(browser(helpdesk), reason="They have left", ticket="INC77", htmx=htmx)

        assert answer.status_code == 422
        page = answer.content.decode()
        assert "needs the approval of a second person" in page
        assert "Ask for approval" in page
        assert "They have left" in page
        assert "INC77" in page
    assert environment.writes == []


def test_approved_action_is_done_by_the_requester_once(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "user.deactivate")
    agent, admin = browser(helpdesk), browser(org_admin)

    asked = sends(agent, asks=True, reason="They have left", ticket="INC77")
    request = ApprovalRequest.objects.get()

    assert asked.headers["Location"] == f"/o/acme/approvals/{request.pk}/"
    assert environment.writes == []
    page = admin.get(asked.headers["Location"]).content.decode()
    assert f'href="/o/acme/users/{ADA}/"><bdi>ada.berg</bdi>' in page
    assert "agent@acme.test" in page
    assert "They have left" in page
    assert "INC77" in page
    assert "activated" in page
    assert "deactivated" in page
    admin.post(asked.headers["Location"], {"do": "approve"})
    own_page = agent.get(asked.headers["Location"]).content.decode()
    assert f'action="{DEACTIVATE}"' in own_page
    assert 'name="reason" value="They have left"' in own_page

    for _time in range(2):
        sends(agent, reason="They have left", ticket="INC77")

    assert environment.writes == [WRITE]
    request.refresh_from_db()
    assert request.state == State.USED
    assert request.entry
    done = AuditEntry.objects.current().get(entry=request.entry)
    assert (done.action, done.outcome, done.operator) == ("user.deactivate", "succeeded", helpdesk)
    recorded = AuditEntry.objects.filter(action__startswith="approval.").order_by("sequence")
    assert [(row.action, row.operator) for row in recorded] == [
        ("approval.asked", helpdesk),
        ("approval.given", org_admin),
    ]
    to = {(mail.to[0], mail.subject) for mail in sent_emails()}
    assert ("agent@acme.test", "Acme: your request was approved") in to


def test_those_who_may_approve_get_an_email(
    acme: Organization, org_admin: Operator, helpdesk: Operator, auditor: Operator, environment: SmallEnvironment
) -> None:
    make_long_standing(auditor)
    demand(acme, "user.deactivate")

    asks(helpdesk, reason="They have left")

    (mail,) = sent_emails()
    assert mail.to == ["admin@acme.test"]
    assert "Deactivate" in mail.body
    assert "ada.berg" in mail.body
    assert "They have left" in mail.body


def test_declined_with_a_reason_is_not_done(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "user.deactivate")
    request = asks(helpdesk)
    admin, page = browser(org_admin), f"/o/acme/approvals/{request.pk}/"

    assert "Enter a reason" in admin.post(page, {"do": "decline"}).content.decode()
    admin.post(page, {"do": "decline", "reason": "Not before Friday"})
    admin.post(page, {"do": "approve"})
    sends(browser(helpdesk))

    request.refresh_from_db()
    assert request.state == State.DECLINED
    assert environment.writes == []
    assert "Not before Friday" in sent_emails()[-1].body
    assert "Not before Friday" in browser(helpdesk).get(page).content.decode()


@pytest.mark.parametrize("when", ["open", "approved"])
def test_request_expires(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment, when: str
) -> None:
    demand(acme, "user.deactivate", hours=2)
    request = asks(helpdesk)
    admin, page = browser(org_admin), f"/o/acme/approvals/{request.pk}/"
    if when == "approved":
        admin.post(page, {"do": "approve"})
        time_passes(timedelta(minutes=15))
    else:
        time_passes(timedelta(hours=2))
        assert "not open any more" in admin.post(page, {"do": "approve"}).content.decode()

    sends(browser(helpdesk))

    assert environment.writes == []
    assert ("not used in time" if when == "approved" else "Expired") in admin.get(page).content.decode()


def test_requester_withdraws(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "user.deactivate")
    request = asks(helpdesk)
    page = f"/o/acme/approvals/{request.pk}/"

    browser(org_admin).post(page, {"do": "withdraw"})
    request.refresh_from_db()
    assert request.state == State.OPEN
    approves(org_admin, request)
    browser(helpdesk).post(page, {"do": "withdraw"})
    sends(browser(helpdesk))

    request.refresh_from_db()
    assert request.state == State.WITHDRAWN
    assert environment.writes == []


def test_same_request_twice_is_one(acme: Organization, helpdesk: Operator, environment: SmallEnvironment) -> None:
    demand(acme, "user.deactivate")

    assert asks(helpdesk) == asks(helpdesk)
    assert ApprovalRequest.objects.count() == 1


def test_asking_where_nothing_is_demanded_does_nothing(
    acme: Organization, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    sends(browser(helpdesk), asks=True)

    assert environment.writes == []
    assert not ApprovalRequest.objects.exists()


CREATE: dict[str, Any] = {
    "username": "new.person",
    "given_name": "New",
    "family_name": "Person",
    "email": "new@acme.test",
}
GROUPS = f"/o/acme/users/{ADA}/groups/"


def _page(operator: Operator, *, asking: bool) -> Any:
    return sends(browser(operator), asks=asking)


def _fragment(operator: Operator, *, asking: bool) -> Any:
    return sends(browser(operator), asks=asking, htmx=True)


def _groups(operator: Operator, *, asking: bool) -> Any:
    return sends(browser(operator), GROUPS, asks=asking, add="1", group_ids=[str(ENGINEERS)])


def _new_user(operator: Operator, *, asking: bool) -> Any:
    return sends(browser(operator), "/o/acme/users/new/", asks=asking, **CREATE)


def _undo(operator: Operator, *, asking: bool) -> Any:
    done = AuditEntry.objects.current().filter(action="user.deactivate", outcome="succeeded").get()
    return sends(browser(operator), f"/o/acme/audit/{done.entry}/undo/", asks=asking, ticket="", reason="")


def _command(operator: Operator, *, asking: bool) -> Any:
    return command(operator, "user.deactivate", "--user", str(ADA), *(["--ask-approval"] if asking else []))


def _call_api(operator: Operator, *, asking: bool) -> Any:
    more: Any = {"ask-approval": "1"} if asking else {}
    return call_api(browser(operator), "PUT", f"users/{ADA}/enabled", {"enabled": False}, **more)


WAYS = {
    "page": (_page, "user.deactivate", WRITE),
    "fragment": (_fragment, "user.deactivate", WRITE),
    "several groups": (_groups, "group.add", f"POST /users/{ADA}/memberOfGroups"),
    "new user": (_new_user, "user.create", "POST /users"),
    "undo": (_undo, "user.activate", WRITE),
    "command line": (_command, "user.deactivate", WRITE),
    "Call API": (_call_api, "user.deactivate", WRITE),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_in_goes_around_the_approval(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment, way: str
) -> None:
    go, key, write = WAYS[way]
    if way == "undo":
        sends(browser(org_admin))
        environment.requests.clear()
    requester, approver = (org_admin, helpdesk) if way != "Call API" else (org_admin, second_admin(acme))
    if way == "new user":
        requester, approver = org_admin, second_admin(acme)
    demand(acme, key)

    go(requester, asking=False)
    assert environment.writes == []
    go(requester, asking=True)
    assert environment.writes == []
    approves(approver, ApprovalRequest.objects.get())
    go(requester, asking=False)
    go(requester, asking=False)

    assert environment.writes == [write]
    assert ApprovalRequest.objects.get().state == State.USED


def second_admin(acme: Organization) -> Operator:
    other = make_operator("second@acme.test", acme, "org_admin")
    make_long_standing(other)
    return other


def test_secrets_are_not_kept_with_a_request(
    acme: Organization, org_admin: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "password.set-temporary")
    body = {"value": "Correct-Horse-1", "forceChange": True}
    path = f"users/{ADA}/password"
    media_type = "application/vnd.pingidentity.password.set+json"

    call_api(browser(org_admin), "PUT", path, body, media_type=media_type, **{"ask-approval": "1"})
    request = ApprovalRequest.objects.get()
    approves(second_admin(acme), request)

    kept = str(ApprovalRequest.objects.values().get())
    assert "Correct-Horse" not in kept
    call_api(browser(org_admin), "PUT", path, body | {"value": "Another-Horse-1"}, media_type=media_type)
    assert environment.writes == []
    call_api(browser(org_admin), "PUT", path, body, media_type=media_type)
    assert environment.writes == [f"PUT /users/{ADA}/password"]


def test_list_costs_the_same_for_one_request_and_for_many(
    acme: Organization,
    org_admin: Operator,
    helpdesk: Operator,
    environment: SmallEnvironment,
    django_assert_num_queries: Any,
) -> None:
    demand(acme, "user.deactivate", "user.unlock", "user.lock")
    admin = browser(org_admin)
    asks(helpdesk)
    with CaptureQueriesContext(connection) as one:
        admin.get("/o/acme/approvals/")
    cost = len(one)
    for reason in ("one", "two"):
        environment.users[ADA]["email"] = f"{reason}@acme.test"  # another effect each time
        asks(helpdesk)

    with django_assert_num_queries(cost):
        page = admin.get("/o/acme/approvals/").content.decode()
    assert page.count("Waits for you") == 3


def test_old_requests_are_deleted_but_for_those_of_jobs_and_runs_that_are_there(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "user.deactivate")
    gone = asks(helpdesk)
    job = Job.objects.create(organization=acme, starter=org_admin, action="user.unlock", key_kind="id", source="file")
    kept = ApprovalRequest.objects.create(
        organization=acme,
        kind="job",
        requester=org_admin,
        name="Unlock",
        about=job.pk,
        needs=[],
        digest="",
        expires_at=timezone.now(),
    )
    time_passes(timedelta(days=31))

    clear(timezone.now())
    assert list(ApprovalRequest.objects.all()) == [kept]
    job.delete()
    clear(timezone.now())

    assert not ApprovalRequest.objects.filter(pk__in=[gone.pk, kept.pk]).exists()
