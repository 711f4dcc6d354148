"""The check of a new password against the policy."""

from datetime import datetime, timedelta
from typing import Any

from pingone_integration.sandbox import encoded_passwords, errors
from pingone_integration.sandbox.models import User, WorldChange

MINIMUM_AGE, HISTORY = "password-minimum-age", "password-history"  # changes on the page of faults
MINIMUM_AGE_DAYS = 1
COMMON = frozenset({"password", "password1", "password1!", "passw0rd!", "welcome1!", "qwerty123!", "letmein1!"})


def check(user: User, password: str, target: str) -> None:
    """Raise INVALID_VALUE if requirements are not met. Its innerError names them."""
    rules = user.population.password_policy.definition
    unmet = _unmet(rules, password)
    if rules.get("excludesCommonlyUsed") and password.lower() in COMMON:
        unmet["excludesCommonlyUsed"] = True
    if rules.get("excludesProfileData") and _contains_profile_data(user, password):
        unmet["excludesProfileData"] = True
    if unmet:
        raise errors.invalid_value(target, "The password does not meet the password policy.", **unmet)


def check_former(user: User, password: str, now: datetime) -> None:
    """Raise INVALID_VALUE for a password set too early, or again, if the page of faults says that PingOne does so.

    Whether it does for an administrator is unconfirmed. Of former passwords, only the latest is known here.
    """
    wanted = set(WorldChange.objects.filter(name__in=(MINIMUM_AGE, HISTORY)).values_list("name", flat=True))
    changed_at = user.password_changed_at
    if MINIMUM_AGE in wanted and changed_at and changed_at > now - timedelta(days=MINIMUM_AGE_DAYS):
        told = "The password was changed too lately."
        raise errors.invalid_value("value", told, minAgeDays=MINIMUM_AGE_DAYS)
    if HISTORY in wanted and encoded_passwords.matches(password, user.password):
        raise errors.invalid_value("value", "The password was used before.", history={"count": 1})


def _unmet(rules: dict[str, Any], password: str) -> dict[str, Any]:
    unmet: dict[str, Any] = {}
    length = rules.get("length", {})
    if not length.get("min", 1) <= len(password) <= length.get("max", 255):
        unmet["length"] = length
    missing = {
        alphabet: least
        for alphabet, least in rules.get("minCharacters", {}).items()
        if sum(character in alphabet for character in password) < least
    }
    if missing:
        unmet["minCharacters"] = missing
    if len(set(password)) < rules.get("minUniqueCharacters", 0):
        unmet["minUniqueCharacters"] = rules["minUniqueCharacters"]
    return unmet


def _contains_profile_data(user: User, password: str) -> bool:
    name = user.profile.get("name", {})
    words = (user.username, user.email, name.get("given", ""), name.get("family", ""))
    return any(len(word) > 3 and word.lower() in password.lower() for word in words)
