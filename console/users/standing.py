"""The verdict: whether a user can sign in, why not, and what helps, from the facts read so far.

Pure: no call, no clock. `CASES` holds every case in the order of display. An obstacle that remains after all other
repairs comes first, as in pingone_integration/unlocking.py.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import cached_property
from math import ceil

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from pingone_integration import recovery_codes
from pingone_integration.devices import Device
from pingone_integration.mfa import MfaState
from pingone_integration.passwords import PasswordState
from pingone_integration.recovery_codes import Obstacle
from pingone_integration.texts import Text
from pingone_integration.users import User


class Answer(StrEnum):
    """The answer to "can they sign in?" The values appear in templates and styles."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Gap(Enum):
    """Why a part is unknown."""

    UNREAD = "unread"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Known:
    """The known facts about a user at one time."""

    user: User
    password: PasswordState | Gap = Gap.UNREAD
    mfa: MfaState | Gap = Gap.UNREAD
    now: datetime

    @cached_property
    def password_status(self) -> str | None:
        """Return PingOne's password status, or None if unread or managed by an external identity provider."""
        if self.user.has_external_identity_provider:
            return None
        if isinstance(self.password, PasswordState):
            return self.password.status
        return self.user.password_status or None  # from a user list, while the password itself is unread

    @property
    def recovery_obstacle(self) -> Obstacle | None:
        """Return why a recovery code would not help, or None if no reason is known."""
        return recovery_codes.obstacle(self.user, self.password_status or "")

    @property
    def takes_recovery_code(self) -> bool:
        """Return whether PingOne sends a recovery code. It may, while the password cannot be read."""
        is_unread = self.password_status is None and self.password is Gap.UNREAD
        return self.recovery_obstacle is None and not is_unread

    @property
    def bypass_until(self) -> datetime | None:
        """Return the end of the MFA bypass, or None if no bypass is known to be running."""
        bypass = self.mfa.bypass if isinstance(self.mfa, MfaState) else None
        return bypass.until if bypass and bypass.until and bypass.until > self.now else None

    @property
    def devices(self) -> tuple[Device, ...]:
        """Return the MFA devices, empty while they are unknown."""
        return self.mfa.devices if isinstance(self.mfa, MfaState) else ()

    @property
    def lacks_device(self) -> bool:
        """Return whether MFA is on and no device works, regardless of a bypass. False while the devices are unknown."""
        if not self.user.mfa_enabled or isinstance(self.mfa, Gap):
            return False
        return not any(device.is_usable for device in self.devices)

    @property
    def is_kept_out_by_mfa(self) -> bool:
        return (
            self.lacks_device
            and isinstance(self.mfa, MfaState)
            and self.mfa.bypass is not None
            and not self.bypass_until
        )

    @property
    def has_locked_device(self) -> bool:
        return any(device.is_locked for device in self.devices)

    @property
    def has_device(self) -> bool:
        return bool(self.devices)

    @property
    def gaps(self) -> dict[str, Gap]:
        """Return the unknown parts that could change the verdict."""
        gaps = {}
        if (
            isinstance(self.password, Gap)
            and self.password_status is None
            and not self.user.has_external_identity_provider
        ):
            gaps["password"] = self.password
        if isinstance(self.mfa, Gap) and self.user.mfa_enabled:
            gaps["mfa"] = self.mfa
        return gaps


