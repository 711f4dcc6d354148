"""Who may do what, as one table that a person can read, compared with what happens on every way in.

"yes": it is sent to PingOne. "no": refused. "reason", "ticket", "sign-in": refused until the operator meets the demand.
"""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY, Action
from console.models import AuditEntry, Operator, Organization
from console.rights.roles import BUILT_IN, Rights
from pingone_integration.errors import NotConnected
from tests.support.asking import Way, asking, page_of, typed_for
from tests.support.rights import give
from tests.support.sessions import signed_in_long_ago

TABLE = """
    action                       org admin  agent    auditor  night desk
    user.activate                yes        yes      no       ticket
    user.deactivate              yes        yes      no       yes
    user.unlock                  yes        yes      no       sign-in
    user.lock                    yes        yes      no       no
    user.delete                  yes        no       no       no
    password.send-recovery-code  yes        yes      no       reason
    password.force-change        yes        yes      no       no
    password.unlock              yes        yes      no       no
    password.set-temporary       yes        reason   no       no
    password.replace             yes        reason   no       no
    mfa.enable                   yes        no       no       no
    mfa.disable                  yes        no       no       yes
    mfa.bypass                   yes        reason   no       no
    mfa.end-bypass               yes        yes      no       no
    device.remove                yes        reason   no       no
    device.unlock                yes        yes      no       no
    device.rename                yes        yes      no       no
    user.create                  yes        no       no       no
    user.update                  yes        yes      no       no
    user.move                    yes        no       no       no
    user.verify-email            yes        yes      no       no
    group.add                    yes        yes      no       no
    group.remove                 yes        yes      no       yes
    session.end                  yes        yes      no       yes
    sessions.end-all             yes        yes      no       yes
"""
NIGHT_DESK = Rights(
    actions={
        "user.activate": frozenset({"ticket"}),
        "user.deactivate": frozenset(),
        "user.unlock": frozenset({"fresh sign-in"}),
        "password.send-recovery-code": frozenset({"reason"}),
        "mfa.disable": frozenset(),
        "group.remove": frozenset(),
        "session.end": frozenset(),
        "sessions.end-all": frozenset(),
    }
)
ROLES = ("org admin", "agent", "auditor", "night desk")
CELLS = {key: dict(zip(ROLES, cells, strict=True)) for key, *cells in map(str.split, TABLE.strip().splitlines()[1:])}


@pytest.fixture
def person(request: Any, acme: Organization, org_admin: Operator, helpdesk: Operator, auditor: Operator) -> Operator:
    """Return the member with the role of the test, in an organization with the defaults of new ones."""
    Organization.objects.filter(pk=acme.pk).update(role_overrides={})
    if request.param == "night desk":
        give(helpdesk, NIGHT_DESK)
    people: dict[str, Operator] = {"org admin": org_admin, "auditor": auditor}
    return people.get(request.param, helpdesk)


@pytest.fixture(autouse=True)
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every attempt end where PingOne would be asked."""

    def pingone(*args: Any) -> None:
        raise NotConnected

    monkeypatch.setattr(OrgAccess, "pingone", pingone)


def by_page(client: Client, action: Action, way: Way) -> str:
    typed = {"submission": str(uuid4())} | {key: text for key, text in typed_for(action).items() if key != "reason"}
    response = client.post(page_of(action), typed, headers={"HX-Request": "true"} if way is Way.FRAGMENT else {})
    to = response.headers.get("HX-Redirect") or response.headers.get("Location", "")
    if "reauthenticate" in to:
        return "sign-in"
    if response.status_code == 403:
        return "no"
    # To show the form again, the page reads the user, too: only the record tells what was tried.
    is_tried = action.form.looks_at_user or AuditEntry.objects.filter(action=action.key, outcome="failed").exists()
    return "yes" if is_tried else "asks"


def by_command(person: Operator, action: Action) -> str:
    told = asking(Way.COMMAND, person)(action, reason="")
    if told.status == 4:
        return "sign-in" if "Sign in again" in told.text else "no"
    return {1: "yes", 2: "asks"}[told.status]


ASKED = {"reason": "asks", "ticket": "asks"}


@pytest.mark.parametrize("person", ROLES, indirect=True)
def test_table_agrees_with_every_page(person, request):
    role = request.node.callspec.params["person"]
    expected = {key: ASKED.get(cells[role], cells[role]) for key, cells in CELLS.items()}
    assert CELLS.keys() == BY_KEY.keys()

    client = Client(raise_request_exception=False)
    client.force_login(person)
    signed_in_long_ago(client)
    for way in (Way.PAGE, Way.FRAGMENT) if role == "night desk" else (Way.PAGE,):
        # A form that looks at the user first has nothing to look at here: it gets as far as PingOne.
        assert {key: by_page(client, BY_KEY[key], way) for key in CELLS if key != "user.create"} == {
            key: answer for key, answer in expected.items() if key != "user.create"
        }


@pytest.mark.parametrize("person", ["agent", "night desk"], indirect=True)
def test_table_agrees_with_the_command(person, request):
    role = request.node.callspec.params["person"]

    answers = {key: by_command(person, BY_KEY[key]) for key in CELLS}

    assert answers == {key: ASKED.get(cells[role], cells[role]) for key, cells in CELLS.items()}


def test_table_agrees_with_the_defaults():
    for role, built_in in (("org admin", "org_admin"), ("agent", "helpdesk_agent"), ("auditor", "auditor")):
        rights = BUILT_IN[built_in]
        said = {key: cells[role] for key, cells in CELLS.items()}
        assert said == {key: "no" if not rights.may(key) else next(iter(rights.demands(key)), "yes") for key in CELLS}
