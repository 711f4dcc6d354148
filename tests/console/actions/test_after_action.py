"""The user's page after an action in a fragment: heading, tab, account and verdict tell of the user as read back."""

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
import respx

from console.actions.action import Action
from console.actions.catalogue import ACTIONS
from console.models import Operator
from tests.support.answers import ADA
from tests.support.asking import Directory, Way, asking, directory_for

WALKED = [action for action in ACTIONS if action.needs_user and action.key != "user.delete"]  # which leaves the page
UPDATED = datetime(2026, 12, 31, 22, 7, tzinfo=UTC)


@dataclass
class Renaming(Directory):
    """A directory whose user has another name and a new time of update after the first write."""

    def _read(self, path: str) -> httpx.Response:
        answer = super()._read(path)
        if path != f"/users/{ADA}" or not self.taken:
            return answer
        return httpx.Response(
            200, json=answer.json() | {"name": {"given": "Ida", "family": "Nova"}, "updatedAt": UPDATED.isoformat()}
        )


@pytest.mark.parametrize("action", WALKED, ids=lambda action: action.key)
def test_fragment_after_an_action_tells_of_the_user_as_read_back(
    org_admin: Operator, pingone: respx.MockRouter, action: Action
) -> None:
    usual = directory_for(action)
    pingone.route().mock(side_effect=Renaming(usual.written, before=usual.before, after=usual.after))

    told = asking(Way.FRAGMENT, org_admin)(action)

    assert told.status == 200
    assert not told.sent_to
    assert "<title>Ida Nova · Acme · PingOne console</title>" in told.text
    assert 'id="user-heading" class="user-heading" hx-swap-oob="true"' in told.text
    account = told.text.partition('<section id="account"')[2].partition("</section>")[0]
    assert 'hx-swap-oob="true"' in account
    assert ">31 Dec 2026, 22:07</time>" in account
    assert 'class="known" name="user"' in account, "what the verdict asks again for"
