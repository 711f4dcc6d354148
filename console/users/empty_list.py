"""A page of the user list without a user: why it is empty, and the searches to try next."""

from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.users.search_forms import UserSearchForm
from pingone_integration.calls.paging import Page
from pingone_integration.texts import Text
from pingone_integration.user_search import Search
from pingone_integration.users import User

_OTHERS = _("Users in populations that the administrator who connected cannot see do not appear.")
_NOT_YOURS = _("Users outside your populations do not appear.")
_ACCENTS = _("PingOne tells letters with and without accents apart: try Müller, Mueller and Muller.")


@dataclass(frozen=True, kw_only=True)
class EmptyList:
    """The words in place of the rows. `icon` is the name of an icon."""

    icon: str
    title: Text
    sentences: tuple[Text, ...]
    is_search: bool = False  # then another search may find users


def empty_list(form: UserSearchForm, page: Page[User] | None, cursor: str, *, has_filters: bool) -> EmptyList | None:
    """Return why there are no rows, or None if there are some. `page` is None if the search is not valid.

    `has_filters` means that the search has a text, and filters that the page offers to remove.
    """
    if page is None:
        sentence = _("See the message next to the field.")
        return EmptyList(icon="pencil", title=_("Check your search"), sentences=(sentence,), is_search=True)
    if page.items:
        return None
    if page.next_cursor:
        sentence = _("This page is empty, but there are more users. Go to the next page.")
        return EmptyList(icon="list-details", title=_("No users on this page"), sentences=(sentence,))
    if cursor:
        sentence = _("You have reached the end of the list.")
        return EmptyList(icon="list-details", title=_("No more users"), sentences=(sentence,))
    if form.search.has_criteria:
        sentences = (
            _searched_for(form.search, has_filters=has_filters),
            *((_ACCENTS,) if form.search.is_name else ()),
            _("PingOne matches from the start of each name: try fewer letters."),
            _OTHERS if form.search.populations is None else _NOT_YOURS,
        )
        return EmptyList(icon="search", title=_("No user found"), sentences=sentences, is_search=True)
    if form.search.populations is not None:
        sentence = _("There are no users in your populations.")
    else:
        sentence = _("There are no users in the populations that the administrator who connected can see.")
    return EmptyList(icon="users", title=_("No users"), sentences=(sentence,))


def _searched_for(search: Search, *, has_filters: bool) -> Text:
    meaning = search.meaning
    if not meaning:
        return _("No users match the filters above.")
    if has_filters:
        return format_lazy(_("Searched for {meaning}, within the filters above."), meaning=meaning)
    return format_lazy(_("Searched for {meaning}."), meaning=meaning)
