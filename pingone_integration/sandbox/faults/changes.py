"""The changes to PingOne's state that can be made without the console, as data, and their undo functions."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pingone_integration.sandbox import password_policy
from pingone_integration.sandbox.models import (
    Application,
    Environment,
    Fault,
    Population,
    RoleAssignment,
    User,
    WorldChange,
)
from pingone_integration.sandbox.oauth.models import Grant, SigningKey
from pingone_integration.sandbox.seed import fixtures


class NoOptions(forms.Form):
    """A form without fields."""


class OfAdministrator(forms.Form):
    administrator = forms.CharField(
        initial="ada.admin",
        help_text="Username in the environment Administrators",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_administrator(self) -> User | None:
        username = self.cleaned_data["administrator"]
        if not username:
            return None
        try:
            return User.objects.get(
                environment_id=fixtures.ADMINISTRATORS_ENVIRONMENT_ID, username_key=username.lower()
            )
        except User.DoesNotExist:
            raise forms.ValidationError("No administrator has this username.") from None


class OfAnybody(OfAdministrator):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["administrator"]
        field.required, field.initial, field.help_text = False, "", "Empty: all grants"


class GraceSeconds(forms.Form):
    seconds = forms.IntegerField(min_value=0, max_value=86400, initial=60)


@dataclass(frozen=True)
class Outcome:
    """The result of a change in words, and the data to undo it."""

    words: str
    undo: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    label: str  # of the button
    about: str
    make: Callable[..., Outcome]  # make(**the form's cleaned data)
    undo: Callable[[dict[str, Any]], None]
    form: type[forms.Form] = NoOptions


def revoke_grants(administrator: User | None) -> Outcome:
    grants = Grant.objects.filter(application_id=fixtures.CLIENT_ID, revoked_at=None)
    if administrator:
        grants = grants.filter(user=administrator)
    ended = grants.update(revoked_at=timezone.now())
    whose = administrator.username if administrator else "the console's application"
    return Outcome(f"Revoked grants of {whose}: {ended}. They stay revoked.", {})


def leave(undo: dict[str, Any]) -> None:
    """Undo nothing: PingOne cannot restore revoked grants or replaced keys, and a rule ends with its change."""


def rotate_secret() -> Outcome:
    old, new = _client().client_secret, token_urlsafe(24)
    set_client({"client_secret": new})
    return Outcome(f"The client secret is now {new}", {"client_secret": old})


def set_client(values: dict[str, Any]) -> None:
    """Change settings of the console's application."""
    Application.objects.filter(id=fixtures.CLIENT_ID).update(**values)


def issue_jwts() -> Outcome:
    undo = {"refresh_tokens_are_jwts": _client().refresh_tokens_are_jwts}
    set_client({"refresh_tokens_are_jwts": True})
    return Outcome("New refresh tokens are JWTs.", undo)


def rotate_keys() -> Outcome:
    SigningKey.objects.all().delete()  # the next token creates a key; this process still knows the old one
    return Outcome("New tokens are signed with a new key. Tokens signed before stay valid.", {})


def apply_minimum_age() -> Outcome:
    return Outcome("A password that was changed within a day cannot be set again.", {})


def apply_history() -> Outcome:
    return Outcome("The current password cannot be set again.", {})


def set_grace_period(seconds: int) -> Outcome:
    undo = {"refresh_token_rolling_grace_period_duration": _client().refresh_token_rolling_grace_period_duration}
    set_client({"refresh_token_rolling_grace_period_duration": seconds})
    return Outcome(f"A used refresh token works once more within {seconds} seconds.", undo)


def admit_everybody() -> Outcome:
    undo = {"admin_users_only": _client().admin_users_only}
    set_client({"admin_users_only": False})
    return Outcome("Every user of the environment Administrators can sign in to the application.", undo)


def remove_roles(administrator: User) -> Outcome:
    populations = Population.objects.filter(environment_id=fixtures.MANAGED_ENVIRONMENT_ID)
    within = Q(scope_id=fixtures.MANAGED_ENVIRONMENT_ID) | Q(scope_id__in=populations.values("id"))
    held = RoleAssignment.objects.filter(within, user=administrator)
    undo = [
        {
            "id": str(assignment.id),
            "role_id": str(assignment.role_id),
            "user_id": str(administrator.id),
            "scope_type": assignment.scope_type,
            "scope_id": str(assignment.scope_id),
            "read_only": assignment.read_only,
        }
        for assignment in held
    ]
    held.delete()
    return Outcome(f"{administrator.username} has no role in the managed environment.", {"assignments": undo})


