"""What agents see of the audit log: what happened to users, and their own account; org admins and auditors see all."""

import pytest

from console.access import Permission, enter_org
from console.audit import entries
from console.audit.entries import EVENTS, Subject
from console.audit.visible import visible
from console.models import AuditEntry
from tests.support.answers import ADA, ada, answer_panels
from tests.support.record import happened

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LOG = "/o/acme/audit/"


@pytest.fixture
def log(acme, globex, helpdesk, org_admin, stranger) -> dict[str, AuditEntry]:
    """Record one entry of each sort, by name."""

    def event(name, operator, kind, organization=acme, about=None):
        subject = Subject(kind=kind, id=about or operator.pk, name=f"about {name}")
        return entries.record(organization, name, subject=subject, operator=operator, source_address="203.0.113.77")

    of = AuditEntry.Subject
    by_admin, by_agent = {"operator": org_admin}, {"operator": helpdesk}
    return {
        "user, by the agent": happened(acme, **by_agent, source_address="203.0.113.77"),
        "user, by another": happened(acme, **by_admin, action="user.unlock", source_address="203.0.113.77"),
        "own sign-in": event("operator.signed-in", helpdesk, of.OPERATOR),
        "own password": event("operator.password-changed", helpdesk, of.OPERATOR),
        "sign-in of another": event("operator.signed-in", org_admin, of.OPERATOR),
        "factor of another": event("operator.factor-added", org_admin, of.OPERATOR),
        "own refusal": event("access.refused", helpdesk, of.OPERATOR),
        "alarm about the agent": event("limit.alarm", helpdesk, of.OPERATOR),
        "limit": event("limit.changed", org_admin, of.POLICY),
        "policy": event("policy.changed", org_admin, of.POLICY),
        "member": event("membership.added", org_admin, of.MEMBERSHIP, about=helpdesk.pk),
        "connection": event("connection.connected", org_admin, of.CONNECTION),
        "export": event("audit.exported", org_admin, of.LOG),
        "group": event("group.members-exported", org_admin, of.GROUP),
        "protected": event("user.protected-page-read", org_admin, of.USER, about=ADA),
        "request": event("audit.exported", org_admin, of.API),
        "another organization": event("operator.signed-in", stranger, of.OPERATOR, organization=globex),
    }


AGENT_SEES = {"user, by the agent", "user, by another", "own sign-in", "own password"}


def seen(log, operator):
    found = set(visible(enter_org(operator, "acme")).values_list("entry", flat=True))
    return {name for name, row in log.items() if row.entry in found}


def test_each_role_sees_its_part_of_the_log(log, helpdesk, auditor, org_admin):
    everything = set(log) - {"another organization"}

    assert seen(log, helpdesk) == AGENT_SEES
    assert seen(log, auditor) == everything
    assert seen(log, org_admin) == everything


def test_log_its_filters_and_its_entries_agree_for_an_agent(log, helpdesk, browser_of):
    client = browser_of(helpdesk)
    page = client.get(LOG).text

    for name, row in log.items():
        status = client.get(f"{LOG}{row.entry}/").status_code
        assert (str(row.entry) in page, status) == ((True, 200) if name in AGENT_SEES else (False, 404)), name
        reading = client.post(f"{LOG}{row.entry}/read-again/").status_code
        undoing = client.post(f"/o/acme/audit/{row.entry}/undo/", {"submission": "x"}).status_code
        if name not in AGENT_SEES:
            assert (reading, undoing) == (404, 404), name
    for query in ("operator=admin@acme.test", "action=policy.changed", "user=about", "outcome=succeeded", "before=99"):
        found = client.get(f"{LOG}?{query}").text
        assert not [
            name for name, row in log.items() if name not in {*AGENT_SEES, "request"} and str(row.entry) in found
        ]


def test_agent_is_offered_only_the_events_that_they_can_see(helpdesk, auditor, browser_of):
    def offered(who):
        page = browser_of(who).get(LOG).text
        return {event for event in [*EVENTS, "api.call"] if f'value="{event}"' in page}

    own = {one for one in EVENTS if one.startswith(("operator.", "plan.")) and one != "plan.emailed"}
    assert offered(helpdesk) == own | {"user.reported-not-me"}
    assert offered(auditor) == {*EVENTS, "api.call"}


def test_agent_sees_no_addresses(log, helpdesk, auditor, browser_of):
    for name in AGENT_SEES:
        url = f"{LOG}{log[name].entry}/"
        assert "203.0.113.77" not in browser_of(helpdesk).get(url).text
        assert "203.0.113.77" in browser_of(auditor).get(url).text


def test_recent_activity_of_a_user_follows_the_same_rule(log, helpdesk, auditor, browser_of, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    answer_panels(pingone)
    url, told = f"/o/acme/users/{ADA}/", "Page of a protected user read"

    assert told not in browser_of(helpdesk).get(f"{url}?panels=all").text
    assert told in browser_of(auditor).get(url).text


def test_export_is_for_those_who_see_all(log, helpdesk, browser_of):
    assert Permission.EXPORT_AUDIT not in enter_org(helpdesk, "acme").permissions
    assert browser_of(helpdesk).get(f"{LOG}export/jsonl/").status_code == 403
