"""The effects that an approval is bound to: who, what, with which inputs, and the values that were shown (digest)."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.crypto import salted_hmac

from console.audit.entries import Subject, storable
from console.models import ApprovalRequest
from pingone_integration.texts import Text

Kind = ApprovalRequest.Kind
_SALT = "console.approvals"


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What somebody is about to do, as it is asked for."""

    kind: ApprovalRequest.Kind
    name: Text
    needs: tuple[tuple[str, str], ...]  # key and permission of each action
    subject: Subject
    emails: tuple[str, ...] = ()  # of the subject, who approves nothing about themself
    populations: frozenset[str]  # "" if there is none
    fields: frozenset[str] = frozenset()
    protects: bool = False
    inputs: dict[str, Any] = field(default_factory=dict)  # without secrets
    before: Any = None
    after: Any = None
    lines: tuple[Any, ...] = ()
    about: Any = None
    bound: Any = None  # all inputs, with secrets: only their keyed hash is stored


def digest_of(effects: Effects, *, organization: Any, requester: Any) -> str:
    """Return the keyed hash by which an approval fits these effects of this person, and no others."""
    bound = [
        str(organization),
        str(requester),
        effects.kind,
        sorted(effects.needs),
        str(effects.subject.id),
        storable(effects.bound),
        storable(effects.before),
        str(effects.about or ""),
    ]
    return salted_hmac(_SALT, json.dumps(bound, sort_keys=True), algorithm="sha256").hexdigest()
