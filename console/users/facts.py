"""A user's profile as a list of facts: the common attributes, then others that are set, then custom attributes."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from pingone_integration.profiles import in_words
from pingone_integration.texts import Text
from pingone_integration.users import User

_LONG = 40  # characters; a longer value gets its own line
_LONG_WORD = 16  # characters; a single column would break a longer word


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of a profile. `value` is plain text from PingOne."""

    label: Text
    value: str
    note: Text = ""
    copyable: bool = False

    @property
    def is_long(self) -> bool:
        return len(self.value) > _LONG or "\n" in self.value

    @property
    def has_long_word(self) -> bool:
        return any(len(word) > _LONG_WORD for word in self.value.split())


def profile_of(user: User, *, manager_attribute: str = "") -> list[Fact]:
    """Return the profile. The facts that a helpdesk asks for first appear even if empty."""
    verified: dict[bool | None, Text] = {True: _("verified"), False: _("not verified"), None: ""}
    return [
        Fact(label=_("Username"), value=user.username, copyable=True),
        Fact(
            label=_("Email"),
            value=user.email,
            note=verified[user.email_verified if user.email else None],
            copyable=True,
        ),
        Fact(label=_("Given name"), value=user.name.given),
        Fact(label=_("Family name"), value=user.name.family),
        Fact(label=_("Mobile phone"), value=user.mobile_phone, copyable=True),
        Fact(label=_("Primary phone"), value=user.primary_phone, copyable=True),
        *(fact for fact in _others(user) if fact.value.strip()),
        *(
            Fact(label=_("Manager") if name == manager_attribute else name, value=in_words(value))
            for name, value in user.custom.items()
        ),
    ]


def _others(user: User) -> Iterator[Fact]:
    yield Fact(label=_("Middle name"), value=user.name.middle)
    yield Fact(label=_("Prefix"), value=user.name.prefix)
    yield Fact(label=_("Suffix"), value=user.name.suffix)
    yield Fact(label=_("Formatted name"), value=user.name.formatted)
    yield Fact(label=_("Nickname"), value=user.nickname)
    yield Fact(label=_("Title"), value=user.title)
    yield Fact(label=_("Type"), value=user.type)
    yield Fact(label=_("Address"), value="\n".join(user.address.lines))
    yield Fact(label=_("Preferred language"), value=user.preferred_language)
    yield Fact(label=_("Locale"), value=user.locale)
    yield Fact(label=_("Time zone"), value=user.timezone)
    yield Fact(label=_("Account ID"), value=user.account_id, copyable=True)
    yield Fact(label=_("External ID"), value=user.external_id, copyable=True)
    yield Fact(label=_("Photo"), value=user.photo_url)
