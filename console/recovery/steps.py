"""After the code: what is locked, and the work that the person chose, in order, each part on record.

A new password first, then the password's lock, then an account lock that may be lifted, then their sessions. The state
is read back, so that a half result says exactly what is left.
"""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.actions.outcome import Done, Failed, NoChange, Refused, Result
from console.audit import entries
from console.audit.entries import Circumstances, Subject
from console.models import AuditEntry, RecoveryAttempt
from console.perform.run import run
from console.recovery import attempts, operations, rules
from console.recovery.policy import policy_for
from console.recovery.themself import ThemselfAccess
from console.user_mails.events import PASSWORD_RESET, UNLOCKED
from console.user_mails.tell import tell
from pingone_integration import passwords, users
from pingone_integration.calls import rate_limit
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import InvalidValue, NotFound, PingOneError
from pingone_integration.password_rules import HISTORY, MINIMUM_AGE, broken_rules, obstacle_in
from pingone_integration.passwords import PasswordState
from pingone_integration.texts import Text
from pingone_integration.users import User

Choice: TypeAlias = RecoveryAttempt.Choice
Stop: TypeAlias = RecoveryAttempt.Stop


@dataclass(frozen=True, kw_only=True)
class Account:
    """The proven user's account, as read just now."""

    user: User
    password: PasswordState
    lifts_account_lock: bool  # if the account is locked: it may be lifted here

    @property
    def is_locked(self) -> bool:
        return self.user.is_locked is not False

    @property
    def has_lock(self) -> bool:
        return self.is_locked or self.password.is_locked


@dataclass(frozen=True, kw_only=True)
class NotDone:
    """Nothing was changed, and the person may try once more."""

    problems: tuple[Text, ...]
    offers_unlock: bool = False


OBSTACLES: dict[str, Text] = {
    MINIMUM_AGE: _("Your password was changed so lately that it cannot be changed again yet."),
    HISTORY: _("You have used this password before. Choose one that you have not used."),
}
_NOT_HERE = _("This account cannot be recovered here. Call the helpdesk.")
_LEFT_PASSWORD = "password.unlock"  # noqa: S105 - not a password
_LEFT_ACCOUNT = "user.unlock"
_UNKNOWN = "unknown"

LEFT: dict[str, Text] = {
    _LEFT_PASSWORD: _("Your password is still locked."),
    _LEFT_ACCOUNT: _("Your account is still locked."),
    "sessions.end-all": _("You may still be signed in on other devices."),
    _UNKNOWN: _("PingOne did not say whether it worked. Try to sign in first."),
}
DONE: dict[str, Text] = {
    operations.SET_PASSWORD.key: _("Your new password is set."),
    operations.RECOVER.key: _("Your new password is set."),
    _LEFT_PASSWORD: _("Your password is unlocked."),
    _LEFT_ACCOUNT: _("Your account is unlocked."),
    "sessions.end-all": _("You are signed out everywhere else."),
}


def account_of(attempt: RecoveryAttempt) -> Account | None:
    """Read the account of the proven user. None: it has changed since the code was sent, and the attempt has ended.

    Raises PingOneErrors.
    """
    if attempt.user_id is None:
        return None
    with rate_limit.in_recovery():
        api = open_api(attempt.organization.connection)
        try:
            user = users.get(api, attempt.user_id)
            password = passwords.state(api, user.id)
        except NotFound:
            user = None
        if user is None or not rules.is_as_seen(attempt, user, password):
            attempts.end(RecoveryAttempt.objects.filter(pk=attempt.pk), Stop.CHANGED)
            return None
    return Account(user=user, password=password, lifts_account_lock=_lifts(attempt, user, password))


def _lifts(attempt: RecoveryAttempt, user: User, password: PasswordState) -> bool:
    policy = policy_for(attempt.organization, user.population_id)
    may = policy is not None and policy.unlocks_account and password.is_locked
    return may and not rules.locked_on_purpose(attempt.organization, user.id)


def proven(attempt: RecoveryAttempt) -> None:
    """Put on record that the code of an attempt was right."""
    entries.record(
        attempt.organization,
        "recovery.proven",
        subject=Subject(
            kind=AuditEntry.Subject.USER,
            id=attempt.candidate or "",
            name=attempt.username,
            population_id=attempt.candidate_population,
        ),
        by_user=True,
        source_address=attempt.source_address,
        inputs={"reference": attempt.reference, "browser": attempt.browser},
    )


def act(attempt: RecoveryAttempt, account: Account, *, source_address: str, new_password: str = "") -> NotDone | None:
    """Do what the row says was chosen. Return why nothing was changed, or None: see the row for what was.

    Of several requests at once, one does it.
    """
    choice = Choice.PASSWORD if new_password else Choice.UNLOCK
    if not attempts.claim(attempt, choice, password_was_locked=account.password.is_locked):
        return NotDone(problems=())
    attempt.refresh_from_db()
    work = _Work(attempt, Circumstances(source_address=source_address))
    try:
        with rate_limit.in_recovery():
            failed = work.do_all(account, new_password)
    except PingOneError:
        failed = None
        work.left.append(_UNKNOWN)
    except Exception:
        attempts.finish(attempt, done=work.done, left=[_UNKNOWN])
        raise
    if failed:
        attempts.put_back(attempt)
        return failed
    attempts.finish(attempt, done=work.done, left=work.left)
    _tell(attempt, account.user, work.done)
    return None


