"""Every action of the catalogue with the sandbox: it takes effect, and reading the user back confirms it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.catalogue import ACTIONS, BY_KEY
from console.actions.outcome import Done, NoChange, Refused, error_of
from console.audit.chain import verify
from console.audit.entries import Circumstances, storable
from console.models import Organization
from console.perform.undo import undo
from console.perform.user_operation import perform
from pingone_integration import groups, mfa, passwords, populations, schemas, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import (
    Duplicate,
    InvalidValue,
    MissingPermission,
    NotFound,
    PingOneError,
    RefusedByState,
)
from pingone_integration.models import Connection
from tests.support.people import make_operator, without_groups
from tests.support.sandbox_server import Sandbox


@pytest.fixture
def access(connection: Connection, sandbox: Sandbox) -> OrgAccess:
    connection.managed_environment_id = UUID(sandbox.details["managed_environment_id"])
    connection.save()
    organization = without_groups(Organization.objects.create(slug="acme", name="Acme", connection=connection))
    return enter_org(make_operator("admin@acme.test", organization, "org_admin"), "acme")


@pytest.fixture
def api(access: OrgAccess) -> PingOneApi:
    return access.pingone()


@pytest.fixture
def do(access: OrgAccess) -> Callable[..., Done | NoChange]:
    """Return a function that performs an action and raises PingOne's error if the action failed."""

    def do(key: str, user_id: UUID | None, **inputs: Any) -> Done | NoChange:
        result = perform(access, BY_KEY[key], user_id, inputs, Circumstances())
        if error := error_of(result):
            raise error
        assert isinstance(result, Done | NoChange)
        return result

    return do


@pytest.fixture
def default_population(api: PingOneApi) -> UUID:
    return next(population.id for population in populations.all_of(api) if population.is_default)


@pytest.fixture
def mara(do: Callable[..., Done | NoChange], default_population: UUID) -> UUID:
    """Create a user for a single test."""
    name = f"t{uuid4().hex[:8]}.mara"
    profile = {"username": name, "email": f"{name}@acme.test", "given_name": "Mara", "family_name": "Lind"}
    return UUID(do("user.create", None, profile=profile, population_id=default_population).entry.subject_id)


@pytest.fixture
def device(mara: UUID, sandbox: Sandbox) -> UUID:
    return sandbox.pair_device(mara)


@pytest.fixture
def signed_on(mara: UUID, sandbox: Sandbox) -> list[UUID]:
    """Begin three sessions of Mara."""
    return [sandbox.begin_session(mara) for _ in range(3)]


@pytest.fixture
def group(api: PingOneApi) -> UUID:
    return UUID(api.post("/groups", {"name": f"t{uuid4().hex[:8]}"})["id"])


def soon() -> datetime:
    return (timezone.now() + timedelta(hours=2)).replace(microsecond=0)


def test_created_user_exists(api, mara):
    assert users.get(api, mara).display_name == "Mara Lind"


def test_action_takes_effect_and_the_record_confirms_it(
    do, api, mara, group, device, signed_on, access, default_population
):
    """Perform the actions one after the other on a single user."""
    passwords.set_temporary(api, mara)
    elsewhere = next(one.id for one in populations.all_of(api) if one.id != default_population)
    story: list[tuple[str, dict[str, Any]]] = [
        ("user.update", {"changes": {"title": "Chief", "locality": "Lund", "nickname": ""}, "seen_at": None}),
        ("user.verify-email", {}),
        ("user.lock", {"until": soon()}),
        ("user.unlock", {}),
        ("password.force-change", {}),
        ("password.unlock", {}),
        ("password.set-temporary", {}),
        ("password.replace", {}),
        ("password.send-recovery-code", {}),
        ("mfa.enable", {}),
        ("mfa.bypass", {"until": soon()}),
        ("mfa.end-bypass", {}),
        ("device.rename", {"device_id": device, "nickname": "Work"}),
        ("device.unlock", {"device_id": device}),
        ("device.remove", {"device_id": device}),
        ("mfa.disable", {}),
        ("group.add", {"group_id": group}),
        ("group.remove", {"group_id": group}),
        ("session.end", {"session_id": signed_on[0]}),
        ("sessions.end-all", {}),
        ("user.move", {"population_id": elsewhere}),
        ("user.deactivate", {}),
        ("user.activate", {}),
        ("user.delete", {}),
    ]
    so_already = {"password.force-change", "password.unlock"}  # set_temporary has already done the first
    for key, inputs in story:
        performed = do(key, mara, **inputs)
        expected = storable(BY_KEY[key].expected(inputs))
        assert performed.entry.outcome == ("no change" if key in so_already else "succeeded"), key
        assert performed.entry.note == "", key
        assert key != "sessions.end-all" or performed.entry.before == {"sessions": 2}
        if expected is not None:
            assert expected.items() <= performed.entry.after.items(), key
    assert {key for key, _ in story} | {"user.create"} == {action.key for action in ACTIONS}
    assert verify(access.org) is None
    with pytest.raises(NotFound):
        users.get(api, mara)


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("user.deactivate", {}),
        ("user.update", {"changes": {"title": "Chief", "given_name": "Maria", "locality": "Lund"}}),
    ],
)
def test_undo_restores_the_previous_values(do, api, mara, access, key, inputs):
    before = users.get(api, mara)
    entry = do(key, mara, **inputs).entry

    undo(access, entry, Circumstances())

    after = users.get(api, mara)
    assert (after.enabled, after.title, after.name, after.address) == (
        before.enabled,
        before.title,
        before.name,
        before.address,
    )


