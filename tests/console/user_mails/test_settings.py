"""Settings > Policies > Emails to users."""

import pytest
from django.utils import timezone

from console.audit.wording import changes_of
from console.models import AuditEntry, UserMailSettings
from console.policies.user_mail_settings import CHOSEN

PATH = "/o/acme/settings/policies/user-mails/"
ALL = {event.key: "on" for event in CHOSEN}

pytestmark = pytest.mark.django_db


def test_everything_is_told_until_an_org_admin_clears_it(acme, org_admin, browser_of):
    client = browser_of(org_admin)
    assert client.get(PATH).content.decode().count(" checked") == len(CHOSEN)

    client.post(PATH, {**ALL, "lock_days": "30"})
    assert not UserMailSettings.objects.exists()

    without = {key: value for key, value in ALL.items() if key != "mfa-changed"}
    client.post(PATH, {**without, "lock_days": "7"})

    settings = UserMailSettings.objects.get()
    assert (settings.organization, settings.untold, settings.lock_days) == (acme, ["mfa-changed"], 7)
    entry = AuditEntry.objects.get()
    assert entry.action == "organization.settings-changed"
    assert (entry.before, entry.after) == (
        {"mfa-changed": True, "lock_days": 30},
        {"mfa-changed": False, "lock_days": 7},
    )
    assert entry.at <= timezone.now()
    assert "MFA switched or bypassed: yes → no" in changes_of(entry)


@pytest.mark.parametrize("days", ["0", "366", "-1", "", "x", "1e9"])
def test_account_is_locked_for_a_day_to_a_year(acme, org_admin, browser_of, days):
    assert browser_of(org_admin).post(PATH, {**ALL, "lock_days": days}).status_code == 422
    assert not UserMailSettings.objects.exists()
