"""Sessions of a PingOne user: list and end them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import items_of
from pingone_integration.errors import NotFound, PingOneError
from pingone_integration.texts import Text
from pingone_integration.values import Json, identifier, json_object, moment, text


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session of a user; an absent text is empty."""

    id: UUID
    created_at: datetime | None
    active_at: datetime | None
    remote_ip: str
    place: str
    browser: str
    operating_system: str
    device: str

    @property
    def client(self) -> Text:
        """Return e.g. "Firefox 145 on Linux"."""
        if self.browser and self.operating_system:
            return format_lazy(_("{browser} on {system}"), browser=self.browser, system=self.operating_system)
        return self.browser or self.operating_system


def all_of(api: PingOneApi, user_id: UUID) -> tuple[Session, ...]:
    """Return the sessions, newest first. Some may have expired: an entry does not mean "signed in now".

    Source: PingOne API reference, Users > User Sessions > Read All Sessions (read 2026-11): at most ten, not paged.
    """
    return items_of(api.get(f"/users/{user_id}/sessions"), "sessions", session_of)


def is_open(api: PingOneApi, session_id: UUID) -> bool:
    """Return whether a listed session is open: the list also has expired ones.

    Source: PingOne API reference, Sessions > Read One Session (read 2026-11): it knows unexpired ones only.
    """
    try:
        api.get(f"/sessions/{session_id}")
    except NotFound:
        return False
    return True


def end(api: PingOneApi, user_id: UUID, *, session_id: UUID) -> None:
    """End a session and its refresh tokens. Raises NotFound if it has already ended.

    Source: PingOne API reference, Users > User Sessions > Delete Session (read 2026-11).
    """
    api.delete(f"/users/{user_id}/sessions/{session_id}")


def end_all(api: PingOneApi, user_id: UUID) -> int:
    """End all sessions, and return their number.

    PingOne needs one call per session, at most ten. An error after the first has an unknown outcome.
    """
    ended = 0
    for session in all_of(api, user_id):
        try:
            end(api, user_id, session_id=session.id)
        except NotFound:  # it has just ended by itself
            continue
        except PingOneError as error:
            error.outcome_known = error.outcome_known and not ended
            raise
        ended += 1
    return ended


def session_of(body: Json) -> Session | None:
    session_id = identifier(body.get("id"))
    listed = body.get("locations")
    locations = [place for place in listed if isinstance(place, dict)] if isinstance(listed, list) else []
    latest: Json = max(locations, key=lambda place: text(place.get("at")), default={})
    browser = json_object(body.get("browser"))
    if session_id is None:
        return None
    return Session(
        id=session_id,
        created_at=moment(body.get("createdAt")),
        active_at=moment(body.get("activeAt")),
        remote_ip=text(latest.get("remoteIp")) or text(json_object(body.get("lastSignOn")).get("remoteIp")),
        place=", ".join(
            part.title() for part in (text(latest.get(key)) for key in ("city", "state", "country")) if part
        ),
        browser=" ".join(part for part in (text(browser.get("name")), text(browser.get("version"))) if part),
        operating_system=text(json_object(body.get("operatingSystem")).get("name")),
        device=text(json_object(body.get("device")).get("type")),
    )
