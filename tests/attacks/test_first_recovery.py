"""Attack stories: a new user's first recovery needs no cooling-off and no verified address. Nobody else gets in by it.

Each story but the first has one thing that is not as a plan left it, and no code is sent.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.models import Operator, Organization, PlanRun, PlanRunStep, RecoveryAttempt, RecoveryPolicy
from console.plans.shipped_plans import shipped
from console.recovery import first
from tests.support.answers import ADA, Json
from tests.support.record import happened
from tests.support.recovering import LONG_AGO, PersonAtPages, RecoveryEnvironment, mocked_environment, switch_on

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "ada.berg@acme.test"


@dataclass
class Scene:
    """Ada, whom a plan has just created at Acme. An org admin has named their manager since."""

    acme: Organization
    globex: Organization
    admin: Operator
    run: PlanRun
    environment: RecoveryEnvironment
    policy: RecoveryPolicy

    @property
    def ada(self) -> Json:
        return self.environment.users[ADA]

    def on_record(self, action: str, *, email: str = EMAIL, **more: Any) -> None:
        happened(self.acme, self.admin, action=action, email=email, **more)

    def attempt(self) -> RecoveryAttempt:
        """Let Ada, or whoever reads the mail, go as far as they get."""
        person = PersonAtPages()
        person.start()
        if person.attempt.code_sent:
            person.post("code", code=person.code())
            person.choose_password()
        return person.attempt


def ran(organization: Organization, starter: Operator, **changes: Any) -> PlanRun:
    """Return a run that created Ada."""
    run = PlanRun.objects.create(
        organization=organization,
        definition=shipped()["onboard"].as_json(),
        plan_slug="onboard",
        person_id=ADA,
        person_name="ada.berg",
        starter=starter,
        choices={"1": {"profile": {"username": "ada.berg", "email": EMAIL}, "population_id": None}},
        state=PlanRun.State.FINISHED,
        **changes,
    )
    PlanRunStep.objects.create(run=run, number=1, state=PlanRunStep.State.DONE)
    return run


@pytest.fixture
def scene(acme: Organization, globex: Organization, org_admin: Operator) -> Iterator[Scene]:
    acme.manager_attribute = "boss"
    acme.save()
    with mocked_environment() as environment:
        environment.users[ADA]["emailVerified"] = False
        environment.users[ADA].pop("lastSignOn", None)
        environment.passwords[ADA] = {"status": "MUST_CHANGE_PASSWORD", "lastChangedAt": LONG_AGO}
        policy = switch_on(acme)
        scene = Scene(acme, globex, org_admin, ran(acme, org_admin), environment, policy)
        scene.on_record("user.update", inputs={"changes": {"boss": "eva"}})
        yield scene


def test_new_user_chooses_their_password_by_the_first_recovery(scene: Scene) -> None:
    attempt = scene.attempt()

    assert (attempt.stop, attempt.step) == ("", "done")
    assert scene.environment.set_passwords


def somebody_else_created_them(scene: Scene) -> None:
    scene.run.delete()


def another_plan_ran_for_them(scene: Scene) -> None:
    """It has a first step that is done, and a profile that somebody typed."""
    definition = scene.run.definition | {"kind": "change"}
    PlanRun.objects.filter(pk=scene.run.pk).update(definition=definition)


def run_found_them_there(scene: Scene) -> None:
    """The username was somebody's, and the first step failed."""
    scene.run.steps.update(state=PlanRunStep.State.FAILED)


def another_organization_created_them(scene: Scene) -> None:
    """Both are connected to the same environment."""
    PlanRun.objects.filter(pk=scene.run.pk).update(organization=scene.globex)


def address_was_changed_elsewhere(scene: Scene) -> None:
    scene.ada["email"] = "ada.berg@evil.test"


def address_was_changed_here_and_back(scene: Scene) -> None:
    scene.on_record("user.update", inputs={"changes": {"email": EMAIL}})


def address_was_changed_by_a_request_and_back(scene: Scene) -> None:
    sent = {"method": "PATCH", "path": f"users/{ADA}", "body": json.dumps({"email": EMAIL})}
    happened(scene.acme, scene.admin, action="api.call", name=f"PATCH users/{ADA}", inputs=sent)


def address_was_seen_to_be_another_one(scene: Scene) -> None:
    scene.on_record("user.unlock", email="ada.berg@evil.test")


def they_have_signed_in(scene: Scene) -> None:
    scene.ada["lastSignOn"] = {"at": LONG_AGO}


def pingone_does_not_say_whether_they_signed_in(scene: Scene) -> None:
    scene.ada["lastSignOn"] = {}


def they_have_recovered_before(scene: Scene) -> None:
    assert scene.attempt().step == "done"
    RecoveryAttempt.objects.update(looked_at=timezone.now() - timedelta(hours=1), is_released=True)
    scene.environment.set_passwords.clear()


def private_address_is_another_one(scene: Scene) -> None:
    """It proves who they are, and nobody typed it at the start."""
    scene.policy.proof_attribute = "home"
    scene.policy.save()
    scene.ada["home"] = "ada@evil.test"
    scene.on_record("user.update", inputs={"changes": {"home": "ada@evil.test"}})


STORIES: list[Callable[[Scene], None]] = [
    somebody_else_created_them,
    another_plan_ran_for_them,
    run_found_them_there,
    another_organization_created_them,
    address_was_changed_elsewhere,
    address_was_changed_here_and_back,
    address_was_changed_by_a_request_and_back,
    address_was_seen_to_be_another_one,
    they_have_signed_in,
    pingone_does_not_say_whether_they_signed_in,
    they_have_recovered_before,
    private_address_is_another_one,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("accepts_unverified", [False, True])
def test_story_ends_before_a_code_is_sent(
    scene: Scene, story: Callable[[Scene], None], accepts_unverified: bool
) -> None:
    """Where unverified addresses are accepted, the cooling-off after the change of the manager is what refuses."""
    story(scene)
    RecoveryPolicy.objects.update(accepts_unverified=accepts_unverified)

    attempt = scene.attempt()

    assert attempt.stop in {"unverified", "new-contact", "unknown"}
    assert not scene.environment.set_passwords


@pytest.mark.parametrize(
    "story", [they_have_signed_in, address_was_seen_to_be_another_one], ids=lambda one: one.__name__
)
def test_story_that_begins_after_the_code_changes_nothing(scene: Scene, story: Callable[[Scene], None]) -> None:
    person = PersonAtPages()
    person.prove()
    story(scene)

    person.choose_password()

    assert not scene.environment.set_passwords


def test_story_would_succeed_without_the_guard(scene: Scene, monkeypatch: Any) -> None:
    they_have_signed_in(scene)
    monkeypatch.setattr(first, "is_first", lambda *_about: True)

    assert scene.attempt().step == "done"
