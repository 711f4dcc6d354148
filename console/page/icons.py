"""Tabler's icons and our own in their style, drawn inline so that they take the color of the text beside them."""

import re
from functools import cache

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

ICON_FOLDER = settings.BASE_DIR / "static" / "vendor" / "tabler-icons"
OWN_ICON_FOLDER = settings.BASE_DIR / "static" / "console" / "icons"  # where Tabler's do not fit
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DRAWING = re.compile(r"<svg[^>]*>(?P<paths>.*)</svg>", re.DOTALL)
_BOUNDING_BOX = '<path stroke="none" d="M0 0h24v24H0z" fill="none" />'


@cache
def icon_svg(name: str) -> SafeString:
    """Return the icon as markup. Screen readers skip it, so text must stand beside it or label the button around it.

    Raises LookupError for an icon that is neither vendored nor ours.
    """
    files = (folder / f"{name}.svg" for folder in (OWN_ICON_FOLDER, ICON_FOLDER))
    file = next((one for one in files if _NAME.fullmatch(name) and one.is_file()), None)
    if file is None:
        raise LookupError(f"no icon {name!r}: copy its SVG into static/vendor/tabler-icons")
    drawing = _DRAWING.search(file.read_text())
    if drawing is None:
        raise LookupError(f"{file.name} is not an SVG")
    paths = " ".join(drawing["paths"].replace(_BOUNDING_BOX, "").split())
    return mark_safe(  # noqa: S308 - a file of ours
        '<svg class="icon" aria-hidden="true" focusable="false" width="24" height="24" viewBox="0 0 24 24" fill="none" '
        f'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{paths}</svg>'
    )
