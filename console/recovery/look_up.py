"""The worker's part of recovery: find whom an attempt is about, apply the rules, and send the code.

Networks take turns, so that a flood from some leaves room for others. The names of several networks are searched for
together, and what is nobody ends without a look at each attempt.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from console.audit import entries
from console.audit.entries import Outcome, Subject
from console.models import AuditEntry, RecoveryAttempt, Work
from console.recovery import equal, mails, rules, stops, throttle
from console.recovery.addresses import address_of, is_address
from console.recovery.attempts import expires_at, typed_hash
from console.recovery.policy import policy_for
from console.recovery.relay import is_relayable, relay, wait_for_relay
from console.recovery.search import Found, Network, find, find_ahead, next_of
from console.recovery.unknown import UNKNOWN_FOR, end_found, end_known, unknown_since
from pingone_integration import passwords, users
from pingone_integration.calls import rate_limit
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import NotFound, PingOneError, RefusedByState
from pingone_integration.users import User

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
WORTH_FOR = timedelta(minutes=2)  # whoever waits longer has given up
RETRY = timedelta(seconds=5)
TOLD_EVERY = timedelta(hours=1)  # of one user's refusals, one is on record
SEARCHED_TOGETHER = 20  # networks

Step: TypeAlias = RecoveryAttempt.Step
Stop: TypeAlias = RecoveryAttempt.Stop


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Look up what waits, until nothing does. Return how many attempts that were."""
    count = 0
    while not stopping() and (networks := _waiting_networks()):
        for first in range(0, len(networks), SEARCHED_TOGETHER):
            now = timezone.now()
            count += end_known(now - WORTH_FOR, now)
            attempts = next_of(networks[first : first + SEARCHED_TOGETHER])
            found = find_ahead(attempts, known_since=now - UNKNOWN_FOR)
            count += end_found(found, now - WORTH_FOR, now)
            for attempt in attempts:
                if stopping():
                    return count
                count += _look_up(attempt, found)
    return count


def _look_up(waiting: RecoveryAttempt, found: Found) -> int:
    rows = RecoveryAttempt.objects.filter(pk=waiting.pk)
    attempt = rows.select_related("organization__connection").claim(LEASE)
    if attempt is None:
        return 0
    relay(attempt) if is_relayable(attempt) else look_up(attempt, found)
    return 1


