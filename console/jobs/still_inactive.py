"""Whether the users of a job on inactive users still are, as just read: the crawl may be a day old."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.crawls.activity import active_at, last_activations
from console.inactive.search import Criteria
from console.models import Job, Organization, PeopleList
from pingone_integration.users import User


class ActiveAgain(Exception):
    """The user of a row is no longer inactive: nothing is started for them."""


ACTIVE_AGAIN = _("They have signed in, or were activated, since the crawl.")
SHOWN = ("last_sign_on_at",)  # a sign-in after the preview stops the row


def before_of(job: Job) -> datetime | None:
    """Return the time after which the users of the job must not have been active. None: that does not matter."""
    if job.source != Job.Source.INACTIVE:
        return None
    people = PeopleList.objects.filter(job=job).first()
    return Criteria.of_stored(people.query).before if people else None


def active_again(organization: Organization, found: Sequence[User], before: datetime) -> frozenset[UUID]:
    """Return those who were active since, or of whom it is not known. One query."""
    activated = last_activations(organization, found)
    last = {user.id: active_at(user, activated.get(user.id)) for user in found}
    return frozenset(one for one, at in last.items() if at is None or at >= before)
