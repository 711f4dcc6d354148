"""Which attributes the users of an organization's environment have, remembered for some minutes: no personal data."""

from django.core.cache import cache

from console.access import OrgAccess
from console.user_filters import FORGOTTEN_S, REMEMBERED_S, key_of
from pingone_integration import schemas
from pingone_integration.errors import PingOneError
from pingone_integration.schemas import Attribute


def known_attributes(access: OrgAccess) -> tuple[Attribute, ...] | None:
    """None when PingOne does not tell: its own attributes are known without."""
    key = key_of(access, "user-attributes")
    remembered: list[tuple[Attribute, ...] | None] | None = cache.get(key)
    if remembered is None:
        try:
            remembered, keep_s = [schemas.user_attributes(access.pingone())], REMEMBERED_S
        except PingOneError:
            remembered, keep_s = [None], FORGOTTEN_S
        cache.set(key, remembered, keep_s)
    return remembered[0]
