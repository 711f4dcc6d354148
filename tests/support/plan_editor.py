"""The editor of plans, as a browser without JavaScript uses it."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from console.access import enter_org
from console.models import Operator, PlanVersion
from console.plans.definition import read
from console.plans.editing import changes
from tests.support.plain_browser import read as read_page
from tests.support.plain_browser import sent_by
from tests.support.plan_people import VPN

HERE = "/o/acme/settings/plans/"
NEW = "/o/acme/settings/new-plan/"
IMPORT = "/o/acme/settings/import-plan/"

MAIL = {"mail": "person", "subject": "Hello {given}", "text": "Welcome,\n{name}"}
PLAN: dict[str, Any] = {
    "id": "vpn",
    "name": "VPN",
    "kind": "change",
    "steps": [{"action": "group.add", "inputs": {"group_id": str(VPN)}}, MAIL],
}


def saved(operator: Operator, said: dict[str, Any] = PLAN) -> PlanVersion:
    """Save a plan as its first version."""
    return changes.create(enter_org(operator, "acme"), read(said))


def saved_again(operator: Operator, **changed: Any) -> PlanVersion | None:
    """Save another version of PLAN."""
    newest = PlanVersion.objects.filter(plan__slug=PLAN["id"]).first()
    assert newest
    return changes.change(enter_org(operator, "acme"), "vpn", read(PLAN | changed), seen=newest.number)


def newest() -> PlanVersion:
    """Return the newest version of the only plan."""
    found = PlanVersion.objects.first()
    assert found
    return found


@dataclass
class Editor:
    """A browser in the editor. `page` is what it shows."""

    client: Client
    address: str = NEW
    page: str = ""
    status: int = 0
    location: str = ""

    def open(self, address: str = "") -> "Editor":
        self._show(self.client.get(address or self.address))
        return self

    def press(self, do: str, **typed: str) -> "Editor":
        """Fill in fields by their names, and press a button."""
        sent = sent_by(self.page, "do", do) | typed
        form = next(one for one in read_page(self.page).all("form") if "novalidate" in one.attributes)
        self._show(self.client.post(form.attributes["action"], sent))
        return self

    @property
    def fields(self) -> dict[str, str]:
        return sent_by(self.page, "do", "save")

    @property
    def titles(self) -> list[str]:
        found = [one.text for one in read_page(self.page).all("h2")]
        return [one for one in found if one[:1].isdigit()]

    def _show(self, answer: Any) -> None:
        self.status, self.location = answer.status_code, answer.get("Location", "")
        self.page = answer.content.decode()
