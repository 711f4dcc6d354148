"""Plans as files: written and read without loss; what no plan can be in is refused with the step and the reason."""

import json
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.actions.catalogue import ACTIONS
from console.models import Organization, Plan, PlanVersion
from console.plans import fields
from console.plans.definition import (
    ADDED,
    BEFORE,
    CONDITIONS,
    CREATES,
    DELETES,
    LONGEST_JSON,
    PLACEHOLDERS,
    SAME,
    Condition,
    InvalidPlan,
    Kind,
    read,
)
from console.plans.editing.draft import Draft
from console.plans.editing.plan_file import read_file, written
from console.plans.strict_json import LONGEST, hidden_character
from tests.support.plan_editor import HERE, IMPORT, MAIL, PLAN, Editor, newest, saved
from tests.support.plan_people import LEAVERS, VPN

NOWHERE = UUID("00000000-0000-4000-8000-00000000dead")

# --- every plan that can be written ---

plain = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters="{}"))
lines = plain.filter(str.strip)
one_line = lines.filter(str.isprintable)
texts = st.lists(st.one_of(lines, st.sampled_from(sorted(PLACEHOLDERS)), st.just("\n")), min_size=1, max_size=5)
conditions: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}), st.sampled_from(sorted(CONDITIONS)).map(lambda one: {"if": str(one)})
)
waits = st.one_of(
    st.integers(1, 365).map(lambda days: {"wait": {"days": days}}),
    st.times().map(lambda time: {"wait": {"until": f"{time:%H:%M}"}}),
    st.just({"wait": {"date": "{asked}"}}),
)
mails = st.builds(
    lambda to, subject, text, condition: {"mail": to, "subject": subject[:200], "text": text} | condition,
    st.sampled_from(["person", "manager", "it@acme.test"]),
    one_line,
    texts.map("".join).filter(str.strip),
    conditions,
)


CHOICES = {
    action.key: {name: sorted(fields.choices_for(name).keys() - {SAME}) for name in fields.fields_of(action, ())}
    for action in ACTIONS
}


@st.composite
def acting(draw, actions=tuple(one for one in ACTIONS if one.key not in {CREATES, DELETES})):
    action = draw(st.sampled_from(actions))
    inputs = {}
    for name, choices in CHOICES[action.key].items():
        choice = st.sampled_from(choices)
        value = st.uuids().map(str) if name.endswith("_id") else texts.map("".join)
        if draw(st.booleans()):
            inputs[name] = draw(st.one_of(choice, value))
    return {"action": action.key} | ({"inputs": inputs} if inputs else {}) | draw(conditions)


def _plan(name, kind, steps, last):
    steps = [*steps, last]
    brings_back = any(one in json.dumps(steps) for one in (BEFORE, ADDED, str(Condition.WAS_ACTIVE)))
    kind = Kind.RETURN if brings_back else kind
    return {"id": "one", "name": name.strip()[:80].strip() or "One", "kind": str(kind), "steps": steps}


plans = st.builds(
    _plan,
    one_line,
    st.sampled_from([Kind.LEAVE, Kind.CHANGE, Kind.RETURN]),
    st.lists(st.one_of(acting(), mails, waits), max_size=6),
    st.one_of(acting(), mails, st.just({"action": DELETES})),
)
quickly = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@quickly
@given(said=plans, name=lines)
def test_plan_that_was_exported_is_the_same_when_it_is_imported(said, name):
    definition = read(said)

    file = read_file(written(definition, {VPN: name}).encode())

    assert read(file.said) == definition
    assert file.names == {str(VPN): name}


@quickly
@given(said=plans)
def test_editor_says_of_every_plan_what_it_says(said):
    definition = read(said)

    assert read(Draft.of(definition.as_json()).as_json()) == definition


