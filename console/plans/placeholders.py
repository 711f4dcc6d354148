"""Filling in the placeholders of a plan's texts: values only, never looked into again."""

import re
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.urls import reverse

from console.models import Organization
from pingone_integration.users import User, user_of

RECOVER = "{recover}"

_PLACEHOLDER = re.compile(r"\{[a-z]+\}")


def filled_in(
    text: str,
    user: User,
    organization: Organization,
    *,
    manager: str = "",
    told: Callable[[str], str] = lambda value: value,
) -> str:
    """Return the text with the person's values. A choice, such as {all}, stays as it is.

    `told`: how a value is told, which they may have chosen themselves; "": not at all.
    """
    name = told(user.display_name) or told(user.username) or str(user.id)
    values = {
        "{given}": told(user.name.given) or name,
        "{family}": told(user.name.family),
        "{name}": name,
        "{username}": told(user.username),
        "{email}": told(user.email),
        "{title}": told(user.title),
        "{manager}": told(manager),
        "{organization}": organization.name,
        RECOVER: settings.PUBLIC_URL + reverse("recover", args=[organization.slug]),
    }
    return _PLACEHOLDER.sub(lambda found: values.get(found[0], found[0]), text)


@cache
def somebody() -> User:
    """Return a user who does not exist, to show and to check texts before there is a person."""
    found = user_of(
        {
            "id": "00000000-0000-4000-8000-000000000000",
            "username": "kim.lund",
            "email": "kim.lund@example.com",
            "name": {"given": "Kim", "family": "Lund"},
            "title": "Engineer",
        }
    )
    if found is None:
        raise ValueError("this is a user")
    return found


MANAGER_OF_SOMEBODY = "Ada Lovelace"
