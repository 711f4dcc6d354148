"""What a user may do to their own account once a code was right: operations of `perform`, each with its rule."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.actions import observed
from console.actions.action import Action, Json, Place, always
from console.actions.affected import Affected
from console.actions.catalogue import BY_KEY
from console.models import RecoveryAttempt
from console.perform.operation import Before, NotPossible
from console.perform.user_operation import UserOperation
from console.recovery import first, rules, throttle
from console.recovery.policy import policy_for
from pingone_integration import passwords
from pingone_integration.calls.api import PingOneApi
from pingone_integration.passwords import PasswordState
from pingone_integration.texts import Text
from pingone_integration.users import User

Choice: TypeAlias = RecoveryAttempt.Choice
Rule = Callable[[RecoveryAttempt, User, PasswordState], Text]

CHANGED = _("The account has changed since the code was sent. Start again.")

SET_PASSWORD = Action(
    key="password.set-own",
    label=_("Set new password"),
    done=_("New password set by the user"),
    told=_("Set a new password for {user}."),
    does=_("Replaces their password with the one they chose."),
    leaves=_("Does not lift an account lock."),
    permission=Permission.SET_PASSWORDS,
    call=passwords.set_own,
    secret_inputs=frozenset({"new_password"}),
    place=Place.PASSWORD,
    observe=observed.password_change,
    gives_access=always,
    endpoint="PUT /users/{user}/password (password.set)",
    pingone_permission="dir:set:userPassword",
)

RECOVER = Action(
    key="password.recover-own",
    label=_("Set new password"),
    done=_("New password set by the user with PingOne's code"),
    told=_("Set a new password for {user}."),
    does=_("Replaces their password with the one they chose, if PingOne accepts its own code."),
    leaves=_("Does not lift an account lock."),
    permission=Permission.SET_PASSWORDS,
    call=passwords.recover,
    secret_inputs=frozenset({"recovery_code", "new_password"}),
    place=Place.PASSWORD,
    observe=observed.password_change,
    gives_access=always,
    endpoint="POST /users/{user}/password (password.recover)",
    pingone_permission="dir:recover:userPassword",
)


_TOO_OFTEN = _("You recovered too often without signing in. Call the helpdesk.")
_TOO_MANY_CODES = _("Too many wrong codes of PingOne were entered within a day.")
_FOR_USERS: tuple[Text, ...] = (CHANGED, _TOO_OFTEN)


def is_for_user(reason: Text) -> bool:
    """Return whether a refusal is in words for the user. Those of the guards are for operators."""
    return str(reason) in map(str, _FOR_USERS)


def no_rule(attempt: RecoveryAttempt, user: User, password: PasswordState) -> Text:
    return ""


def recovers_not_too_often(attempt: RecoveryAttempt, user: User, password: PasswordState) -> Text:
    """Refuse one recovery too many without a sign-in in between."""
    organization = attempt.organization
    too_often = rules.recovered(organization, user) >= rules.RECOVERIES
    if attempt.choice == Choice.UNLOCK:
        too_often = too_often or rules.recovered(organization, user, Choice.UNLOCK) >= rules.UNLOCKS
    return _TOO_OFTEN if too_often else ""


def is_served_by_pingone(attempt: RecoveryAttempt, user: User, password: PasswordState) -> Text:
    """Refuse to relay a code that cannot help, or one too many: PingOne locks the password after some wrong ones."""
    policy = policy_for(attempt.organization, user.population_id)
    if not attempt.by_pingone or rules.stop_by_pingone(policy, user, password):
        return CHANGED
    if too_often := recovers_not_too_often(attempt, user, password):
        return too_often
    return "" if throttle.PINGONE_CODES.count(f"{attempt.organization_id} {user.id}") else _TOO_MANY_CODES


def lifts_account_lock(attempt: RecoveryAttempt, user: User, password: PasswordState) -> Text:
    """Refuse to lift an account lock that was set on purpose, or that does not come from wrong passwords."""
    policy = policy_for(attempt.organization, user.population_id)
    if policy is None or not policy.unlocks_account:
        return _("The organization does not let users lift an account lock.")
    if not attempt.password_was_locked:
        return _("The account was locked by MFA or an administrator.")
    if rules.locked_on_purpose(attempt.organization, user.id):
        return _("The account was locked on purpose.")
    return ""


@dataclass(frozen=True, kw_only=True)
class OwnOperation(UserOperation):
    """An action of a user on their own account. It runs only while everything is as it was when the code was sent."""

    attempt: RecoveryAttempt
    rule: Rule = field(default=no_rule)

    @property
    def asks_for_ticket(self) -> bool:
        return False

    @property
    def affected(self) -> Affected:
        return replace(super().affected, needs_roles=True, recovers_by_email=True, is_remedy=False)

    def recorded_inputs(self) -> Json:
        attempt = self.attempt
        proof = {"reference": attempt.reference, "proof": self._proof, "browser": attempt.browser}
        return super().recorded_inputs() | proof

    @property
    def _proof(self) -> str:
        if self.attempt.by_pingone:
            return "PingOne's code by email"
        return "code by email, and a device" if self.attempt.device_proven_at else "code by email"

    def look(self, api: PingOneApi) -> Before:
        before = super().look(api)
        # The row as it is now: an earlier step of the same recovery changed the password itself.
        attempt = RecoveryAttempt.objects.select_related("organization").get(pk=self.attempt.pk)
        user = before.user
        password = passwords.state(api, user.id) if user else None
        if user is None or password is None or not rules.is_as_seen(attempt, user, password):
            raise NotPossible(CHANGED)
        policy = policy_for(attempt.organization, user.population_id)
        if rules.stop_by_user(attempt.organization, policy, user):
            raise NotPossible(CHANGED)
        if problem := self.rule(attempt, user, password):
            raise NotPossible(problem)
        return replace(before, is_first_recovery=first.is_first(attempt.organization, user))


def set_password(attempt: RecoveryAttempt, new_password: str) -> OwnOperation:
    return OwnOperation(
        action=SET_PASSWORD,
        user_id=attempt.user_id,
        inputs={"new_password": new_password},
        attempt=attempt,
        rule=recovers_not_too_often,
    )


def recover(attempt: RecoveryAttempt, recovery_code: str, new_password: str) -> OwnOperation:
    """Let PingOne check its own code, and set the password."""
    return OwnOperation(
        action=RECOVER,
        user_id=attempt.candidate,
        inputs={"recovery_code": recovery_code, "new_password": new_password},
        attempt=attempt,
        rule=is_served_by_pingone,
    )


def unlock_password(attempt: RecoveryAttempt) -> OwnOperation:
    return _of_catalogue("password.unlock", attempt, recovers_not_too_often)


def unlock_account(attempt: RecoveryAttempt) -> OwnOperation:
    return _of_catalogue("user.unlock", attempt, lifts_account_lock)


def end_sessions(attempt: RecoveryAttempt) -> OwnOperation:
    return _of_catalogue("sessions.end-all", attempt, no_rule)


def _of_catalogue(key: str, attempt: RecoveryAttempt, rule: Rule) -> OwnOperation:
    return OwnOperation(action=BY_KEY[key], user_id=attempt.user_id, inputs={}, attempt=attempt, rule=rule)
