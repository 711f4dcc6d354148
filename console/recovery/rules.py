"""The rules of recovery: whose account may be recovered, by which address, and what is never lifted.

The worker applies them before it sends a code, and `perform` applies them again to everything that follows from one.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from console.actions.affected import Affected
from console.audit.api_requests import ACTION as CALL_API
from console.models import AuditEntry, Organization, RecoveryAttempt, RecoveryPolicy
from console.models.recovery import EMAIL
from console.protection import contacts, judge
from console.protection.facts import folded
from console.recovery import first, throttle
from console.recovery.addresses import address_of
from console.recovery.policy import policy_for
from pingone_integration.calls.api import PingOneApi
from pingone_integration.passwords import PasswordState
from pingone_integration.users import User

RECOVERIES, UNLOCKS = 3, 2  # without a newer sign-in

Stop: TypeAlias = RecoveryAttempt.Stop
Choice: TypeAlias = RecoveryAttempt.Choice

_WITH_PASSWORD = frozenset({"OK", "PASSWORD_EXPIRED", "PASSWORD_LOCKED_OUT", "MUST_CHANGE_PASSWORD"})
_MAY_HAVE_HAPPENED = (AuditEntry.Outcome.STARTED, AuditEntry.Outcome.SUCCEEDED, AuditEntry.Outcome.UNKNOWN)


def stop_by_user(organization: Organization, policy: RecoveryPolicy | None, user: User) -> Stop | None:
    """Return why this user cannot recover, as far as the user as read from PingOne says."""
    if organization.is_locked_down:
        return Stop.LOCK_DOWN
    if policy is None:
        return Stop.OFF
    if user.enabled is not True:
        return Stop.DISABLED
    if user.has_external_identity_provider:
        return Stop.ELSEWHERE
    stop = stop_by_address(policy, user)
    return None if stop == Stop.UNVERIFIED and first.is_first(organization, user) else stop


def stop_by_address(policy: RecoveryPolicy, user: User) -> Stop | None:
    """Return why no address on file proves who this user is."""
    if not address_of(user, policy):
        return Stop.NO_ADDRESS
    if policy.proof_attribute == EMAIL and user.email_verified is not True and not policy.accepts_unverified:
        return Stop.UNVERIFIED
    return None


def stop_by_state(
    organization: Organization, api: PingOneApi, user: User, password: PasswordState, address_hash: str
) -> Stop | None:
    """Return why this user cannot recover, from the password, the record and their roles. Raises nothing."""
    if password.status == "EXTERNAL":
        return Stop.ELSEWHERE
    if is_new_contact(organization, user, address_hash):
        return Stop.NEW_CONTACT
    if judge.protection_of(organization, api, Affected(user=user.id, recovers_by_email=True), user):
        return Stop.PROTECTED
    if recovered(organization, user) >= RECOVERIES:
        return Stop.TOO_OFTEN
    return None


def needs_device(policy: RecoveryPolicy | None, password: PasswordState) -> bool:
    """Return whether the mailbox alone is not enough. Without a password it never is: it would be the only proof."""
    return policy is None or policy.demands_device or password.status not in _WITH_PASSWORD


def stop_by_pingone(policy: RecoveryPolicy | None, user: User, password: PasswordState) -> Stop | None:
    """Return why PingOne's own code does not serve: it goes to the email address, and helps nobody who is locked."""
    if password.is_locked or user.is_locked is not False:
        return Stop.LOCKED
    if needs_device(policy, password):
        return Stop.NEEDS_DEVICE
    return None if policy and policy.proof_attribute == EMAIL else Stop.NO_ADDRESS


def hash_of(organization_id: UUID, address: str) -> str:
    return salted_hmac(
        "console.recovery.address", f"{organization_id} {folded(address)}", algorithm="sha256"
    ).hexdigest()


def seen_of(user: User, password: PasswordState, address_hash: str) -> dict[str, Any]:
    """Return what must stay as it is between the code and what follows from it."""
    return {
        "address": address_hash,
        "population": str(user.population_id),
        "enabled": user.enabled,
        "password_changed_at": password.last_changed_at.isoformat() if password.last_changed_at else "",
    }