@pytest.mark.parametrize("refused", ["PUT", "DELETE", "PUT,DELETE"])
def test_bypass_is_ended_by_the_way_that_pingone_takes(do, api, mara, sandbox, refused):
    do("mfa.bypass", mara, until=soon())

    with sandbox.broken("405", path="/bypassMFA", methods=refused):
        if refused == "PUT,DELETE":
            with pytest.raises(RefusedByState):
                do("mfa.end-bypass", mara)
        else:
            assert isinstance(do("mfa.end-bypass", mara), Done)

    assert bool(mfa.bypass_state(api, mara).until) == (refused == "PUT,DELETE")
    assert isinstance(do("mfa.end-bypass", mara), NoChange if refused != "PUT,DELETE" else Done)


def test_undo_of_a_membership_is_refused_after_somebody_else_ended_it(do, api, mara, group, access):
    entry = do("group.add", mara, group_id=group).entry
    groups.remove(api, mara, group_id=group)

    result = undo(access, entry, Circumstances())

    assert isinstance(result, Refused)
    assert "changed since" in str(result.reason)


@pytest.mark.parametrize(
    ("key", "inputs", "error"),
    [
        ("group.remove", {"group_id": uuid4()}, NotFound),
        ("group.add", {"group_id": uuid4()}, (NotFound, InvalidValue)),
        ("user.move", {"population_id": uuid4()}, (NotFound, InvalidValue)),
        ("user.update", {"changes": {"country_code": "Sweden"}}, InvalidValue),
        ("password.send-recovery-code", {}, PingOneError),  # the user has no password yet
    ],
)
def test_action_refused_by_pingone_fails_with_the_right_error(do, mara, key, inputs, error):
    with pytest.raises(error) as raised:
        do(key, mara, **inputs)

    assert raised.value.outcome_known
    assert not isinstance(raised.value, MissingPermission)


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("user.activate", {}),
        ("user.unlock", {}),
        ("password.unlock", {}),
        ("mfa.disable", {}),
        ("group.remove", {"group_id": "group"}),
        ("device.remove", {"device_id": uuid4()}),
        ("session.end", {"session_id": uuid4()}),
        ("sessions.end-all", {}),
    ],
)
def test_action_without_anything_to_change_says_so(do, mara, group, key, inputs):
    inputs = {name: group if value == "group" else value for name, value in inputs.items()}

    result = do(key, mara, **inputs)

    assert isinstance(result, NoChange)
    assert (result.entry.outcome, result.entry.before) == ("no change", result.entry.after)


def test_taken_username_creates_no_user(do, api, mara, default_population):
    username = users.get(api, mara).username.upper()

    with pytest.raises(Duplicate):
        do("user.create", None, profile={"username": username}, population_id=default_population)


def test_attribute_unknown_to_the_schema_is_noted(do, mara):
    entry = do("user.update", mara, changes={"titel": "Chief", "title": "Chief"}).entry

    assert entry.note == "PingOne did not save: titel."


def test_schema_of_the_environment_names_its_attributes(api):
    found = {attribute.name: attribute for attribute in schemas.user_attributes(api)}

    assert found["username"].required
    assert not found["username"].is_custom
