"""Why the provider vouched for nobody."""

from enum import StrEnum


class Reason(StrEnum):
    UNREACHABLE = "unreachable"  # no usable answer; nothing is known about the person
    WRONG_ADDRESSES = "wrong-addresses"  # another issuer, or a URL on a host that is not named
    CLIENT_REFUSED = "client-refused"  # client ID, secret or method
    CODE_REFUSED = "code-refused"  # used, too old, or another client's
    UNVERIFIED = "unverified"  # the ID token, or userinfo about somebody else
    GROUPS_ELSEWHERE = "groups-elsewhere"  # too many to be listed


class NotVouchedFor(Exception):
    """The provider did not vouch for anybody. The detail is for the log."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