@dataclass(frozen=True, kw_only=True)
class Case:
    """One possible finding about a user."""

    key: str
    answer: Answer  # YES for a finding that is worth showing, but no obstacle
    word: Text  # one or two words, for lists; "" if the user still counts as Active
    says: Text | Callable[[Known], Text]
    when: Callable[[Known], bool]
    helps: tuple[str, ...] = ()  # keys of the catalogue, best first

    def told(self, known: Known) -> Text:
        return self.says(known) if callable(self.says) else self.says


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The verdict on one user. Its texts are made when they are asked for: a row of a list shows the word alone."""

    known: Known
    cases: tuple[Case, ...]
    answer: Answer

    @property
    def key(self) -> str:
        """Return the key of the first case, "" if there is none."""
        return self.cases[0].key if self.cases else ""

    @cached_property
    def is_active(self) -> bool:
        """Return whether the word is Active: no case has a word of its own."""
        return not any(case.word for case in self.cases)

    @property
    def word(self) -> Text:
        return next((case.word for case in self.cases if case.word), _ACTIVE)

    @cached_property
    def _sentences(self) -> tuple[Text, ...]:
        return _sentences(self.answer, self.cases[0] if self.cases else None, self.known)

    @cached_property
    def sentence(self) -> Text:
        return _joined(self._sentences)

    @cached_property
    def facts(self) -> tuple[Text, ...]:
        """Return the reasons, without repeating the sentence."""
        facts = (*(case.told(self.known) for case in self.cases), *_good(self.known), *_gap(self.known))
        return tuple(fact for fact in facts if fact not in self._sentences)

    @property
    def helps(self) -> tuple[str, ...]:
        keys = dict.fromkeys(key for case in self.cases for key in case.helps)
        return tuple(key for key in keys if _makes_sense(key, self.known))

    @property
    def text(self) -> Text:
        """Return the whole verdict, to copy into a ticket."""
        return _joined((self.sentence, *self.facts), "\n")


_ACTIVE = _("Active")


def standing_of(known: Known) -> Standing:
    """Return the verdict: NO if any known fact prevents sign-in, YES only if nothing is unknown."""
    cases = tuple(case for case in CASES if case.when(known))
    answers = {case.answer for case in cases} | ({Answer.UNKNOWN} if known.gaps else set())
    answer = next((one for one in (Answer.NO, Answer.UNKNOWN) if one in answers), Answer.YES)
    return Standing(known=known, cases=cases, answer=answer)


def _sentences(answer: Answer, first: Case | None, known: Known) -> tuple[Text, ...]:
    """Return the sentences of the verdict. They are some of its facts, or all of them."""
    if answer is Answer.YES:
        return (_("They can sign in."), *([first.told(known)] if first else []))
    if answer is Answer.NO and first:
        return (first.told(known),)
    said = first.told(known) if first and first.key not in _ASIDES else next(_good(known))
    return (said, *_gap(known))


def _joined(texts: Iterable[Text], separator: str = " ") -> Text:
    texts = tuple(texts)
    return format_lazy(separator.join(["{}"] * len(texts)), *texts)


def _good(known: Known) -> Iterator[Text]:
    """Yield a sentence for each thing that is in order."""
    user = known.user
    if user.enabled and user.is_locked is False:
        yield _("No lock on the account.")
    if known.password_status == "OK":  # noqa: S105 - a status
        yield _("The password works.")
    if user.mfa_enabled is False:
        yield _("MFA is off.")
    elif user.mfa_enabled and isinstance(known.mfa, MfaState) and not known.lacks_device:
        usable = sum(device.is_usable for device in known.devices)
        yield format_lazy(
            ngettext_lazy(
                "MFA is on, with {count} working device.", "MFA is on, with {count} working devices.", usable
            ),
            count=usable,
        )


_GAPS = {  # a sentence for the parts that are unknown for the same reason
    (Gap.UNREAD, "password"): _("Password not read yet."),
    (Gap.UNREAD, "mfa"): _("MFA not read yet."),
    (Gap.UNREAD, "password", "mfa"): _("Password and MFA not read yet."),
    (Gap.FAILED, "password"): _("Password could not be read."),
    (Gap.FAILED, "mfa"): _("MFA could not be read."),
    (Gap.FAILED, "password", "mfa"): _("Password and MFA could not be read."),
}


def _gap(known: Known) -> Iterator[Text]:
    """Yield one sentence for each reason, with the parts that are unknown for it."""
    for gap in Gap:
        parts = [part for part, why in known.gaps.items() if why is gap]
        if parts:
            yield _GAPS[gap, *parts]


def _makes_sense(key: str, known: Known) -> bool:
    return key != "password.send-recovery-code" or known.takes_recovery_code


def time_in_words(at: datetime, now: datetime) -> Text:
    """Return the time in plain words, in the reader's time zone: in 12 minutes, at 14:05."""
    here, today = timezone.localtime(at), timezone.localtime(now).date()
    time = f"{here:%H:%M}"
    minutes = ceil((at - now).total_seconds() / 60)
    if minutes < 60:
        words = ngettext_lazy("in {minutes} minute, at {time}", "in {minutes} minutes, at {time}", minutes)
        return format_lazy(words, minutes=minutes, time=time)
    if here.date() == today:
        hours = round(minutes / 60)
        words = ngettext_lazy("in about {hours} hour, at {time}", "in about {hours} hours, at {time}", hours)
        return format_lazy(words, hours=hours, time=time)
    if here.date() == today + timedelta(days=1):
        return format_lazy(_("tomorrow at {time}"), time=time)
    return format_lazy(_("on {date} at {time}"), date=date_format(here, "j M Y"), time=time)