def seen_after(attempt: RecoveryAttempt, password: PasswordState) -> dict[str, Any]:
    """Return what must stay as it is after the recovery itself set a new password."""
    changed_at = password.last_changed_at
    return (attempt.seen or {}) | {"password_changed_at": changed_at.isoformat() if changed_at else ""}


def is_as_seen(attempt: RecoveryAttempt, user: User, password: PasswordState) -> bool:
    """Return whether nothing changed since the code was sent, and no more proof is asked for than then."""
    policy = policy_for(attempt.organization, user.population_id)
    address = address_of(user, policy) if policy else ""
    if needs_device(policy, password) and not attempt.needs_device:
        return False
    return bool(address) and attempt.seen == seen_of(user, password, hash_of(attempt.organization_id, address))


def is_new_contact(organization: Organization, user: User, address_hash: str) -> bool:
    """Return whether the address changed during the cooling-off time, whoever changed it."""
    if first.is_first(organization, user):
        return False
    if contacts.too_new(organization, user.id, user):
        return True
    since = timezone.now() - timedelta(hours=organization.cooling_off_hours)
    others = RecoveryAttempt.objects.filter(organization=organization, candidate=user.id, looked_at__gt=since)
    if others.exclude(address_hash__in=("", address_hash)).exists():
        return True
    rows = AuditEntry.objects.filter(organization=organization, subject_id=str(user.id), at__gt=since)
    addresses = rows.exclude(subject_email="").values_list("subject_email", flat=True).distinct()
    return any(folded(address) != folded(user.email) for address in addresses)


def recovered(organization: Organization, user: User, choice: Choice | None = None) -> int:
    """Return how often they recovered since they last signed in."""
    rows = RecoveryAttempt.objects.filter(
        organization=organization, user_id=user.id, step=RecoveryAttempt.Step.DONE, is_released=False
    )
    if user.last_sign_on_at:
        rows = rows.filter(ended_at__gt=user.last_sign_on_at)
    return rows.filter(choice=choice).count() if choice else rows.count()


def knows_network(organization: Organization, user: User, network: str) -> bool:
    """Return whether they have signed in or recovered from this network."""
    if user.last_sign_on_from and throttle.network_of(user.last_sign_on_from) == network:
        return True
    own = RecoveryAttempt.objects.filter(organization=organization, user_id=user.id, network=network)
    return own.filter(step=RecoveryAttempt.Step.DONE).exists()


def locked_on_purpose(organization: Organization, user_id: UUID, now: datetime | None = None) -> bool:
    """Return whether our record shows a lock that still holds: by an operator, or by "this was not me"."""
    rows = AuditEntry.objects.filter(organization=organization, outcome__in=_MAY_HAVE_HAPPENED)
    of_user = Q(subject_id=str(user_id), action__in=("user.lock", "user.unlock"))
    by_request = Q(action=CALL_API, subject_name__icontains=str(user_id))
    for row in rows.filter(of_user | by_request).order_by("-sequence")[:50]:
        if row.action == CALL_API:
            media_type = str(row.inputs.get("media_type", "")).casefold()
            if "account.lock" in media_type:
                return True
            if "account.unlock" in media_type:
                return False
        elif row.action == "user.lock":
            until = parse_datetime(str(row.inputs.get("until") or "")) if row.inputs.get("until") else None
            return until is None or until > (now or timezone.now())
        else:
            return False
    return False


def usernames_for(organization: Organization, found: Iterable[User]) -> list[str]:
    """Return the usernames that an email address is told when several users have it: of those who may recover by it."""
    told = []
    for user in found:
        policy = policy_for(organization, user.population_id)
        is_by_email = policy is not None and policy.proof_attribute == EMAIL
        may_recover = is_by_email and stop_by_user(organization, policy, user) is None
        if may_recover and not judge.known_protection(organization, user):
            told.append(user.username)
    return sorted(told)
