"""The check of a new password against the policy."""

from typing import Any

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.models import User

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
