"""The process log as JSON: one object on one line for each record, with the transaction ID of its request."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from pingone_integration.calls import transaction_id

FORMATS = ("plain", "json")  # names of LOGGING's formatters


def check_log_format(name: str) -> str:
    if name not in FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT must be one of {', '.join(FORMATS)}")
    return name


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "transaction_id": transaction_id.current(),
            "process": record.process,
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
            "stack": self.formatStack(record.stack_info) if record.stack_info else None,
            **self.more(record),
        }
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)

    def more(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return further members of the object."""
        return {}
