"""Files that are no lists, recognized by how they begin, so that the message says what they are."""

import codecs
import re

from django.utils.translation import gettext_lazy as _

from console.jobs.files.bad_list import BadList
from pingone_integration.texts import Text

_IMAGE = _("This is an image, not a CSV file.")
_BY_BYTES: tuple[tuple[bytes, Text], ...] = (
    (b"PK\x03\x04", _("This is a workbook or a ZIP archive, not a CSV file. Save the sheet as CSV, and upload that.")),
    (b"PK\x05\x06", _("This is an empty ZIP archive, not a CSV file.")),
    (b"\xd0\xcf\x11\xe0", _("This is an Excel workbook, not a CSV file. Save the sheet as CSV, and upload that.")),
    (b"\x1f\x8b", _("This is a compressed file, not a CSV file. Unpack it first.")),
    (b"%PDF", _("This is a PDF file, not a CSV file.")),
    (b"\x89PNG", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (codecs.BOM_UTF32_LE, _("This file is encoded as UTF-32. Save it as UTF-8.")),
    (codecs.BOM_UTF32_BE, _("This file is encoded as UTF-32. Save it as UTF-8.")),
)
_BY_TEXT: tuple[tuple[re.Pattern[str], Text], ...] = (
    (
        re.compile(r"\s*<[!?a-z]", re.IGNORECASE),
        _("This is a web page or an XML file, not a CSV file. Save it as CSV."),
    ),
    (re.compile(r"\s*(\{\s*[\"}]|\[\s*[\[{\"\]])"), _("This is a JSON file, not a CSV file. Save it as CSV.")),
    (re.compile(r"\{\\rtf"), _("This is a text document (RTF), not a CSV file. Save it as CSV.")),
)


def check_bytes(head: bytes) -> None:
    """Raise BadList for a file that is not text."""
    for signature, told in _BY_BYTES:
        if head.startswith(signature):
            raise BadList(told)


def check_text(beginning: str) -> None:
    """Raise BadList for a text that is not a table."""
    for pattern, told in _BY_TEXT:
        if pattern.match(beginning):
            raise BadList(told)
