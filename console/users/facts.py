"""A user's profile as a list of facts: the common attributes, then others that are set, then custom attributes."""

from collections.abc import Iterator
from dataclasses import dataclass

from pingone_integration.profiles import in_words
from pingone_integration.users import User

_LONG = 40  # characters; a longer value gets its own line
_LONG_WORD = 16  # characters; a single column would break a longer word


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of a profile. `value` is plain text from PingOne."""

    label: str
    value: str
    note: str = ""
    copyable: bool = False

    @property
    def is_long(self) -> bool:
        return len(self.value) > _LONG or "\n" in self.value

    @property
    def has_long_word(self) -> bool:
        return any(len(word) > _LONG_WORD for word in self.value.split())


def profile_of(user: User) -> list[Fact]:
    """Return the profile. The facts that a helpdesk asks for first appear even if empty."""
    verified = {True: "verified", False: "not verified", None: ""}[user.email_verified] if user.email else ""
    return [
        Fact(label="Username", value=user.username, copyable=True),
        Fact(label="E-mail", value=user.email, note=verified, copyable=True),
        Fact(label="Given name", value=user.name.given),
        Fact(label="Family name", value=user.name.family),
        Fact(label="Mobile phone", value=user.mobile_phone, copyable=True),
        Fact(label="Primary phone", value=user.primary_phone, copyable=True),
        *(fact for fact in _others(user) if fact.value.strip()),
        *(Fact(label=name, value=in_words(value)) for name, value in user.custom.items()),
    ]


def _others(user: User) -> Iterator[Fact]:
    yield Fact(label="Middle name", value=user.name.middle)
    yield Fact(label="Prefix", value=user.name.prefix)
    yield Fact(label="Suffix", value=user.name.suffix)
    yield Fact(label="Formatted name", value=user.name.formatted)
    yield Fact(label="Nickname", value=user.nickname)
    yield Fact(label="Title", value=user.title)
    yield Fact(label="Type", value=user.type)
    yield Fact(label="Address", value="\n".join(user.address.lines))
    yield Fact(label="Preferred language", value=user.preferred_language)
    yield Fact(label="Locale", value=user.locale)
    yield Fact(label="Time zone", value=user.timezone)
    yield Fact(label="Account ID", value=user.account_id, copyable=True)
    yield Fact(label="External ID", value=user.external_id, copyable=True)
    yield Fact(label="Photo", value=user.photo_url)