def give_roles_back(undo: dict[str, Any]) -> None:
    RoleAssignment.objects.bulk_create(RoleAssignment(**assignment) for assignment in undo["assignments"])


def delete_environment() -> Outcome:
    existing = Environment.objects.filter(id=fixtures.MANAGED_ENVIRONMENT_ID)
    undo = {"deleted": [str(environment.id) for environment in existing]}
    existing.update(deleted_at=timezone.now())
    return Outcome("The managed environment is deleted.", undo)


def restore_environments(undo: dict[str, Any]) -> None:
    Environment.with_deleted.filter(id__in=[UUID(id_) for id_ in undo["deleted"]]).update(deleted_at=None)


def take_unlock_away() -> Outcome:
    """Remove unlock from all environments: the plan belongs to the organization."""
    with_it = Environment.with_deleted.filter(has_unlock=True)
    undo = {"without": [str(environment.id) for environment in with_it]}
    with_it.update(has_unlock=False)
    return Outcome("The plan does not include account unlock.", undo)


def give_unlock_back(undo: dict[str, Any]) -> None:
    Environment.with_deleted.filter(id__in=[UUID(id_) for id_ in undo["without"]]).update(has_unlock=True)


def _client() -> Application:
    return Application.objects.get(id=fixtures.CLIENT_ID)


CHANGES = {
    "revoke-grants": Change(
        label="Revoke grants",
        about="Access and refresh tokens stop working at once. This cannot be undone: connect again.",
        form=OfAnybody,
        make=revoke_grants,
        undo=leave,
    ),
    "rotate-secret": Change(
        label="Rotate the client secret",
        about="The application gets a new secret, shown above. Its tokens work until the next refresh.",
        make=rotate_secret,
        undo=set_client,
    ),
    "remove-role": Change(
        label="Remove roles",
        about="An administrator loses all roles in the managed environment.",
        form=OfAdministrator,
        make=remove_roles,
        undo=give_roles_back,
    ),
    "delete-environment": Change(
        label="Delete the managed environment",
        about="The environment then answers 404, and everything below it 403.",
        make=delete_environment,
        undo=restore_environments,
    ),
    "no-unlock": Change(
        label="Remove unlock from the plan",
        about="Unlocking an account then answers 415.",
        make=take_unlock_away,
        undo=give_unlock_back,
    ),
    "jwt-refresh-tokens": Change(
        label="Issue JWT refresh tokens",
        about="The older kind of refresh token, starting with the next sign-in or refresh.",
        make=issue_jwts,
        undo=set_client,
    ),
    "admit-everybody": Change(
        label="Turn off Admin only access",
        about="It keeps out Identity Data Read Only, Help Desk Admin and custom roles.",
        make=admit_everybody,
        undo=set_client,
    ),
    "rotate-keys": Change(
        label="Rotate the signing keys",
        about="As PingOne does every 90 days: the key set has another key. This cannot be undone.",
        make=rotate_keys,
        undo=leave,
    ),
    password_policy.MINIMUM_AGE: Change(
        label="Apply the minimum age of passwords",
        about="A password that was changed within a day cannot be set again, by an administrator either.",
        make=apply_minimum_age,
        undo=leave,
    ),
    password_policy.HISTORY: Change(
        label="Apply the history of passwords",
        about="The current password cannot be set again, by an administrator either.",
        make=apply_history,
        undo=leave,
    ),
    "grace-period": Change(
        label="Set the grace period",
        about="How long a used refresh token works once more.",
        form=GraceSeconds,
        make=set_grace_period,
        undo=set_client,
    ),
}


@transaction.atomic
def change(name: str, **options: Any) -> None:
    outcome = CHANGES[name].make(**options)
    WorldChange.objects.create(name=name, words=outcome.words, undo=outcome.undo)


@transaction.atomic
def mend() -> None:
    """Delete all faults, and undo all changes, the latest first."""
    Fault.objects.all().delete()
    for made in WorldChange.objects.order_by("-id"):
        CHANGES[made.name].undo(made.undo)
        made.delete()
