"""The languages of the pages and mails for users: English, German and French. Operators' pages are in English."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from pingone_integration.users import User

LANGUAGES = ("en", "de", "fr")
LONGEST = 200  # characters of what PingOne says
RECOVERY = "/recover/"
FOR_USERS = (RECOVERY, "/not-me/")  # what is below has the reader's language


class UserLanguage(LocaleMiddleware):
    """The language chosen on a page for users, else that of the browser. All other pages stay as they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if not request.path.startswith(FOR_USERS):
            return self.get_response(request)
        with translation.override(None):  # the next request of this thread begins without a language
            return super().__call__(request)


def language_of(user: User) -> str:
    """Return the language for mails to this user: the first of theirs at PingOne that is one of ours, else English.

    PingOne keeps `preferredLanguage` as in Accept-Language, and `locale` as in `fr-CA`; `fr_CA` is understood, too.
    """
    for told in (user.preferred_language, user.locale):
        for tag, _weight in parse_accept_lang_header(told.replace("_", "-").lower()[:LONGEST]):
            if (language := tag.split("-")[0]) in LANGUAGES:
                return language
    return LANGUAGES[0]
