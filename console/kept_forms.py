"""Forms that operators sent after their session ended: kept until the same operator signs in again.

The input waits in the browser's session, for the form at the same address. Only a form with its operator's signature
is kept, so that no one can fill this server's sessions from outside. Forms that ask for secrets have no signature.
"""

import time
from uuid import uuid4

from django.core import signing
from django.http import HttpRequest, QueryDict

from console.models import Operator
from console.session_slot import SessionSlot

FIELD = "typed_by"  # the form's field for the signature
KEPT_S = 3600
_LARGEST = 64_000  # characters
_LEFT_OUT = ("csrfmiddlewaretoken", "submission", FIELD)
_SALT = "console.kept_forms"


def signature_of(operator: Operator) -> str:
    """Return the signature for a form, so that only its operator gets the input back."""
    return signing.dumps(str(operator.pk), salt=_SALT)


def save(request: HttpRequest) -> bool:
    """Keep a form that an operator sent without a session. Return whether it was kept."""
    if request.method != "POST" or FIELD not in request.POST:
        return False
    typed = request.POST.copy()
    try:
        operator = signing.loads(request.POST.get(FIELD, ""), salt=_SALT, max_age=24 * 3600)
    except signing.BadSignature:
        return False
    for name in _LEFT_OUT:
        typed.pop(name, None)
    query = typed.urlencode()
    if len(query) > _LARGEST:
        return False
    _slot(request).set({"path": request.path, "operator": operator, "query": query, "at": time.time()})
    return True


def restore(request: HttpRequest) -> QueryDict | None:
    """Return, once, this operator's input for the form at this address with a new submission, or None if not kept."""
    kept = _slot(request).get()
    if not kept:
        return None
    theirs = kept["operator"] == str(request.user.pk) and kept["at"] > time.time() - KEPT_S
    if theirs and kept["path"] != request.path:
        return None
    _slot(request).pop()
    if not theirs:
        return None
    typed = QueryDict(kept["query"], mutable=True)
    typed["submission"] = str(uuid4())
    return typed


def _slot(request: HttpRequest) -> SessionSlot:
    return SessionSlot(request.session, "typed")