def _unlocks(at: datetime | None, now: datetime) -> Text:
    if at is None:
        return _("It stays locked until someone unlocks it.")
    if at <= now:
        return _("It should unlock any moment now.")
    return format_lazy(_("It unlocks {when}."), when=time_in_words(at, now))


def _account_lock(known: Known) -> Text:
    return _joined((_("Locked."), _unlocks(known.user.unlock_at, known.now)))


def _password_lock(known: Known) -> Text:
    locked = _("Password locked after too many wrong passwords.")
    at = known.password.unlock_at if isinstance(known.password, PasswordState) else None
    if at is None and isinstance(known.password, Gap):
        return locked  # a user list does not say for how long
    return _joined((locked, _unlocks(at, known.now)))


def _bypass(known: Known) -> Text:
    at = known.bypass_until
    if at is None:
        return ""
    return format_lazy(
        _("MFA bypass is running: they need no second factor. It ends {when}."), when=time_in_words(at, known.now)
    )


def _external_provider(known: Known) -> Text:
    return format_lazy(
        _("They sign in through {provider}. Check the password there."), provider=known.user.identity_provider
    )


def _password_is(status: str) -> Callable[[Known], bool]:
    return lambda known: known.password_status == status


_KNOWN_STATUSES = ("OK", "NO_PASSWORD", "PASSWORD_EXPIRED", "PASSWORD_LOCKED_OUT", "MUST_CHANGE_PASSWORD", "EXTERNAL")
_ASIDES = ("bypass-running", "never-signed-in", "sign-in-unknown")  # shown, but not instead of what is in order