def test_longest_plan_can_be_exported_and_imported():
    text = '"\\\n' * 1_100  # each character is two in JSON
    steps = [MAIL | {"text": text}] * 30
    with pytest.raises(InvalidPlan, match="too long"):
        read(PLAN | {"steps": steps})
    definition = read(PLAN | {"steps": steps[:14]})

    assert len(written(definition, {})) > 0.8 * LONGEST_JSON
    assert read(read_file(written(definition, {})).said) == definition


# --- hostile files ---

LONG_NUMBER = "9" * 5_000
HOSTILE = {
    "empty": ("", "Choose a file, or paste a plan."),
    "no JSON": ("{,}", "This is not valid JSON: see line 1, column 2."),
    "deep": ("[" * 150_000, "This is not valid JSON."),
    "deep and valid": ("[" * 900 + "]" * 900, "This is nested too deeply for a plan."),
    "deep key": (f'{{"steps": [{{"action": {"[" * 90}{"]" * 90}}}]}}', "This is nested too deeply for a plan."),
    "number": (f'{{"id": {LONG_NUMBER}}}', "This is not valid JSON."),
    "not a number": ('{"id": NaN}', "NaN is not valid JSON."),
    "infinity": ('{"id": -Infinity}', "-Infinity is not valid JSON."),
    "key twice": ('{"id": "a", "id": "b"}', "The JSON has the key 'id' twice in one object."),
    "input twice": (
        '{"steps": [{"action": "group.add", "inputs": {"group_id": "a", "group_id": "b"}}]}',
        "The JSON has the key 'group_id' twice in one object.",
    ),
    "long": (" " * LONGEST + "{}", "This is too long for a plan."),
    "list": ("[]", "A plan is a JSON object."),
    "latin": ('{"name": "Größe"}'.encode("latin-1"), "This is not a text in UTF-8."),
    "utf-16": (json.dumps(PLAN).encode("utf-16"), "This is not a text in UTF-8."),
    "days": (json.dumps(PLAN | {"steps": [{"wait": {"days": 1e999}}]}), "Infinity is not valid JSON."),
    "exponent": (
        '{"id": "x", "name": "x", "kind": "change", "steps": [{"wait": {"days": 1e999}}]}',
        "Step 1: A wait is 1 to 365 days, or until an hour such as 18:00, or until a date that is asked.",
    ),
    "NUL in the name": (json.dumps(PLAN | {"name": "a\0b"}), "A text has an invisible character (U+0000)."),
    "half a pair": (json.dumps(PLAN | {"name": "\ud800"}), "A text has an invisible character (U+D800)."),
    "text turned around": (
        json.dumps(PLAN | {"steps": [MAIL, MAIL | {"text": "invoice\u202egnp.exe"}]}),
        "Step 2: A text has an invisible character (U+202E).",
    ),
    "key turned around": (
        json.dumps(PLAN | {"steps": [{"action": "user.update", "inputs": {"ti\u2066tle": "x"}}]}),
        "Step 1: A text has an invisible character (U+2066).",
    ),
    "step number": (
        json.dumps(PLAN | {"steps": [MAIL, MAIL, {"mail": 7}]}),
        "Step 3: An email goes to “person”, to “manager” or to an address.",
    ),
}


@pytest.mark.parametrize(("content", "told"), HOSTILE.values(), ids=HOSTILE)
def test_file_that_is_no_plan_is_refused_with_the_reason(content, told):
    with pytest.raises(InvalidPlan) as invalid:
        read(read_file(content).said)

    assert told in [str(problem.told) for problem in invalid.value.problems]


def test_names_of_people_may_be_spelled_with_joiners():
    assert hidden_character("می‌خواهم") == ""


def test_byte_order_mark_is_no_part_of_a_plan():
    assert read(read_file("\ufeff" + json.dumps(PLAN)).said) == read(PLAN)
    assert read(read_file(b"\xef\xbb\xbf" + json.dumps(PLAN).encode()).said) == read(PLAN)


