"""Limits on recovery, as counters that all processes share. What counts is what was typed, known or not.

Past a limit of a network the page answers 429. Past a personal limit it looks as ever and nothing is sent; codes that
are out keep working, and an operator can release the person.
"""

from ipaddress import ip_address, ip_network
from uuid import UUID

from console.models import RecoveryAttempt
from console.operators.attempt_limit import Limit, count_all

HOUR, DAY = 3600, 24 * 3600

OF_NETWORK = (Limit("recovery forms of network", 60, 60), Limit("recovery forms of network in an hour", 600, HOUR))
STARTS_OF_NETWORK = Limit("recovery starts of network", 60, 600)
ASKED = Limit("recovery asked for", 6, HOUR)  # one text, from one network: nobody shuts out another
MAILS_OF_NETWORK = Limit("recovery mails of user and network", 3, HOUR)
MAILS = Limit("recovery mails of user", 15, DAY)
MAILS_TO_UNKNOWN_NETWORKS = Limit("recovery mails of user to unknown networks", 10, DAY)

# Wrong codes that PingOne sees. It locks a password or device after some, so they are counted here first.
PINGONE_CODES = Limit("recovery wrong codes of user at PingOne", 3, DAY)
DEVICE_CODES = Limit("recovery wrong device codes of user", 3, DAY)
DEVICE_ASKED = Limit("recovery codes to devices of user", 6, DAY)


def network_of(address: str) -> str:
    """Return the network of an address: what one connection to the internet usually has."""
    try:
        prefix = 24 if ip_address(address).version == 4 else 64
    except ValueError:
        return "unknown"
    return str(ip_network(f"{address}/{prefix}", strict=False))


def allows_form(network: str) -> bool:
    """Count a form that a network sends. False: too many, answer 429."""
    return count_all(*((limit, network) for limit in OF_NETWORK))


def allows_beginning(network: str) -> bool:
    """Count the form that begins an attempt: a form like others, with a limit of its own besides."""
    return count_all(*((limit, network) for limit in (*OF_NETWORK, STARTS_OF_NETWORK)))


def allows_look_up(organization_id: UUID, typed_hash: str, network: str) -> bool:
    """Count that a text was typed. False: too often, and nobody is looked up."""
    return ASKED.count(_asked(organization_id, typed_hash, network))


def allows_mail(organization_id: UUID, user_id: UUID, network: str, *, is_known: bool) -> bool:
    """Count an email to a user. `is_known`: they have signed in or recovered from this network."""
    limits = _of_mail(organization_id, user_id, network, is_known=is_known)
    return all(limit.count(whose) for limit, whose in limits)


def is_mail_reached(organization_id: UUID, user_id: UUID, network: str, *, is_known: bool) -> bool:
    """Return whether the next email to a user would be one too many. Counts nothing."""
    limits = _of_mail(organization_id, user_id, network, is_known=is_known)
    return any(limit.is_reached(whose) for limit, whose in limits)


def _of_mail(organization_id: UUID, user_id: UUID, network: str, *, is_known: bool) -> list[tuple[Limit, str]]:
    person = f"{organization_id} {user_id}"
    limits = [(MAILS_OF_NETWORK, f"{person} {network}"), (MAILS, person)]
    if not is_known:
        limits.insert(1, (MAILS_TO_UNKNOWN_NETWORKS, person))
    return limits


def release(organization_id: UUID, user_id: UUID, typed_hashes: frozenset[str]) -> int:
    """Forget what was counted for a user, whose username and addresses have these hashes. Return the attempts."""
    rows = RecoveryAttempt.objects.filter(organization_id=organization_id, is_released=False)
    rows = rows.filter(candidate=user_id) | rows.filter(typed_hash__in=typed_hashes)
    person = f"{organization_id} {user_id}"
    for typed_hash, network in rows.values_list("typed_hash", "network").distinct():
        ASKED.forget(_asked(organization_id, typed_hash, network))
        MAILS_OF_NETWORK.forget(f"{person} {network}")
    for limit in (MAILS, PINGONE_CODES, DEVICE_CODES, DEVICE_ASKED):
        limit.forget(person)
    MAILS_TO_UNKNOWN_NETWORKS.forget(person)
    return rows.update(is_released=True)


def _asked(organization_id: UUID, typed_hash: str, network: str) -> str:
    return f"{organization_id} {typed_hash} {network}"
