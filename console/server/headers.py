"""Security headers of every answer: of pages, files, health checks and errors."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# What no page of the console uses. The rest stays as browsers have it: passkeys, and the clipboard to copy to.
_UNUSED = (
    "accelerometer", "autoplay", "camera", "clipboard-read", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
ALWAYS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Pages have their own policy. Whatever else is opened as a page, a picture for example, can do nothing.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


class SecurityHeaders:
    """Complete the headers of each answer, whatever part of the console made it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.headers = dict(ALWAYS)
        if settings.SECURE_HSTS_SECONDS:
            more = [
                *(["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []),
                *(["preload"] if settings.SECURE_HSTS_PRELOAD else []),
            ]
            age = f"max-age={settings.SECURE_HSTS_SECONDS}"
            self.headers["Strict-Transport-Security"] = "; ".join([age, *more])

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        return response
