"""Forms that operators have to sign in for: kept until the same operator has signed in, for the first time or again.

The input waits in the browser's session, for the form at the same address. Without a session, only a form with its
operator's signature is kept, so that no one can fill this server's sessions from outside. Forms that ask for secrets
have no signature, and are not kept.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from django.core import signing
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from console.models import Operator
from console.session_slot import SessionSlot
from pingone_integration.texts import Text

FIELD = "typed_by"  # the form's field for the signature
KEPT_S = 3600
_LARGEST = 900_000  # characters, encoded: the longest plan of the editor, in a script of three bytes a letter
_LEFT_OUT = ("csrfmiddlewaretoken", "submission", FIELD)
_SALT = "console.kept_forms"


def signature_of(operator: Operator) -> str:
    """Return the signature for a form, so that only its operator gets the input back."""
    return signing.dumps(str(operator.pk), salt=_SALT)


def save(request: HttpRequest) -> bool:
    """Keep a form that an operator sent without a session. Return whether it was kept."""
    if request.method != "POST" or FIELD not in request.POST:
        return False
    try:
        operator = signing.loads(request.POST.get(FIELD, ""), salt=_SALT, max_age=24 * 3600)
    except signing.BadSignature:
        return False
    return _keep(request, operator, was_signed_out=True)


def keep(request: HttpRequest, fields: Iterable[str], *, page: str = "") -> bool:
    """Keep these fields of a form of a signed-in operator, who has to sign in again for it. Return whether it was kept.

    Whatever else was sent is not kept: it may be a secret. `page`: where the form is, if it is sent elsewhere.
    """
    return _keep(request, str(request.user.pk), was_signed_out=False, fields=frozenset(fields), page=page)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The input of a form, with a new submission."""

    typed: QueryDict
    was_signed_out: bool

    @property
    def notice(self) -> Text:
        if self.was_signed_out:
            return _("You were signed out before this was submitted. Nothing was changed. Your entries are below.")
        return _("You signed in again. Nothing was changed yet. Your entries are below.")


def restore(request: HttpRequest, *, once: bool = True) -> Kept | None:
    """Return this operator's input for the form at this address, or None if none was kept.

    Unless `once`, it stays until another form is kept: the page can be loaded again.
    """
    kept = _slot(request).get()
    if not kept:
        return None
    theirs = kept["operator"] == str(request.user.pk) and kept["at"] > time.time() - KEPT_S
    if theirs and kept["path"] != request.path:
        return None
    if once or not theirs:
        _slot(request).pop()
    if not theirs:
        return None
    typed = QueryDict(kept["query"], mutable=True)
    typed["submission"] = str(uuid4())
    return Kept(typed=typed, was_signed_out=kept.get("was_signed_out", True))


def _keep(
    request: HttpRequest,
    operator: str,
    *,
    was_signed_out: bool,
    fields: frozenset[str] | None = None,
    page: str = "",
) -> bool:
    typed = request.POST.copy()
    for name in request.POST:
        if name in _LEFT_OUT or (fields is not None and name not in fields):
            del typed[name]
    query = typed.urlencode()
    if len(query) > _LARGEST:
        return False
    about = {"path": page or request.path, "operator": operator, "was_signed_out": was_signed_out}
    _slot(request).set(about | {"query": query, "at": time.time()})
    return True


def _slot(request: HttpRequest) -> SessionSlot:
    return SessionSlot(request.session, "typed")