def finish_recovered(attempt: RecoveryAttempt) -> None:
    """Do what is left after PingOne took its own code: it has set the new password, and lifted the password's lock."""
    attempt.refresh_from_db()
    work = _Work(attempt, Circumstances(source_address=attempt.source_address))
    work.done.append(operations.RECOVER.key)
    user = None
    try:
        with rate_limit.in_recovery():
            user = users.get(open_api(attempt.organization.connection), attempt.candidate or UUID(int=0))
            work.finish_new_password(user)
    except PingOneError:
        work.left.append(_UNKNOWN)
    attempts.finish(attempt, done=work.done, left=work.left)
    if user:
        _tell(attempt, user, work.done)


def _tell(attempt: RecoveryAttempt, user: User, done: list[str]) -> None:
    """Email the user what was changed, by whoever read their code."""
    if {operations.SET_PASSWORD.key, operations.RECOVER.key} & set(done):
        tell(attempt.organization, PASSWORD_RESET, user)
    elif done:
        tell(attempt.organization, UNLOCKED, user)


class _Work:
    """The parts of one recovery: what was done, and what is left."""

    def __init__(self, attempt: RecoveryAttempt, circumstances: Circumstances) -> None:
        self.attempt, self.circumstances = attempt, circumstances
        self.access = ThemselfAccess(attempt)
        self.done: list[str] = []
        self.left: list[str] = []

    def do_all(self, account: Account, new_password: str) -> NotDone | None:
        """Return why the first part failed, which leaves everything as it was."""
        if new_password:
            result = self._run(operations.set_password(self.attempt, new_password))
            if not isinstance(result, Done):
                return self._stopped(result)
            self._see_new_password()
        if account.password.is_locked:
            result = self._run(operations.unlock_password(self.attempt))
            if not isinstance(result, Done | NoChange) and not new_password:
                return self._stopped(result)
        if account.is_locked and account.lifts_account_lock and self._is_still_locked():
            self._run(operations.unlock_account(self.attempt))
        if new_password:
            self._end_sessions(account.user)
        self._read_back(account.user)
        return None

    def finish_new_password(self, user: User) -> None:
        self._see_new_password()
        self._end_sessions(user)
        self._read_back(user)

    def _end_sessions(self, user: User) -> None:
        policy = policy_for(self.attempt.organization, user.population_id)
        if policy is not None and not policy.ends_sessions:
            return
        if not isinstance(self._run(operations.end_sessions(self.attempt)), Done | NoChange):
            self.left.append("sessions.end-all")

    def _run(self, operation: operations.OwnOperation) -> Result:
        result = run(self.access, operation, Circumstances(source_address=self.circumstances.source_address))
        if isinstance(result, Done):
            self.done.append(operation.key)
        return result

    def _stopped(self, result: Result) -> NotDone | None:
        """Return why the first part failed, or None if it may have happened."""
        if isinstance(result, Refused):
            return NotDone(problems=(result.reason if operations.is_for_user(result.reason) else _NOT_HERE,))
        if isinstance(result, Failed):
            return not_done(result.error)
        self.left.append(_UNKNOWN)
        return None

    def _api(self) -> PingOneApi:
        return self.access.pingone()

    def _user_id(self) -> UUID:
        assert self.attempt.user_id is not None  # noqa: S101 - proven
        return self.attempt.user_id

    def _see_new_password(self) -> None:
        """Expect the password's new time from now on: it was this recovery that changed it."""
        api = self._api()
        seen = rules.seen_after(self.attempt, passwords.state(api, self._user_id()))
        RecoveryAttempt.objects.filter(pk=self.attempt.pk).update(seen=seen)
        self.attempt.seen = seen

    def _is_still_locked(self) -> bool:
        return users.get(self._api(), self._user_id()).is_locked is not False

    def _read_back(self, before: User) -> None:
        try:
            api = self._api()
            user, password = users.get(api, before.id), passwords.state(api, before.id)
        except PingOneError:
            self.left.append(_UNKNOWN)
            return
        self.left += [_LEFT_PASSWORD] if password.is_locked else []
        self.left += [_LEFT_ACCOUNT] if user.is_locked is not False else []


def not_done(error: PingOneError) -> NotDone:
    """Say which rule PingOne's refusal of a new password names."""
    obstacle = obstacle_in(error)
    if obstacle:
        return NotDone(problems=(OBSTACLES[obstacle],), offers_unlock=True)
    if not isinstance(error, InvalidValue):
        return NotDone(problems=(_("PingOne did not accept this. Try again in a moment, or call the helpdesk."),))
    if broken := broken_rules(error):
        return NotDone(problems=broken)
    return NotDone(problems=(_("This password breaks a rule of your organization. Choose another one."),))
