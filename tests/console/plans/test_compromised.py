"""Compromised account: nothing that an attacker holds works afterwards, and a last read says so."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.models import AuditEntry, Operator, PlanRun
from pingone_integration.values import pingone_time
from tests.support.plan_people import KEY, PERSON, PHONE, PlanPeople, start, states, worked
from tests.support.small_environment import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

START = f"/o/acme/users/{PERSON}/plans/compromised/"


@pytest.fixture(autouse=True)
def phone_is_old(environment: PlanPeople) -> None:
    old = pingone_time(timezone.now() - timedelta(days=90))
    environment.devices[0]["createdAt"] = old


def test_attacker_keeps_nothing_and_the_old_device_stays(org_admin: Operator, environment: PlanPeople) -> None:
    run = worked(start(org_admin, "compromised"))

    assert (run.state, states(run)) == ("finished", ["done"] * 4)
    assert environment.kim["enabled"] is False
    assert environment.sessions == []
    assert [one["id"] for one in environment.devices] == [str(PHONE)]
    assert environment.password_state["status"] == "MUST_CHANGE_PASSWORD"
    entry = AuditEntry.objects.current().get(action="password.replace")
    assert (entry.outcome, entry.channel) == ("succeeded", "plan")


def test_preview_says_why_a_forced_change_is_not_enough(org_admin: Operator, environment: PlanPeople) -> None:
    text = browser(org_admin).get(START).content.decode()

    assert "Remove MFA devices added in the last 30 days" in text
    assert "After a forced change alone, the old password would stay valid until they have changed it." in text
    assert "Access tokens that apps already have stay valid until they expire." in text
    assert environment.writes == []


def test_password_of_another_identity_provider_is_left_alone(org_admin: Operator, environment: PlanPeople) -> None:
    environment.kim["identityProvider"] = {"type": "SAML", "id": str(KEY)}

    run = worked(start(org_admin, "compromised"))

    assert (run.state, states(run)[-1]) == ("finished", "left out")
    assert not any(one.endswith("/password") for one in environment.writes)


def test_device_that_comes_back_is_removed_again_and_then_said(org_admin: Operator, environment: PlanPeople) -> None:
    """An attacker with a sign-in that lives on adds a device whenever one is removed."""

    def adds(request: Any) -> None:
        if request.method == "DELETE" and "/devices/" in request.url.path:
            environment.devices.append({"id": str(KEY), "type": "TOTP", "status": "ACTIVE", "nickname": "Mallory"})

    environment.after = adds

    run = worked(start(org_admin, "compromised"))

    assert (run.state, run.stop) == ("stopped", PlanRun.Stop.NOT_FINISHED)
    assert "Mallory" in run.stop_detail
