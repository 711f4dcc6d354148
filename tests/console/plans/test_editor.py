"""The editor of plans: it works without JavaScript, saves nothing that is wrong, and loses nothing that was typed."""

import json

import pytest

from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, Plan, PlanRun, PlanVersion
from console.plans import fields
from console.plans.definition import MOST_STEPS, ActionStep, read, read_step
from console.plans.shipped_plans import shipped
from pingone_integration.schemas import Attribute
from tests.support.plain_browser import sent_by
from tests.support.plan_editor import HERE, MAIL, NEW, PLAN, Editor, newest, saved, saved_again
from tests.support.plan_people import LEAVERS, PERSON, VPN, start, worked
from tests.support.sessions import signed_in_long_ago, signed_in_now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

EDIT = f"{HERE}vpn/edit/"


@pytest.fixture
def editor(org_admin, environment, browser_of):
    return Editor(browser_of(org_admin)).open(NEW)


def test_plan_is_written_with_plain_buttons_and_saved_as_its_first_version(editor, environment, org_admin):
    editor.press("add", name="Give VPN", new="group.add")
    editor.press("add", new="mail", **{"step-0-value-group_id": str(VPN), "step-0-if": "active"})
    editor.press("add", new="wait", **{"step-1-to": "address", "step-1-address": "it@acme.test"})
    editor.press("up-2", **{"step-1-subject": "For {name}", "step-1-text": "Hello\n\nBye", "step-2-days": "3"})
    assert editor.titles == ["1. Add to group", "2. Wait", "3. Email"]

    editor.press("save")

    assert editor.location == f"{HERE}give-vpn/"
    version = PlanVersion.objects.get()
    assert (version.number, version.author, version.plan.name) == (1, org_admin, "Give VPN")
    assert version.definition == {
        "id": "give-vpn",
        "name": "Give VPN",
        "kind": "change",
        "steps": [
            {"action": "group.add", "inputs": {"group_id": str(VPN)}, "if": "active"},
            {"wait": {"days": 3}},
            {"mail": "it@acme.test", "subject": "For {name}", "text": "Hello\n\nBye"},
        ],
    }
    assert environment.writes == []


def test_plan_with_every_action_comes_back_from_the_editor_as_it_was(org_admin, environment, browser_of):
    """Each shipped plan is opened as a copy and saved: the form says all that a plan can say."""
    for slug, plan in shipped().items():
        editor = Editor(browser_of(org_admin)).open(f"{NEW}?copy={slug}")

        editor.press("save", slug=f"own-{slug}", name=plan.name)

        assert editor.location == f"{HERE}own-{slug}/", editor.page
        assert PlanVersion.objects.get(plan__slug=f"own-{slug}").definition["steps"] == plan.as_json()["steps"]


@pytest.mark.parametrize("action", [one for one in ACTIONS if one.key != "user.create"], ids=lambda one: one.key)
def test_every_action_can_be_a_step(action, editor):
    """Whatever a step of it lacks is said at the step, and the same step passes once it is given."""
    editor.press("add", name="One", kind="change", new=action.key)
    needed = {f"step-0-{name}": value for name, value in _needed(action).items()}
    if action.form.looks_at_schema:
        editor.press("field-0", **{"step-0-new-field": "title"})

    editor.press("check")

    assert (editor.status == 422) == bool(needed and not action.form.looks_at_schema)
    assert editor.press("check", **needed).status == 200, editor.page


def _needed(action):
    names = {name: field for name, field in fields.fields_of(action, ()).items() if field.required}
    if action.form.looks_at_schema:
        return {"how-title": "{asked}"}
    return {f"value-{name}" if name.endswith("_id") else f"how-{name}": "{asked}" for name in names}


