"""Whether a crawl is believed. One that differs too much from the last waits for an org admin."""

from django.utils.translation import gettext_lazy as _

from console.models import Crawl
from pingone_integration.texts import Text

PERCENT, PEOPLE = 10, 20  # both have to be passed

HELD: dict[str, Text] = {
    Crawl.Held.ADMINISTRATOR: _("Another administrator has connected PingOne since. They may see other users."),
    Crawl.Held.SIZE: _("More than 10 % and more than 20 users more or fewer than at the last crawl."),
}


def doubt(crawl: Crawl, last: Crawl | None) -> str:
    """Return why the crawl waits for an org admin, or "". The first one is compared with nothing."""
    if last is None:
        return ""
    if crawl.administrator != last.administrator:
        return Crawl.Held.ADMINISTRATOR
    differ = abs(crawl.people - last.people)
    return Crawl.Held.SIZE if differ > PEOPLE and differ * 100 > last.people * PERCENT else ""
