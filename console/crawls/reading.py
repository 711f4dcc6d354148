"""Reading one population to its end, page by page, into the rows of a crawl.

A cursor dies with its access token, so a crawl begins on a token renewed just before, and begins again when the token
was renewed on the way: at most three times.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.crawls.activity import active_at, last_activations
from console.models import Crawl, CrawledUser
from pingone_integration import users
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.connection import tokens
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import StaleCursor
from pingone_integration.models import Connection
from pingone_integration.texts import Text
from pingone_integration.user_search import literal
from pingone_integration.users import User

MOST_STARTS = 3
PAGE_SIZE = 200
JUST_RENEWED = timedelta(minutes=2)  # each renewal ends the cursors of pages that people look at
DELETED_AT_ONCE = 5_000  # rows

_OUTLASTED = _("The population takes longer to read than PingOne's access token lasts.")
_RECONNECTED = _("PingOne was connected by another administrator while the population was read.")


class NotRead(Exception):
    """The population could not be read to its end, for a reason that is no error of PingOne."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


class Interrupted(Exception):
    """The work belongs to another worker, or is no longer wanted: nothing more is stored."""


def read(crawl: Crawl, goes_on: Callable[[], bool]) -> None:
    """Store everybody in the population. Raises NotRead, Interrupted and PingOneErrors."""
    for crawl.starts in range(1, MOST_STARTS + 1):
        Crawl.objects.filter(pk=crawl.pk).update(starts=crawl.starts)
        forget(crawl)
        try:
            _read_once(crawl, goes_on)
        except StaleCursor:
            continue
        break
    else:
        raise NotRead(_OUTLASTED)
    if administrator_of(crawl.organization.connection_id) != crawl.administrator:
        raise NotRead(_RECONNECTED)
    crawl.people = crawl.users.count()


def administrator_of(connection_id: UUID) -> str:
    """Return the ID at PingOne of the administrator who connected: a crawl shows whom they may see."""
    return Connection.objects.values_list("consented_by_id", flat=True).get(pk=connection_id)


def forget(crawl: Crawl) -> None:
    """Delete the rows of a crawl, a part at a time."""
    while some := list(crawl.users.order_by("pk").values_list("pk", flat=True)[:DELETED_AT_ONCE]):
        CrawledUser.objects.filter(crawl=crawl, pk__lte=some[-1]).delete()


def _read_once(crawl: Crawl, goes_on: Callable[[], bool]) -> None:
    connection = Connection.objects.get(pk=crawl.organization.connection_id)
    issued = connection.refresh_token_issued_at
    if connection.can_be_renewed and (issued is None or timezone.now() - issued > JUST_RENEWED):
        tokens.renew(connection)
    api = open_api(Connection.objects.get(pk=connection.pk))
    only = f"population.id eq {literal(str(crawl.population_id))}"

    def page_at(cursor: str | None) -> Page[User]:
        return users.search(api, filter=only, limit=PAGE_SIZE, cursor=cursor)

    for page in pages_of(page_at, whole=True):
        if not goes_on():
            raise Interrupted
        _store(crawl, page.items)


def _store(crawl: Crawl, found: Iterable[User]) -> None:
    theirs = [user for user in found if user.population_id in {crawl.population_id, None}]
    activated = last_activations(crawl.organization, theirs)
    rows = [
        CrawledUser(
            crawl=crawl,
            user_id=user.id,
            username=user.username,
            enabled=user.enabled,
            has_signed_on=user.has_signed_on,
            created_at=user.created_at,
            last_sign_on_at=user.last_sign_on_at,
            active_at=active_at(user, activated.get(user.id)),
        )
        for user in theirs
    ]
    CrawledUser.objects.bulk_create(rows, ignore_conflicts=True)