REFUSED = {
    "population": ({"action": "user.move", "inputs": {"population_id": "Leavers"}}, "Population: Enter a valid UUID."),
    "group": ({"action": "group.add", "inputs": {"group_id": "{given}"}}, "Group: Enter a valid UUID."),
    "nothing chosen": ({"action": "group.add"}, "Group: choose or enter a value."),
    "past": (
        {"action": "user.lock", "inputs": {"until": "2020-01-01T10:00"}},
        "Until: Choose a time in the future.",
    ),
    "no date": ({"action": "mfa.bypass", "inputs": {"until": "soon"}}, "Until: Enter a valid date/time."),
    "field": ({"action": "user.update", "inputs": {"shoe_size": "9"}}, "“Edit profile” has no field shoe_size."),
    "hidden": ({"action": "user.update", "inputs": {"seen": "[]"}}, "“Edit profile” has no field seen."),
    "no change": ({"action": "user.update"}, "Add a field: it changes nothing."),
    "country": (
        {"action": "user.update", "inputs": {"country_code": "Sweden"}},
        "Country: Enter two capital letters, for example US.",
    ),
    "email": ({"action": "user.update", "inputs": {"email": "{given} at acme"}}, "Email: The email address contains"),
    "username": ({"action": "user.update", "inputs": {"username": ""}}, "Username: This field is required."),
}


@pytest.mark.parametrize(("step", "told"), REFUSED.values(), ids=REFUSED)
def test_input_that_the_form_of_the_action_refuses_is_in_no_plan(acme, step, told):
    definition = read(PLAN | {"steps": [MAIL, step]})

    found = list(fields.problems_in(definition, acme, ()))

    assert [one.step for one in found][:1] == [2]
    assert str(found[0].reason).startswith(told)


def test_forms_of_actions_take_placeholders_and_choices_where_they_stand_for_something(acme):
    said = [
        {"action": "user.update", "inputs": {"title": "{title}, formerly", "email": "{username}@acme.test"}},
        {"action": "user.update", "inputs": {"title": "", "country_code": "SE"}},
        {"action": "device.rename", "inputs": {"device_id": "{recent}", "nickname": "{given}'s phone"}},
        {"action": "user.move", "inputs": {"population_id": str(LEAVERS)}},
    ]

    assert list(fields.problems_in(read(PLAN | {"steps": said}), acme, ())) == []


def test_problems_are_told_at_their_steps_and_everything_typed_is_still_there(editor):
    editor.press("add", name="Two\N{SPACE}words", new="mail")
    editor.press("add", new="wait", **{"step-0-subject": "Hi", "step-0-text": " first\n  second {who}"})
    typed = {"step-1-days": "many", "step-1-until": "25:00"}

    editor.press("save", **typed)

    assert editor.status == 422
    assert "There is no placeholder {who}." in editor.page
    assert "A wait is 1 to 365 days" in editor.page
    assert editor.fields["step-0-text"] == " first\n  second {who}"
    assert typed.items() <= editor.fields.items()
    assert not Plan.objects.exists()


def test_steps_end_at_thirty(editor):
    editor.press("check", count="29", **{f"step-{place}-kind": "wait" for place in range(MOST_STEPS - 1)})
    assert "29 of 30" in editor.page
    editor.press("add", new="wait")

    assert "A plan has no more steps than this." in editor.page
    forged = editor.fields | {"do": "add", "new": "wait", "count": "900"}
    assert editor.client.post(NEW, forged).content.decode().count('name="step-') == editor.page.count('name="step-')


def test_fields_of_a_profile_are_added_and_removed_one_by_one(editor):
    editor.press("add", name="Title", new="user.update")
    editor.press("field-0", **{"step-0-new-field": "title"})
    editor.press("field-0", **{"step-0-new-field": "locality", "step-0-value-title": "Chief"})
    editor.press("drop-0-locality")
    editor.press("save")

    inputs = PlanVersion.objects.get().definition["steps"][0]["inputs"]
    assert inputs == {"title": "Chief"}


def test_email_is_shown_as_somebody_would_get_it(editor, org_admin):
    editor.press("add", new="mail")
    editor.press("check", **{"step-0-subject": "For {name}", "step-0-text": "{organization}: {manager}"})

    assert "For Kim Lund" in editor.page
    assert "Acme: Ada Lovelace" in editor.page
    saved(org_admin)
    assert "Hello Kim" in editor.client.get(f"{HERE}vpn/").content.decode()


def test_second_editor_is_told_and_nothing_of_either_is_lost(org_admin, environment, browser_of):
    saved(org_admin)
    editor = Editor(browser_of(org_admin)).open(EDIT)
    saved_again(org_admin, name="Theirs")

    editor.press("save", name="Mine")

    assert editor.status == 409
    assert f"{org_admin.email} saved version 2 meanwhile" in editor.page
    assert editor.fields["name"] == "Mine"
    assert PlanVersion.objects.count() == 2

    editor.press("save")

    assert [one.definition["name"] for one in PlanVersion.objects.all()] == ["Mine", "Theirs", "VPN"]
    assert Plan.objects.get().name == "Mine"


