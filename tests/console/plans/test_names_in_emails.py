"""What people call themselves, in the emails of plans: PingOne lets users edit their own names."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import AuditEntry, OutgoingEmail
from console.plans.definition import read
from console.plans.runs import NotPossibleNow
from tests.support.approving import demand, make_long_standing
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.plan_people import PERSON, start, worked

pytestmark = pytest.mark.django_db

EVIL = "Kim\n\nYour manager's password expires: https://evil.test/sign-in"


def plan_that_mails(**more):
    step = {"mail": "it@acme.test", "subject": "{title} {given} {family} {name} {username}", "text": "{name}\n{title}."}
    return read({"id": "bye", "name": "Bye", "kind": "change", "steps": [step | more]})


def test_name_writes_no_link_and_no_line_into_the_email_of_a_step(acme, org_admin, environment):
    environment.kim.update({"name": {"given": EVIL, "family": "Lund"}, "title": EVIL})

    worked(start(org_admin, plan_that_mails()))

    (sent,) = sent_emails()
    assert sent.subject.split() == ["kim.lund", "Lund", "kim.lund", "kim.lund"]
    assert sent.body.split() == ["kim.lund", "."]
    assert "evil" not in AuditEntry.objects.get(action="plan.emailed").inputs["subject"]


def test_lines_in_a_name_become_one(acme, org_admin, environment):
    environment.kim.update({"name": {"given": "Kim\n\nDear boss", "family": "Lund"}})

    worked(start(org_admin, plan_that_mails()))

    assert "Kim Dear boss Lund\n" in sent_emails()[0].body


def test_person_with_nothing_but_links_is_told_by_their_id(acme, org_admin, environment):
    environment.kim.update({"name": {"given": EVIL}, "username": "https://evil.test/"})

    worked(start(org_admin, plan_that_mails()))

    assert str(PERSON) in sent_emails()[0].body
    assert "evil" not in sent_emails()[0].body


def test_run_that_asks_tells_no_link(acme, org_admin, environment):
    environment.kim.update({"username": "https://evil.test/reset"})
    environment.status = {f"PUT /users/{PERSON}/enabled": 403}

    run = worked(start(org_admin))

    assert run.state == "stopped"
    told = "".join(f"{one.subject} {one.body}" for one in sent_emails())
    assert "evil" not in told
    assert str(PERSON) in told


def test_request_for_an_approval_tells_no_link(acme, org_admin, environment):
    other = make_operator("other@acme.test", acme, "org_admin")
    make_long_standing(org_admin, other)
    demand(acme, plans=frozenset({"offboard"}))
    environment.kim.update({"username": "https://evil.test/reset"})

    with pytest.raises(NotPossibleNow):
        start(org_admin, asked={"asks_approval": True})
    OutgoingEmail.objects.update(due_at=timezone.now() - timedelta(seconds=1))  # the database's clock is coarser

    (sent,) = sent_emails()
    assert sent.to == ["other@acme.test"]
    assert "evil" not in f"{sent.subject} {sent.body}"
    assert str(PERSON) in sent.body
