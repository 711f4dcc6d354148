"""The status of an organization's connection in words: the only source of what pages, emails and commands say of it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.calls import connection_states
from pingone_integration.errors import Blocked, MissingPermission, NoRefreshToken, PingOneError, of_kind
from pingone_integration.models import Connection
from pingone_integration.texts import Text

State = Connection.State


@dataclass(frozen=True)
class Look:
    """The look of a state: never color alone."""

    icon: str
    tone: str  # Tabler's name of the color


LOOKS = {
    State.CONNECTED: Look("plug-connected", "success"),
    State.NEEDS_ATTENTION: Look("alert-triangle", "warning"),
    State.ENDING: Look("alert-triangle", "warning"),
    State.RECONNECT_NEEDED: Look("plug-connected-x", "danger"),
    State.NOT_CONNECTED: Look("plug", "secondary"),
    State.DISCONNECTED: Look("plug-x", "secondary"),
}
_MEANINGS: dict[State, Text] = {
    State.CONNECTED: _("PingOne responded to the console's last call."),
    State.NEEDS_ATTENTION: _("PingOne is not responding properly. The console keeps trying."),
    State.RECONNECT_NEEDED: _("The connection to PingOne has ended."),
    State.NOT_CONNECTED: _("No administrator has connected PingOne yet."),
    State.DISCONNECTED: _("An org admin disconnected PingOne."),
}
_NO_ROLE = _(
    "PingOne refuses to show users: the administrator who connected has lost the role for it, or cannot see the "
    "environment any more."
)
_NOT_RENEWED = _("The last renewal of the access token failed. Calls still work, and the console tries again.")
_ENDS = _(
    "PingOne does not renew the access any more. Everything works until {time}. Then an org admin has to reconnect."
)
_ENDS_TOO = _("The access cannot be renewed either, and ends at {time}.")


@dataclass(frozen=True, kw_only=True)
class ConnectionStatus:
    """The status of a connection at this moment, with times in the current time zone."""

    state: Connection.State
    words: Text  # "connected", or "works until 14:10, then reconnect"
    meaning: Text
    cause: Text  # as recorded, or ""
    kind: str  # of the error behind it, or ""
    since: datetime | None
    ends_at: datetime | None = None  # if the access token cannot be renewed, and is good

    @property
    def icon(self) -> str:
        return LOOKS[self.state].icon

    @property
    def tone(self) -> str:
        return LOOKS[self.state].tone

    @property
    def is_good(self) -> bool:
        return self.state == State.CONNECTED

    @property
    def has_ended(self) -> bool:
        return self.state == State.RECONNECT_NEEDED

    @property
    def must_reconnect(self) -> bool:
        """Return whether someone has to connect again, now or before the access token expires."""
        return self.has_ended or self.ends_at is not None

    @property
    def sentence(self) -> Text:
        """Return the cause, if one is recorded, else the meaning; and when access ends."""
        if self.cause and self.ends_at:
            return format_lazy("{} {}", self.cause, self.meaning)
        return self.cause or self.meaning

    @property
    def key(self) -> str:
        """Return a text that differs whenever pages say something else."""
        return f"{self.state}/{self.kind}/{self.ends_at:%Y%m%dT%H%M}" if self.ends_at else f"{self.state}/{self.kind}"


def status_of(connection: Connection) -> ConnectionStatus:
    """Return the status, from the row alone."""
    state = connection.state_now
    ends_at = connection.access_token_expires_at if connection.has_grant and not connection.can_be_renewed else None
    told = _told(connection, state)
    if ends_at is None:
        return told
    at, is_ending = clock(ends_at), state == State.ENDING
    ends = format_lazy(_ENDS if is_ending else _ENDS_TOO, time=at)
    return replace(
        told,
        words=format_lazy(_("works until {time}, then reconnect"), time=at) if is_ending else told.words,
        meaning=format_lazy("{} {}", told.meaning, ends) if told.meaning else ends,
        ends_at=ends_at,
    )


def _told(connection: Connection, state: Connection.State) -> ConnectionStatus:
    """Return the status without the end of access: by the last call, the clock, or else as stored."""
    meaning = _MEANINGS.get(state, "")
    told = ConnectionStatus(
        state=state,
        words=state.label,
        meaning=meaning,
        cause=connection.state_cause,
        kind=connection.state_kind,
        since=connection.state_changed_at,
    )
    if connection.has_grant and (kind := connection.calls_failing_kind):
        return replace(told, kind=kind, cause="", meaning=_of_failing_calls(kind), since=connection.calls_turned_at)
    if state == State.NEEDS_ATTENTION and _renewal_alone_failed(connection):
        return replace(told, meaning=_NOT_RENEWED, cause="")
    if state in {State.ENDING, State.RECONNECT_NEEDED} and connection.state in connection_states.GRANTED:
        what_to_do = format_lazy("{} {}", NoRefreshToken.cause, NoRefreshToken.resolution)
        told = replace(told, kind=NoRefreshToken.kind, cause=what_to_do)
    if state == State.RECONNECT_NEEDED != connection.state:
        told = replace(told, since=connection.access_token_expires_at)
    return told


def in_utc(connection: Connection) -> ConnectionStatus:
    """Return the status for readers of another time zone: in emails, commands and the text for support."""
    with timezone.override(UTC):
        return status_of(connection)


def clock(moment: datetime) -> str:
    """Return the time of day, with the day unless it is today, and with the zone if it is UTC."""
    local = timezone.localtime(moment)
    day = "" if local.date() == timezone.localdate() else "j M Y, "
    zone = " UTC" if local.tzname() == "UTC" else ""
    return date_format(local, f"{day}H:i") + zone


def _of_failing_calls(kind: str) -> Text:
    if kind in {MissingPermission.kind, Blocked.kind}:
        return _NO_ROLE
    error = of_kind(kind, otherwise=PingOneError)
    return format_lazy("{}. {}", error.title, error.cause)


def _renewal_alone_failed(connection: Connection) -> bool:
    """Return whether calls work, but the access token was not renewed before its time."""
    paused = connection.calls_paused_until is not None
    return connection.renewal_is_unfinished and not connection.access_token_has_expired and not paused
