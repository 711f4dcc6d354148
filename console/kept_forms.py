"""What somebody typed and sent after their session had ended: kept for the same person until they signed in again.

It waits in the browser's session, for the form at the same address. Only a form that carries the operator's mark is
kept, so that nobody can fill this server's sessions from outside; forms that ask for secrets carry none.
"""

import time
from uuid import uuid4

from django.core import signing
from django.http import HttpRequest, QueryDict

from console.models import Operator

FIELD = "typed_by"  # of the form
KEPT_S = 3600
_LARGEST = 64_000  # characters
_LEFT_OUT = ("csrfmiddlewaretoken", "submission", FIELD)
_SALT = "console.kept_forms"
_KEY = "typed"


def mark_of(operator: Operator) -> str:
    """For the form, so that only its reader gets back what they typed."""
    return signing.dumps(str(operator.pk), salt=_SALT)


def keep(request: HttpRequest) -> bool:
    """Keep what an operator sent without a session; whether there was something to keep."""
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
    request.session[_KEY] = {"path": request.path, "operator": operator, "query": query, "at": time.time()}
    return True


def take(request: HttpRequest) -> QueryDict | None:
    """What this operator typed into the form at this address, once, as if it had just been sent; None: nothing."""
    kept = request.session.get(_KEY)
    if not kept:
        return None
    theirs = kept["operator"] == str(request.user.pk) and kept["at"] > time.time() - KEPT_S
    if theirs and kept["path"] != request.path:
        return None
    del request.session[_KEY]
    if not theirs:
        return None
    typed = QueryDict(kept["query"], mutable=True)
    typed["submission"] = str(uuid4())
    return typed
