"""Filling in the placeholders of a plan's texts: values only, never looked into again."""

import re

from django.conf import settings
from django.urls import reverse

from console.models import Organization
from pingone_integration.users import User

RECOVER = "{recover}"

_PLACEHOLDER = re.compile(r"\{[a-z]+\}")


def filled_in(text: str, user: User, organization: Organization, *, manager: str = "") -> str:
    """Return the text with the person's values. A choice, such as {all}, stays as it is."""
    values = {
        "{given}": user.name.given or user.display_name,
        "{family}": user.name.family,
        "{name}": user.display_name,
        "{username}": user.username,
        "{email}": user.email,
        "{title}": user.title,
        "{manager}": manager,
        "{organization}": organization.name,
        RECOVER: settings.PUBLIC_URL + reverse("recover", args=[organization.slug]),
    }
    return _PLACEHOLDER.sub(lambda found: values.get(found[0], found[0]), text)
