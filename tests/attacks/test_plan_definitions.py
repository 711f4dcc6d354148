"""Stories of somebody who wants a plan to say what they may not do: by the editor, a file, or the command line.

Each story has the steps of the attack and what must happen instead.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import respx
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.http import Http404

from console.access import enter_org
from console.models import AuditEntry, Membership, Operator, Organization, Plan, PlanRun, PlanVersion
from console.plans.definition import read
from console.plans.editing import changes
from tests.support.narrowed import give_every_right
from tests.support.outbox import sent_emails
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.plan_editor import HERE, IMPORT, NEW, PLAN, Editor, saved, saved_again
from tests.support.plan_people import PERSON, PlanPeople, worked
from tests.support.small_environment import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

HTML = '<img src=x onerror="alert(1)">'
DELETES = {"id": "gone", "name": "Gone", "kind": "change", "steps": [{"action": "user.delete"}]}


@pytest.fixture
def environment() -> Iterator[PlanPeople]:
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = PlanPeople()
        router.route().mock(side_effect=people)
        yield people


def command(operator: Operator, *arguments: str) -> str:
    output = io.StringIO()
    call_command("pingone", "acme", "plan", *arguments, "--as", operator.email, stdout=output)
    return output.getvalue()


def ways_in(spy: Any, slug: str) -> dict[str, int]:
    """Try every page of the settings of plans. Return the statuses."""
    there = f"/o/{slug}/settings/"
    draft = {"do": "save", "name": "Mine", "kind": "change", "count": "0", "seen": "1"}
    return {
        "list": spy.get(f"{there}plans/").status_code,
        "look": spy.get(f"{there}plans/vpn/").status_code,
        "export": spy.get(f"{there}plans/vpn/export/").status_code,
        "version": spy.get(f"{there}plans/vpn/export/?version=1").status_code,
        "editor": spy.get(f"{there}plans/vpn/edit/").status_code,
        "save": spy.post(f"{there}plans/vpn/edit/", draft).status_code,
        "new": spy.post(f"{there}new-plan/", draft).status_code,
        "copy": spy.get(f"{there}new-plan/?copy=vpn").status_code,
        "import": spy.post(f"{there}import-plan/", {"pasted": json.dumps(DELETES)}).status_code,
        "delete": spy.post(f"{there}plans/vpn/delete/").status_code,
    }


def test_agent_with_every_right_edits_no_plan(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: PlanPeople, tmp_path: Path
) -> None:
    """Their role may do all that a role can, the policies included: plans are for org admins all the same."""
    saved(org_admin)
    give_every_right(acme)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(DELETES))

    assert set(ways_in(browser(helpdesk), "acme").values()) == {403}
    for arguments in (("export", "vpn"), ("import", "--file", str(file))):
        with pytest.raises(CommandError, match="not allowed"):
            command(helpdesk, *arguments)
    access = enter_org(helpdesk, "acme")
    for attempt in (
        lambda: changes.create(access, read(DELETES)),
        lambda: changes.change(access, "vpn", read(PLAN | {"name": "x"}), seen=1),
        lambda: changes.delete(access, "vpn"),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert [one.definition for one in PlanVersion.objects.all()] == [PLAN]


def test_org_admin_who_lost_the_role_saves_nothing_from_an_open_editor(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    saved(org_admin)
    editor = Editor(browser(org_admin)).open(f"{HERE}vpn/edit/")
    Membership.objects.filter(operator=org_admin).update(role=Membership.Role.AUDITOR)

    assert editor.press("save", name="Late").status == 403
    assert PlanVersion.objects.count() == 1


def test_org_admin_of_another_organization_reaches_no_plan(
    acme: Organization, org_admin: Operator, stranger: Operator, environment: PlanPeople
) -> None:
    version = saved(org_admin)
    spy = browser(stranger)

    assert set(ways_in(spy, "acme").values()) == {404}
    theirs = ways_in(spy, "globex")
    assert {theirs[way] for way in ("look", "export", "version", "editor", "save", "copy")} == {404}
    access = enter_org(stranger, "globex")
    with pytest.raises(Http404):
        changes.change(access, "vpn", read(PLAN | {"name": "x"}), seen=1)
    with pytest.raises(Http404):
        changes.delete(access, "vpn")
    assert spy.post(f"/o/acme/users/{PERSON}/plans/vpn/", {"when": "now", "confirm": "now"}).status_code == 404
    assert PlanVersion.objects.get() == version
    assert not PlanRun.objects.exists()


def test_same_id_in_two_organizations_is_two_plans(
    acme: Organization, org_admin: Operator, stranger: Operator, environment: PlanPeople
) -> None:
    saved(org_admin)
    changes.create(enter_org(stranger, "globex"), read(PLAN | {"name": "Theirs"}))

    changes.delete(enter_org(stranger, "globex"), "vpn")

    assert Plan.objects.get().organization == acme


def test_plan_of_an_org_admin_lends_nobody_its_rights(
    acme: Organization, org_admin: Operator, auditor: Operator, environment: PlanPeople
) -> None:
    """A plan that deletes is offered to nobody who may not delete, and starts for them in no way."""
    saved(org_admin, DELETES)
    spy = browser(auditor)

    assert "Gone" not in spy.get(f"/o/acme/users/{PERSON}/plans/").content.decode()
    answer = spy.post(f"/o/acme/users/{PERSON}/plans/gone/", {"when": "now", "confirm": "now", "reason": "x"})
    assert answer.status_code in {403, 422}
    with pytest.raises(CommandError):
        command(auditor, "start", "gone", "--user", str(PERSON), "--now", "--reason", "x")
    assert not PlanRun.objects.exists()
    assert PERSON in environment.users


def test_imported_plan_is_checked_again_when_it_is_saved(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    """The form that an import fills in is changed on its way back: into what a file could not say."""
    client = browser(org_admin)
    page = client.post(IMPORT, {"pasted": json.dumps(PLAN)}).content.decode()
    editor = Editor(client, page=page)

    for typed in (
        {"step-0-action": "user.explode"},
        {"step-0-value-group_id": "{before}{all}"},
        {"step-0-value-group_id": "../users"},
        {"step-0-value-ticket": "INC1"},
        {"step-1-to": "address", "step-1-address": "a@b.test\nBcc: c@d.test"},
        {"step-1-subject": "a\u202eb"},
        {"step-1-if": "1 == 1"},
        {"kind": "join"},
        {"slug": "../vpn"},
        {"slug": "offboard"},
        {"count": "0"},
    ):
        forged = editor.fields | typed
        assert client.post(NEW, forged).status_code in {409, 422}, typed
    assert not Plan.objects.exists()
    assert client.post(NEW, editor.fields).status_code == 302


def test_html_in_names_and_texts_stays_text_everywhere(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    steps = [{"mail": "person", "subject": HTML, "text": f"{HTML}\n{{given}}"}, {"action": "user.deactivate"}]
    saved(org_admin, PLAN | {"name": f"{HTML}", "steps": steps})
    environment.kim["name"] = {"given": HTML, "family": "{family}"}
    client = browser(org_admin)
    start = f"/o/acme/users/{PERSON}/plans/vpn/"
    answer = client.post(start, {"when": "now", "confirm": "now", "submission": str(PERSON), "reason": HTML})
    assert answer.status_code == 302
    worked(PlanRun.objects.get())

    pages = [
        *(HERE, f"{HERE}vpn/", f"{HERE}vpn/edit/", f"{NEW}?copy=vpn", start),
        *(f"/o/acme/users/{PERSON}/plans/", "/o/acme/plans/", answer["Location"], "/o/acme/audit/"),
    ]
    for page in pages:
        text = client.get(page).content.decode()
        assert HTML not in text, page
    refused = client.post(IMPORT, {"pasted": json.dumps(PLAN | {HTML: 1})})
    assert HTML not in refused.content.decode()
    email = next(one for one in sent_emails() if one.to == ["kim@acme.test"])
    assert email.subject == HTML
    assert f"{HTML}\n{HTML}" in email.body
    assert email.content_subtype == "plain"


def test_refused_save_is_on_record_nowhere_as_done(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    saved(org_admin)
    saved_again(org_admin, name="Newer")
    editor = Editor(browser(org_admin)).open(f"{HERE}vpn/edit/")
    saved_again(org_admin, name="Newest")

    assert editor.press("save", name="Mine").status == 409

    saves = AuditEntry.objects.filter(action="plan-version.saved").order_by("sequence")
    assert [one.inputs["version"] for one in saves] == [1, 2, 3]