def test_saving_what_is_so_already_makes_no_version(org_admin, environment, browser_of):
    saved(org_admin)

    Editor(browser_of(org_admin)).open(EDIT).press("save")

    assert PlanVersion.objects.count() == 1


def test_versions_are_listed_looked_at_and_restored_as_new_ones(org_admin, environment, browser_of):
    saved(org_admin)
    saved_again(org_admin, steps=[{"action": "user.deactivate"}])
    client = browser_of(org_admin)
    first = client.get(f"{HERE}vpn/?version=1").content.decode()

    assert "This is an earlier version." in first
    assert "Group: <bdi>VPN</bdi>" in first
    editor = Editor(client).open(f"{EDIT}?version=1")
    assert "Version 1 is below." in editor.page
    editor.press("save")

    third = newest()
    assert (third.number, third.definition) == (3, read(PLAN).as_json())
    for number in ("9", "x", "1" * 30, "-1"):
        assert client.get(f"{HERE}vpn/?version={number}").status_code == 404


def test_run_keeps_the_version_that_it_was_started_with(org_admin, environment, browser_of):
    version = saved(org_admin)
    environment.members.clear()
    run = start(org_admin, read(version.definition), version=version, begins=False)
    saved_again(org_admin, steps=[{"action": "user.deactivate"}])
    client = browser_of(org_admin)
    assert "1 run has not ended. It goes on as it was started." in client.get(f"{HERE}vpn/").content.decode()

    assert client.post(f"{HERE}vpn/delete/")["Location"] == HERE

    run = worked(run)
    assert (run.state, run.version) == (PlanRun.State.FINISHED, None)
    assert environment.kim["enabled"] is True
    assert not Plan.objects.exists()


def test_every_change_is_on_record_with_version_and_difference(org_admin, environment, browser_of):
    saved(org_admin)
    saved_again(org_admin, name="VPN for all", steps=[PLAN["steps"][0]])
    browser_of(org_admin).post(f"{HERE}vpn/delete/")

    created, changed, deleted = AuditEntry.objects.filter(subject_kind="policy").order_by("sequence")

    assert created.after
    assert deleted.before
    assert (created.action, created.inputs, created.subject_id) == ("plan-version.saved", {"version": 1}, "vpn")
    assert json.loads(created.after["step 2"]) == MAIL
    assert (changed.operator, changed.inputs) == (org_admin, {"version": 2})
    assert changed.before == {"name": "VPN", "step 2": created.after["step 2"]}
    assert changed.after == {"name": "VPN for all"}
    assert (deleted.action, deleted.before["version"], deleted.before["name"]) == (
        "plan-version.deleted",
        2,
        "VPN for all",
    )


def test_id_of_a_shipped_plan_or_of_another_one_is_not_taken(editor, org_admin):
    saved(org_admin)
    editor.press("add", name="Mine", new="user.deactivate")

    for slug, told in (("offboard", "is the ID of a shipped plan"), ("vpn", "There is a plan with the ID “vpn”")):
        editor.press("save", slug=slug)
        assert (editor.status, told in editor.page) == (409, True)
        assert editor.fields["slug"] == slug
    assert Plan.objects.count() == 1


def test_own_plan_with_the_id_of_a_shipped_one_says_that_it_stands_in_for_it(org_admin, environment, browser_of):
    """An upgrade may ship a plan whose ID is taken: the organization's own counts, and is the only one offered."""
    plan = Plan.objects.create(organization=org_admin.memberships.get().organization, slug="offboard", name="Ours")
    said = PLAN | {"id": "offboard", "name": "Ours"}
    PlanVersion.objects.create(plan=plan, number=1, definition=said, author=org_admin)
    client = browser_of(org_admin)

    assert "Runs in place of the shipped plan" in client.get(HERE).content.decode()
    offered = client.get(f"/o/acme/users/{PERSON}/plans/").content.decode()
    assert offered.count("/plans/offboard/") == 1
    assert "Ours" in offered


