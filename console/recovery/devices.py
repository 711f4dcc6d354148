"""One of a user's MFA devices as a proof in addition to the mailbox: which ones count, and the code of one.

Never a push: whoever presses "Confirm" on a phone has not asked for it here. Never what the mailbox itself can read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Organization, RecoveryAttempt
from console.recovery import attempts, rules, throttle
from console.recovery.addresses import address_of
from console.recovery.policy import policy_for
from console.recovery.steps import Account
from pingone_integration import device_authentication, devices
from pingone_integration.calls import rate_limit
from pingone_integration.connection.open_api import open_api, open_auth_api
from pingone_integration.devices import Device
from pingone_integration.errors import RefusedByState
from pingone_integration.texts import Text

Stop: TypeAlias = RecoveryAttempt.Stop

# FIDO2 is bound to PingOne's host, EMAIL is the same channel as the code, MOBILE gets a push.
_LABELS = {
    "SMS": _("Text message to the number ending in {digits}"),
    "VOICE": _("Call to the number ending in {digits}"),
    "WHATSAPP": _("WhatsApp message to the number ending in {digits}"),
    "TOTP": _("Authenticator app"),
    "OATH_TOKEN": _("Hardware token"),
}
_MAKES_CODES = frozenset({"TOTP", "OATH_TOKEN"})


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A device as the person at the page sees it: without its number."""

    id: UUID
    label: Text
    nickname: str  # only where two devices would look alike
    makes_codes: bool  # by itself: nothing is sent


def choices(attempt: RecoveryAttempt, account: Account) -> list[Choice]:
    """Return the devices that prove who they are. Without any, the attempt ends. Raises PingOneErrors."""
    organization, user = attempt.organization, account.user
    policy = policy_for(organization, user.population_id)
    address = address_of(user, policy) if policy else ""
    found: list[Device] = []
    if address and rules.stop_by_user(organization, policy, user) is None:
        with rate_limit.in_recovery():
            every = devices.all_of(open_api(organization.connection), user.id)
        found = [one for one in every if proves(organization, one, address)]
    if not found:
        attempts.end(RecoveryAttempt.objects.filter(pk=attempt.pk), Stop.NEEDS_DEVICE)
    elif is_over(attempt):
        attempts.end(RecoveryAttempt.objects.filter(pk=attempt.pk), Stop.DEVICE_CODES)
        return []
    return list(_told_apart(found))


def proves(organization: Organization, device: Device, address: str) -> bool:
    """Return whether a device proves something that the mailbox does not, and was not paired a short while ago."""
    if device.type not in _LABELS or not device.is_usable:
        return False
    if "@" in device.target:  # a mailbox, whatever the type says
        return False
    settled = timezone.now() - timedelta(hours=organization.cooling_off_hours)
    return device.created_at is not None and device.created_at <= settled


def _told_apart(found: Iterable[Device]) -> Iterable[Choice]:
    labels = {one.id: label_of(one.type, one.target) for one in found}
    words = [str(label) for label in labels.values()]
    for one in found:
        label = labels[one.id]
        is_one_of_several = words.count(str(label)) > 1
        yield Choice(
            id=one.id,
            label=label,
            nickname=one.nickname if is_one_of_several else "",
            makes_codes=one.type in _MAKES_CODES,
        )


def label_of(kind: str, number: str) -> Text:
    return format_lazy(_LABELS[kind], digits=_last_digits(number))


def _last_digits(number: str) -> str:
    digits = [sign for sign in number if sign.isdigit()]
    return "".join(digits[-2:]) if len(digits) > 4 else "••"


def is_over(attempt: RecoveryAttempt) -> bool:
    """Return whether this person entered too many wrong codes of a device within a day."""
    return throttle.DEVICE_CODES.is_reached(_whose(attempt))


def ask(attempt: RecoveryAttempt, chosen: Choice) -> bool:
    """Let a device of the user ask for its code, and write the choice. Raises PingOneErrors.

    False: asked too often within a day, PingOne would not ask this device for a code, or the proof is over.
    """
    if attempt.user_id is None or not throttle.DEVICE_ASKED.count(_whose(attempt)):
        return False
    with rate_limit.in_recovery():
        api = open_auth_api(attempt.organization.connection)
        try:
            authentication = device_authentication.begin(api, attempt.user_id, chosen.id)
        except RefusedByState:
            return False
    return attempts.choose_device(attempt, chosen.id, authentication)


def check(attempt: RecoveryAttempt, typed: str) -> bool:
    """Ask PingOne whether the code of the chosen device is right, and write it. Raises PingOneErrors.

    A try is counted before PingOne sees it, so that however many come at once, no page locks a device.
    """
    whose = _whose(attempt)
    if attempt.device_authentication is None or not throttle.DEVICE_CODES.count(whose):
        return False
    with rate_limit.in_recovery():
        api = open_auth_api(attempt.organization.connection)
        is_right = device_authentication.check(api, attempt.device_authentication, typed)
    if not is_right or not attempts.prove_device(attempt):
        return False
    throttle.DEVICE_CODES.take_back(whose)
    _record(attempt)
    return True


def _whose(attempt: RecoveryAttempt) -> str:
    return f"{attempt.organization_id} {attempt.user_id}"


def _record(attempt: RecoveryAttempt) -> None:
    entries.record(
        attempt.organization,
        "recovery.device-proven",
        subject=Subject(
            kind=AuditEntry.Subject.USER,
            id=attempt.user_id or "",
            name=attempt.username,
            population_id=attempt.candidate_population,
        ),
        by_user=True,
        source_address=attempt.source_address,
        inputs={"reference": attempt.reference, "browser": attempt.browser},
    )
