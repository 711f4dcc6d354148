"""The troubleshooting page tells org admins when no worker runs, or when work waits for long."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from console.models import Operator, OutgoingEmail
from console.outbox import emails
from console.work.presence import appear

PAGE = "/o/acme/troubleshooting/"


@pytest.fixture
def waiting_email(db: None) -> OutgoingEmail:
    email = emails.write(to="m@acme.test", subject="", body="", about="", worth_for=timedelta(days=1), may_repeat=True)
    OutgoingEmail.objects.update(wanted_at=timezone.now() - timedelta(minutes=12))
    email.refresh_from_db()
    return email


def about_the_worker(page: str) -> str:
    found = re.search(r'<div class="alert alert-warning" id="worker">.*?</time>', page, re.DOTALL)
    return found[0] if found else ""


def test_worker_that_does_not_run_is_told_with_the_age_of_the_oldest_work(
    browser_of: Callable[[Operator], Client], org_admin: Operator, waiting_email: OutgoingEmail
) -> None:
    told = about_the_worker(browser_of(org_admin).get(PAGE).text)

    assert "No worker is running on this server." in told
    assert "<code>manage.py worker</code>" in told
    assert f"{waiting_email.wanted_at:%Y-%m-%dT%H:%M:%SZ}" in told


def test_running_worker_is_mentioned_only_if_work_is_late(
    browser_of: Callable[[Operator], Client], org_admin: Operator, waiting_email: OutgoingEmail
) -> None:
    appear(uuid4())
    assert "Emails are late." in about_the_worker(browser_of(org_admin).get(PAGE).text)

    OutgoingEmail.objects.update(wanted_at=timezone.now())
    assert 'id="worker"' not in browser_of(org_admin).get(PAGE).text


def test_agents_are_not_told(browser_of: Callable[[Operator], Client], helpdesk: Operator) -> None:
    assert 'id="worker"' not in browser_of(helpdesk).get(PAGE).text