def _waiting_networks() -> list[Network]:
    """Return who waits, once each, whoever has waited longest first."""
    due = RecoveryAttempt.objects.due().order_by()
    waiting = due.values("organization_id", "network").annotate(since=Min("wanted_at")).order_by("since")
    return [(row["organization_id"], row["network"]) for row in waiting]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of an attempt: why it stopped, and the email to write, if any."""

    stop: Stop | None = None
    user: User | None = None
    mail: Callable[[], None] | None = None
    known_since: datetime | None = None  # PingOne was asked then, for an equal attempt; None: now


def look_up(attempt: RecoveryAttempt, ahead: Found) -> None:
    """Send the code if the rules allow it. Whatever happens, the pages look the same. `ahead`: found already."""
    now = timezone.now()
    try:
        if attempt.wanted_at < now - WORTH_FOR:
            answer = Answer(stop=Stop.LATE)
        else:
            with rate_limit.in_recovery():
                answer = _answer(attempt, now, ahead)
    except PingOneError as error:
        logger.warning("Recovery %s: %s", attempt.reference, error.kind)
        if attempt.wanted_at + WORTH_FOR > now + RETRY:
            attempt.put_back(RETRY)
            return
        answer = Answer(stop=Stop.UNREACHABLE)
    with transaction.atomic():  # the email and what the code is checked against, or neither
        if not _end(attempt, answer, now):
            return
        if answer.mail:
            answer.mail()
        if answer.user:
            _record(attempt, answer.user, answer.stop)


def _end(attempt: RecoveryAttempt, answer: Answer, now: datetime) -> bool:
    stop = answer.stop
    is_done = attempt.end(
        Work.State.DONE,
        sealed_typed=attempt.sealed_typed if stop in {Stop.LATE, Stop.UNREACHABLE} else "",
        stop=stop or "",
        looked_at=answer.known_since or now,
        candidate=attempt.candidate,
        candidate_population=attempt.candidate_population,
        username=attempt.username,
        address_hash=attempt.address_hash,
        seen=attempt.seen if stop is None else None,
        needs_device=attempt.needs_device,
        code_seed=attempt.code_seed,
        code_sent=attempt.code_sent or stop is None,
        code_expires_at=expires_at(attempt, now),
    )
    if is_done and attempt.by_pingone:  # their answer may have come meanwhile
        wait_for_relay(attempt)
    return is_done


def _answer(attempt: RecoveryAttempt, now: datetime, ahead: Found) -> Answer:
    if attempt.candidate is None and not attempt.sealed_typed:  # asked again, and nobody was found before
        return Answer(stop=Stop(attempt.stop or Stop.UNKNOWN))
    if since := unknown_since(attempt, now):
        return Answer(stop=Stop.UNKNOWN, known_since=since)
    if (earlier := equal.join(attempt, now) or equal.refusal(attempt, now)) is not None:
        return Answer(stop=Stop(earlier.stop) if earlier.stop else None, known_since=earlier.looked_at)
    api = open_api(attempt.organization.connection)
    found: list[User] = []
    if not (known := equal.candidate_of(attempt, now)):
        in_advance = ahead.get((attempt.organization_id, attempt.typed_hash))
        found = find(api, attempt.unseal("typed")) if in_advance is None else in_advance
    if len(found) > 1:
        return _several(attempt, found)
    if not (user_id := known or next((user.id for user in found), None)):
        return Answer(stop=Stop.UNKNOWN)
    try:
        user = users.get(api, user_id)  # with groups, which no search brings
    except NotFound:
        return Answer(stop=Stop.UNKNOWN)
    if not _is_meant(attempt, user):  # renamed since
        return Answer(stop=Stop.UNKNOWN)
    attempt.candidate, attempt.candidate_population, attempt.username = user.id, user.population_id, user.username
    return _one(attempt, api, user)


def _is_meant(attempt: RecoveryAttempt, user: User) -> bool:
    hashes = (typed_hash(attempt.organization_id, text) for text in (user.username, user.email) if text)
    return attempt.typed_hash in hashes


def _one(attempt: RecoveryAttempt, api: PingOneApi, user: User) -> Answer:
    organization = attempt.organization
    policy = policy_for(organization, user.population_id)
    stop = rules.stop_by_user(organization, policy, user)
    address = address_of(user, policy) if policy else ""
    if stop is None and _has_enough_mail(attempt, user):
        stop = Stop.TOO_MANY_MAILS  # before the other calls: a flood of one name asks for nothing else
    if stop is None:
        password = passwords.state(api, user.id)
        attempt.address_hash = rules.hash_of(organization.pk, address)
        attempt.seen = rules.seen_of(user, password, attempt.address_hash)
        stop = rules.stop_by_state(organization, api, user, password, attempt.address_hash)
        attempt.needs_device = rules.needs_device(policy, password)
        if stop is None and attempt.by_pingone:
            return _by_pingone(attempt, api, user, rules.stop_by_pingone(policy, user, password))
    mail: Callable[[], None] | None = None
    if stop is None:
        mail = partial(mails.send_code, attempt, user, address)
    elif stop == Stop.ELSEWHERE and is_address(user.email):
        mail = partial(mails.send_elsewhere, attempt, user, user.email)
    if mail and not _may_mail(attempt, user):
        return Answer(stop=Stop.TOO_MANY_MAILS, user=user)
    return Answer(stop=stop, user=user, mail=mail)


def _by_pingone(attempt: RecoveryAttempt, api: PingOneApi, user: User, stop: Stop | None) -> Answer:
    """Let PingOne send its own code, to the email address."""
    if stop is None and not _may_mail(attempt, user):
        stop = Stop.TOO_MANY_MAILS
    if stop is None:
        try:
            passwords.send_recovery_code(api, user.id)
        except RefusedByState:
            stop = Stop.LOCKED
    return Answer(stop=stop, user=user)


def _several(attempt: RecoveryAttempt, found: list[User]) -> Answer:
    told, address = rules.usernames_for(attempt.organization, found), found[0].email
    whose = min(user.id for user in found)  # emails to the address are counted by one of them
    if not told or not is_address(address):
        return Answer(stop=Stop.SEVERAL)
    if not throttle.allows_mail(attempt.organization_id, whose, attempt.network, is_known=False):
        return Answer(stop=Stop.TOO_MANY_MAILS)
    return Answer(stop=Stop.SEVERAL, mail=partial(mails.send_usernames, attempt, address, told))


def _may_mail(attempt: RecoveryAttempt, user: User) -> bool:
    is_known = rules.knows_network(attempt.organization, user, attempt.network)
    return throttle.allows_mail(attempt.organization_id, user.id, attempt.network, is_known=is_known)


def _has_enough_mail(attempt: RecoveryAttempt, user: User) -> bool:
    is_known = rules.knows_network(attempt.organization, user, attempt.network)
    return throttle.is_mail_reached(attempt.organization_id, user.id, attempt.network, is_known=is_known)


def _record(attempt: RecoveryAttempt, user: User, stop: Stop | None) -> None:
    """Put on record that a code was sent, or why not. Of equal refusals in an hour, the first."""
    if stop:
        told = RecoveryAttempt.objects.filter(organization=attempt.organization, candidate=user.id, stop=stop)
        if told.exclude(pk=attempt.pk).filter(looked_at__gt=timezone.now() - TOLD_EVERY).exists():
            return
    entries.record(
        attempt.organization,
        "recovery.refused" if stop else "recovery.code-sent",
        subject=Subject(
            kind=AuditEntry.Subject.USER,
            id=user.id,
            name=user.username,
            full_name=user.name.whole,
            email=user.email,
            population_id=user.population_id,
        ),
        by_user=True,
        source_address=attempt.source_address,
        outcome=Outcome.REFUSED if stop else Outcome.SUCCEEDED,
        inputs={"reference": attempt.reference, "browser": attempt.browser},
        reason=stops.WORDS[stop] if stop else "",
    )
