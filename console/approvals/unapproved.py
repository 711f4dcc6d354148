"""What does not happen without the approval of a second person, in the same words for actions, plans and jobs."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text

ASKED = _("Asked for approval. Nothing was changed yet.")
NOT_DEMANDED = _("No approval is needed for this. Nothing was changed.")


class Unapproved(Exception):
    """A plan or job that does not start without an approval. `asked`: the request that was made instead."""

    def __init__(self, reason: Text, *, asked: UUID | None = None) -> None:
        super().__init__(reason)
        self.reason, self.asked = reason, asked