def test_stored_plan_that_cannot_be_read_anymore_is_named_and_breaks_no_page(org_admin, environment, browser_of):
    version = saved(org_admin)
    PlanVersion.objects.filter(pk=version.pk).update(definition=PLAN | {"steps": [{"action": "user.gone"}]})
    client = browser_of(org_admin)

    assert "There is no action “user.gone”." in client.get(HERE).content.decode()
    assert "VPN" not in client.get(f"/o/acme/users/{PERSON}/plans/").content.decode()
    assert client.get(f"{HERE}vpn/").status_code == 200
    assert client.get(EDIT).status_code == 200


def test_what_was_typed_is_kept_over_a_fresh_sign_in(org_admin, environment, browser_of):
    """Also the longest plan that can be typed. Only saving asks: adding and moving steps does not."""
    saved(org_admin)
    client = signed_in_long_ago(browser_of(org_admin))
    editor = Editor(client).open(EDIT)
    long = "\N{CJK UNIFIED IDEOGRAPH-6F22}" * 4_900
    emails = {
        f"step-{place}-{name}": value
        for place in range(2, 18)
        for name, value in {"kind": "mail", "to": "person", "subject": "x", "text": long}.items()
    }
    assert editor.press("check", count="18", **emails).status == 200

    editor.press("save")

    assert editor.location.startswith("/accounts/reauthenticate/?next=")
    assert PlanVersion.objects.count() == 1
    editor = Editor(signed_in_now(client)).open(EDIT)
    assert editor.fields["step-17-text"] == long
    assert editor.press("save").location == f"{HERE}vpn/"


def test_input_and_choice_that_an_action_has_are_those_that_the_editor_offers():
    for action in ACTIONS:
        for name in fields.fields_of(action, ()):
            for choice in fields.choices_for(name):
                assert isinstance(read_step({"action": action.key, "inputs": {name: choice}}), ActionStep)


def test_plan_that_was_edited_after_it_was_shown_is_shown_again_and_not_started(org_admin, environment, browser_of):
    saved(org_admin)
    environment.members.clear()
    client = browser_of(org_admin)
    here = f"/o/acme/users/{PERSON}/plans/vpn/"
    sent = sent_by(client.get(here).content.decode(), "", "") | {"when": "now", "reason": "New phone"}
    sent = sent_by(client.post(here, sent).content.decode(), "confirm", "now")
    saved_again(org_admin, steps=[{"action": "user.deactivate"}])

    answer = client.post(here, sent)

    assert answer.status_code == 422
    assert "The plan was changed meanwhile." in answer.content.decode()
    assert "Deactivate" in answer.content.decode()
    assert (PlanRun.objects.count(), environment.writes) == (0, [])

    answer = client.post(here, sent_by(answer.content.decode(), "", ""))
    answer = client.post(here, sent_by(answer.content.decode(), "confirm", "now"))

    assert answer.status_code == 302
    assert PlanRun.objects.get().version == newest()
    assert environment.kim["enabled"] is False


def test_custom_attribute_is_offered_checked_and_written_by_the_run(org_admin, environment, browser_of, monkeypatch):
    of_it = {"display_name": "Badge", "description": "", "type": "STRING", "is_custom": True, "enabled": True}
    plain = {"required": False, "unique": False, "multi_valued": False, "pattern": "", "pattern_in_words": ""}
    badge = Attribute(name="badge", allowed_values=(), **of_it, **plain)  # type: ignore[arg-type]
    for place in ("console.plans.editing.step_forms", "console.plans.editing.examined"):
        monkeypatch.setattr(f"{place}.known_attributes", lambda _access: (badge,))
    monkeypatch.setattr("console.plans.targets.schemas.user_attributes", lambda _api: (badge,))
    monkeypatch.setattr("console.views.plan_editor.known_attributes", lambda _access: (badge,))
    editor = Editor(browser_of(org_admin)).open(NEW)
    editor.press("add", name="Badge", new="user.update")
    editor.press("field-0", **{"step-0-new-field": "custom.badge"})
    editor.press("save", **{"step-0-value-custom.badge": "Of {given}"})
    said = PlanVersion.objects.get().definition

    run = worked(start(org_admin, read(said)))

    assert run.state == "finished", run.stop_detail
    assert environment.kim["badge"] == f"Of {environment.kim['name']['given']}"
