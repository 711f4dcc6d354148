"""Switching account recovery on and off: the rules of each population, and what a change of them does."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.audit import entries
from console.models import AuditEntry, Organization, RecoveryPolicy, RecoverySettings
from console.models.recovery import EMAIL
from console.policies.recovery_forms import RULES, SettingsForm, form_values, values_of
from console.work.schedule import hasten
from pingone_integration import population_sync
from pingone_integration.models import SyncedPopulation
from pingone_integration.texts import Text


class NotPossible(Exception):
    """A change that must not be made. The reason says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Line:
    """A population, and the rules of recovery there."""

    population: SyncedPopulation
    policy: RecoveryPolicy


def lines(organization: Organization) -> list[Line]:
    """Return the populations as of the last sync. Two queries."""
    policies = {one.population_id: one for one in organization.recovery_policies.all()}
    return [
        Line(population=one, policy=policies.get(one.population_id) or _off(organization, one))
        for one in population_sync.synced(organization.connection)
    ]


def line_of(organization: Organization, population_id: UUID) -> Line | None:
    """Return one population, None if PingOne did not have it at the last sync."""
    found = population_sync.synced(organization.connection).filter(population_id=population_id).first()
    if found is None:
        return None
    policy = organization.recovery_policies.filter(population_id=population_id).first()
    return Line(population=found, policy=policy or _off(organization, found))


def _off(organization: Organization, population: SyncedPopulation) -> RecoveryPolicy:
    return RecoveryPolicy(
        organization=organization, population_id=population.population_id, population_name=population.name
    )


def effects(line: Line, after: dict[str, Any]) -> list[Text]:
    """Return what a change does, in sentences. Empty if it changes nothing."""
    before = values_of(line.policy)
    told: list[Text] = [
        format_lazy(becomes if after[name] else ends, population=line.population.name)
        for name, (becomes, ends) in _SENTENCES.items()
        if before[name] != after[name]
    ]
    if before["proof_attribute"] != after["proof_attribute"]:
        told += _of_address(before["proof_attribute"], after["proof_attribute"])
    if before["opens_with_lost_password"] != after["opens_with_lost_password"] and not told:
        told.append(_("Your answer about the mailbox is kept."))
    return told


def _of_address(before: str, after: str) -> list[Text]:
    told: list[Text] = [_("Codes go to the email address.")]
    if after != EMAIL:
        private = _("Codes go to the address in {attribute}. Agents can no longer edit it.")
        told = [format_lazy(private, attribute=after)]
    if before != EMAIL:
        again = _("Agents can edit {attribute} again, unless another population uses it.")
        told.append(format_lazy(again, attribute=before))
    return told


_SENTENCES = {
    "is_on": (
        _("Users of {population} can recover their account by themselves."),
        _("Users of {population} can no longer recover their account by themselves. Codes already sent stop working."),
    ),
    "accepts_unverified": (
        _("An email address that PingOne has not verified is accepted."),
        _("An email address that PingOne has not verified is no longer accepted."),
    ),
    "demands_device": (
        _("Besides the code from the email, users need one of their MFA devices."),
        _("The code from the email is enough for users who have a password."),
    ),
    "unlocks_account": (
        _("An account lock is lifted too, while the password is locked out."),
        _("An account lock is no longer lifted."),
    ),
    "ends_sessions": (_("A new password ends all sessions."), _("A new password no longer ends sessions.")),
}


def change(access: OrgAccess, line: Line, after: dict[str, Any], *, seen: dict[str, Any], source_address: str) -> bool:
    """Save the rules of a population, on record. `seen` are the rules on the page. Return whether anything changed.

    Raises NotPossible.
    """
    _require_org_admin(access)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        policy = organization.recovery_policies.filter(population_id=line.population.population_id).first()
        policy = policy or _off(organization, line.population)
        before = values_of(policy)
        if form_values(before) != seen:
            raise NotPossible(_("Someone else changed this meanwhile. Look at the changes again."))
        changed = [name for name in RULES if before[name] != after[name]]
        if not changed:
            return False
        for name in changed:
            setattr(policy, name, after[name])
        policy.population_name = line.population.name
        if not {"proof_attribute", "accepts_unverified"}.isdisjoint(changed):
            policy.users_counted = policy.without_address = policy.counted_at = None  # of another address
        policy.save()
        _record(
            access,
            "recovery.rules-changed",
            entries.Subject(
                kind=AuditEntry.Subject.POLICY,
                id=str(policy.population_id),
                name=f"Account recovery: {line.population.name}",
            ),
            source_address,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return True


def ask_for_count(access: OrgAccess, line: Line) -> None:
    """Let the worker count the users without a usable address. Raises NotPossible."""
    _require_org_admin(access)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        policies = organization.recovery_policies.filter(population_id=line.population.population_id)
        if not policies.update(counted_at=None):
            _off(organization, line.population).save()
    hasten("count_recovery_addresses")


def settings_values(organization: Organization) -> dict[str, Any]:
    found = RecoverySettings.objects.filter(organization=organization).first() or RecoverySettings()
    return {name: getattr(found, name) for name in SettingsForm.base_fields}


def change_settings(access: OrgAccess, after: dict[str, Any], *, source_address: str) -> bool:
    """Save what the pages tell every user, on record. Return whether anything changed. Raises NotPossible."""
    _require_org_admin(access)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        before = settings_values(organization)
        changed = [name for name in before if before[name] != after[name]]
        if not changed:
            return False
        RecoverySettings.objects.update_or_create(organization=organization, defaults=after)
        _record(
            access,
            "recovery.settings-changed",
            entries.Subject(kind=AuditEntry.Subject.POLICY, id=organization.slug, name="Account recovery"),
            source_address,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    if "uses_pingone_code" in changed:
        hasten("count_recovery_addresses")  # which reads the password rules as well
    return True


def _require_org_admin(access: OrgAccess) -> None:
    access.require(Permission.MANAGE_POLICIES)
    if not access.is_org_admin:
        raise NotPossible(_("Only org admins can do this."))


def _record(access: OrgAccess, event: str, subject: entries.Subject, source_address: str, **values: Any) -> None:
    entries.record(
        access.org, event, subject=subject, operator=access.operator, source_address=source_address, **values
    )
