"""The middleware of sessions: the cookie, what counts as use, and what a browser forgets at sign-out."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from console.fragments import is_poll
from console.sessions.store import SessionStore

GetResponse = Callable[[HttpRequest], HttpResponse]


class Sessions(SessionMiddleware):
    """Django's, with the session's token in the cookie in place of its key."""

    def process_request(self, request: HttpRequest) -> None:
        request.session = SessionStore.of_token(request.COOKIES.get(settings.SESSION_COOKIE_NAME))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer: HttpResponse = super().process_response(request, response)
        cookie = answer.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and cookie.value:
            answer.cookies[settings.SESSION_COOKIE_NAME] = request.session.token  # type: ignore[attr-defined]
        if getattr(request, "is_signed_out", False):
            answer["Clear-Site-Data"] = '"cache", "storage"'  # not cookies: the theme stays
        return answer


class Activity:
    """Note the use of a session. What a page asks by itself is none: an open page must not keep a session alive."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        if session.accessed and session.is_due and not is_poll(request):  # type: ignore[attr-defined]
            session.touch()  # type: ignore[attr-defined]
            if request.user.is_authenticated:
                UserSession.objects.create_from_request(request)
        return response