CASES = (
    Case(
        key="deactivated",
        answer=Answer.NO,
        word=_("Deactivated"),
        says=_("Deactivated. They cannot sign in until someone activates them."),
        when=lambda known: known.user.enabled is False,
        helps=("user.activate",),
    ),
    Case(
        key="account-locked",
        answer=Answer.NO,
        word=_("Locked"),
        says=_account_lock,
        when=lambda known: known.user.is_locked is True,
        helps=("user.unlock",),
    ),
    Case(
        key="not-verified",  # no action helps: the email of user.verify-email proves the address, not the account
        answer=Answer.NO,
        word=_("Not verified"),
        says=_("Not verified. They cannot sign in until they enter the code that PingOne emailed them."),
        when=lambda known: known.user.must_verify,
    ),
    Case(
        key="password-locked",
        answer=Answer.NO,
        word=_("Password locked"),
        says=_password_lock,
        when=_password_is("PASSWORD_LOCKED_OUT"),
        helps=("password.unlock", "password.set-temporary"),
    ),
    Case(
        key="no-password",
        answer=Answer.NO,
        word=_("No password"),
        says=_("They have no password."),
        when=_password_is("NO_PASSWORD"),
        helps=("password.set-temporary",),
    ),
    Case(
        key="mfa-locked",
        answer=Answer.NO,
        word=_("MFA locked"),
        says=_("MFA locked. No device works, and at least one is locked after failed attempts."),
        when=lambda known: known.is_kept_out_by_mfa and known.has_locked_device,
        helps=("device.unlock", "mfa.bypass"),
    ),
    Case(
        key="mfa-no-device",
        answer=Answer.NO,
        word=_("No MFA device"),
        says=_("MFA is on, but they have no device for it. They cannot sign in where MFA is required."),
        when=lambda known: known.is_kept_out_by_mfa and not known.has_device,
        helps=("mfa.bypass", "mfa.disable"),
    ),
    Case(
        key="mfa-no-working-device",
        answer=Answer.NO,
        word=_("No working MFA device"),
        says=_("MFA is on, but no device works: each is blocked or was never activated."),
        when=lambda known: known.is_kept_out_by_mfa and known.has_device and not known.has_locked_device,
        helps=("mfa.bypass", "mfa.disable"),
    ),
    Case(
        key="password-expired",
        answer=Answer.YES,
        word=_("Password expired"),
        says=_("The password expired: they have to choose a new one when they sign in."),
        when=_password_is("PASSWORD_EXPIRED"),
        helps=("password.send-recovery-code", "password.set-temporary"),
    ),
    Case(
        key="must-change-password",
        answer=Answer.YES,
        word=_("Must change password"),
        says=_("They have to choose a new password when they sign in."),
        when=_password_is("MUST_CHANGE_PASSWORD"),
        helps=("password.send-recovery-code", "password.set-temporary"),
    ),
    Case(
        key="enabled-unknown",
        answer=Answer.UNKNOWN,
        word=_("Unknown"),
        says=_("PingOne does not say whether they are deactivated."),
        when=lambda known: known.user.enabled is None,
    ),
    Case(
        key="lock-unknown",
        answer=Answer.UNKNOWN,
        word=_("Unknown"),
        says=_("PingOne does not say whether the account is locked."),
        when=lambda known: known.user.is_locked is None,
    ),
    Case(
        key="lifecycle-unknown",
        answer=Answer.UNKNOWN,
        word=_("Unknown"),
        says=_("PingOne does not say whether the account is verified."),
        when=lambda known: known.user.lifecycle not in ("ACCOUNT_OK", "VERIFICATION_REQUIRED"),
    ),
    Case(
        key="external-provider",
        answer=Answer.UNKNOWN,
        word="",
        says=_external_provider,
        when=lambda known: known.user.has_external_identity_provider,
    ),
    Case(
        key="external-password",
        answer=Answer.UNKNOWN,
        word="",
        says=_("Their password is in another directory. Check it there."),
        when=_password_is("EXTERNAL"),
    ),
    Case(
        key="password-unknown",
        answer=Answer.UNKNOWN,
        word="",
        says=_("PingOne does not say whether the password works."),
        when=lambda known: known.password_status is not None and known.password_status not in _KNOWN_STATUSES,
    ),
    Case(
        key="mfa-unknown",
        answer=Answer.UNKNOWN,
        word="",
        says=_("PingOne does not say whether MFA is on."),
        when=lambda known: known.user.mfa_enabled is None,
    ),
    Case(
        key="bypass-unknown",
        answer=Answer.UNKNOWN,
        word="",
        says=_("No MFA device works, and the MFA bypass could not be read."),
        when=lambda known: known.lacks_device and isinstance(known.mfa, MfaState) and known.mfa.bypass is None,
        helps=("mfa.bypass",),
    ),
    Case(
        key="bypass-running",
        answer=Answer.YES,
        word="",
        says=_bypass,
        when=lambda known: known.user.mfa_enabled is not False and known.bypass_until is not None,
    ),
    Case(
        key="sign-in-unknown",
        answer=Answer.YES,
        word="",
        says=_("PingOne does not say whether they ever signed in."),
        when=lambda known: known.user.has_signed_on is None,
    ),
    Case(
        key="never-signed-in",
        answer=Answer.YES,
        word="",
        says=_("They have not signed in yet."),
        when=lambda known: known.user.has_signed_on is False,
    ),
)