@pytest.mark.parametrize(
    "names", [[], "x", {"x": "VPN"}, {str(VPN): 7}, {str(VPN): "a\u202eb"}, {str(VPN): "x" * 501}], ids=str
)
def test_names_in_a_file_that_are_no_names_are_left_out(names):
    assert read_file(json.dumps(PLAN | {"names": names})).names == {}


# --- the pages ---


@pytest.fixture
def client(org_admin, environment, browser_of):
    return browser_of(org_admin)


def imported(client, **sent):
    answer = client.post(IMPORT, sent)
    return Editor(client, status=answer.status_code, page=answer.content.decode())


@pytest.mark.django_db(transaction=True)
def test_file_of_an_exported_plan_opens_in_the_editor_and_is_saved_there(client, org_admin):
    saved(org_admin)
    answer = client.get(f"{HERE}vpn/export/")
    assert answer["Content-Disposition"] == 'attachment; filename="plan-vpn.json"'
    file = json.loads(answer.content)
    assert file == PLAN | {"names": {str(VPN): "VPN"}}
    Plan.objects.all().delete()

    editor = imported(client, file=SimpleUploadedFile("plan.json", answer.content))

    assert (editor.status, Plan.objects.count()) == (200, 0)
    editor.press("save")
    assert PlanVersion.objects.get().definition == PLAN


@pytest.mark.django_db(transaction=True)
def test_pasted_plan_with_the_id_of_an_own_one_becomes_its_next_version(client, org_admin):
    saved(org_admin)

    editor = imported(client, pasted=json.dumps(PLAN | {"name": "New name"}))

    assert "There is a plan with this ID." in editor.page
    editor.press("save")
    assert newest().number == 2


@pytest.mark.django_db(transaction=True)
def test_ids_of_another_environment_are_told_by_name_at_their_steps(client):
    steps = [
        MAIL,
        {"action": "group.add", "inputs": {"group_id": str(NOWHERE)}},
        {"action": "user.move", "inputs": {"population_id": str(LEAVERS)}},
    ]
    names = {str(NOWHERE): "Sales <b>", str(LEAVERS): "Leavers"}

    editor = imported(client, pasted=json.dumps(PLAN | {"steps": steps, "names": names}))

    assert f"The group “Sales &lt;b&gt;” ({NOWHERE}) does not exist in this environment." in editor.page
    assert f"The population “Leavers” ({LEAVERS}) does not exist in this environment." in editor.page
    assert ">Sales &lt;b&gt;</option>" in editor.page
    editor.press("save")
    assert editor.status == 422
    assert "“Leavers”" in editor.page
    assert not Plan.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_said_to_be_missing_while_pingone_does_not_answer(client, environment):
    environment.status = {f"/groups/{VPN}": 503}

    editor = imported(client, pasted=json.dumps(PLAN))

    assert f"PingOne did not say whether {VPN} exists. Try again." in editor.page
    assert "does not exist" not in editor.page


@pytest.mark.django_db(transaction=True)
def test_refused_import_keeps_the_text_and_says_each_problem_with_its_step(client):
    pasted = json.dumps(PLAN | {"steps": [MAIL, {"action": "user.explode"}, {"wait": {}}]})

    editor = imported(client, pasted=pasted)

    assert editor.status == 422
    assert "Step 2: There is no action “user.explode”." in editor.page
    assert "Step 3: A wait is 1 to 365 days" in editor.page
    assert "user.explode&quot;}" in editor.page.partition("<textarea")[2]
    assert "Choose a file, or paste a plan." in imported(client, pasted=" ").page
    too_large = SimpleUploadedFile("plan.json", b" " * (4 * LONGEST + 70_000))
    assert "This is too long for a plan." in imported(client, file=too_large).page


@pytest.mark.django_db
def test_every_shipped_plan_is_exported(client, acme: Organization):
    for slug in ("offboard", "lost-phone"):
        assert read(read_file(client.get(f"{HERE}{slug}/export/").content).said).id == slug
