"""Django's report of a bug in the console: on the page while DEBUG is on, and in mail to ADMINS."""

from typing import Any

from django.views.debug import ExceptionReporter


class ReportWithoutValues(ExceptionReporter):
    """A report without values: a local variable, form field or query may be a token or a password.

    Django hides values by name only, and only while DEBUG is off: not enough for names such as `code` and `body`.
    """

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)

    def get_traceback_frames(self) -> list[dict[str, Any]]:
        return [{**frame, "vars": []} for frame in super().get_traceback_frames()]

    def get_traceback_data(self) -> dict[str, Any]:
        return {**super().get_traceback_data(), "settings": {}}
