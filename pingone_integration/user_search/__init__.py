"""The user search: from typed words to a SCIM filter for PingOne.

Everything here is `sw` (starts with) or `eq`, as PingOne documents them for these attributes.
Source: PingOne API reference, Users > Read All Users, and SCIM filter language (read 2026-11).
"""

from pingone_integration.user_search.conditions import literal
from pingone_integration.user_search.filters import FILTERABLE, BadFilter, Criteria, Search, filter_of, search_of
from pingone_integration.user_search.phones import is_country
from pingone_integration.user_search.typed import id_text_in, user_id_in

__all__ = [
    "FILTERABLE",
    "BadFilter",
    "Criteria",
    "Search",
    "filter_of",
    "id_text_in",
    "is_country",
    "literal",
    "search_of",
    "user_id_in",
]
