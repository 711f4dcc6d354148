"""gunicorn's logs: the access log without secrets, beside its errors, both in the format of the process log."""

import logging
import re
import sys
from typing import Any, ClassVar
from urllib.parse import quote, unquote_to_bytes

from gunicorn.glogging import Logger

from console.server.log_format import JsonFormatter

# %(U)s is the path without the query: queries contain search texts and the authorization code.
ACCESS_LOG_FORMAT = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
SECRET_LINK = re.compile(
    r"^(/+accounts/+password/+reset/+key/+|/+not-me/+|/+invitations/+|/+second-factor-reset/+)[^/]+"
)


class AccessLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The access log without secrets, one line for each request.

    A path is written percent-encoded: decoded, it may contain line breaks that look like further requests. A link in
    an email, for example to choose a password, is a secret.
    """

    log_format: ClassVar = "plain"  # LOG_FORMAT, see gunicorn.conf.py

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        error, access = self._get_gunicorn_handler(self.error_log), self._get_gunicorn_handler(self.access_log)
        if access and access.stream is sys.stdout:  # which is the audit log's
            access.setStream(sys.stderr)
        if self.log_format == "json":
            for handler, formatter in ((error, JsonFormatter()), (access, JsonAccessFormatter())):
                if handler:
                    handler.setFormatter(formatter)

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        sent = environ["RAW_URI"].partition("?")[0]  # PATH_INFO is missing after an internal error
        path = quote(unquote_to_bytes(sent), safe="/:@!$&'()*+,;=~")
        return atoms | {"U": SECRET_LINK.sub(r"\1(left-out)", path)}


class JsonAccessFormatter(JsonFormatter):
    NAMES = {"h": "client", "m": "method", "U": "path", "s": "status", "B": "bytes", "M": "milliseconds"}

    def more(self, record: logging.LogRecord) -> dict[str, Any]:
        atoms: Any = record.args  # gunicorn's
        values = {name: atoms[atom] for atom, name in self.NAMES.items()}
        return {**values, "status": int(values["status"])}
