"""A form sent after its operator's session had ended: kept for the same person until they have signed in again.

It waits in the browser's session, for the form at the same address. Only a form that carries its operator's signature
is kept, so that nobody can fill this server's sessions from outside; forms that ask for secrets carry none.
"""

import time
from uuid import uuid4

from django.core import signing
from django.http import HttpRequest, QueryDict

from console.models import Operator
from console.session_slot import SessionSlot

FIELD = "typed_by"  # of the form
KEPT_S = 3600
_LARGEST = 64_000  # characters
_LEFT_OUT = ("csrfmiddlewaretoken", "submission", FIELD)
_SALT = "console.kept_forms"


def signature_of(operator: Operator) -> str:
    """Return what the form carries, so that only its reader gets back what they typed."""
    return signing.dumps(str(operator.pk), salt=_SALT)


def save(request: HttpRequest) -> bool:
    """Save what an operator sent without a session. Return whether there was a form to save."""
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
    """Return, once, what this operator typed into the form at this address, as if just sent. None: nothing was."""
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
