"""What to tell about a search besides its results: what was left out, and what would find more."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text
from pingone_integration.user_search import Search


def notes_on(search: Search) -> list[Text]:
    notes: list[Text] = []
    if search.shortened_to:
        told = _("PingOne does not take a search this long. It was shortened to “{text}”.")
        notes.append(format_lazy(told, text=search.shortened_to))
    if search.needs_country_code:
        notes.append(
            _(
                "To find a phone number however it is written, add the country code, for example +46. "
                "With your organization's countries in the policies, it can be left out."
            )
        )
    return notes
