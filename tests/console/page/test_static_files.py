"""Static files: all are present, the first page is small, and nothing loads from another host."""

import gzip
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template import engines
from django.test import Client

from console.models import Operator
from console.page.connection_status import LOOKS
from console.page.frame import NAVIGATION
from console.page.icons import ICON_FOLDER, OWN_ICON_FOLDER
from tests.support.answers import ADA, ada, listing
from tests.support.everything import everything
from tests.support.people import API_URL, ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FIRST_LOAD, REPEATED = 60_000, 20_000  # bytes, compressed


def path_of(request: httpx.Request) -> str:
    return request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/o/acme/users/", f"/o/acme/users/{ADA}/?panels=all"])
def test_page_stays_within_its_size_budget(client: Client, helpdesk: Operator, address: str) -> None:
    said = everything() | {"/users": listing("users", *(ada(id=str(uuid4())) for _ in range(25)))}
    client.force_login(helpdesk)
    with respx.mock() as router:
        router.route(url__startswith=API_URL).mock(
            side_effect=lambda asked: httpx.Response(200, json=said[path_of(asked)])
        )
        page = client.get(address, headers={"accept-encoding": "gzip"})

    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) < REPEATED
    files = set(re.findall(r'(?:href|src)="/static/([^"]+)"', gzip.decompress(page.content).decode()))
    assert {"vendor/tabler/tabler.css", "console/console.css", "django_htmx/htmx-2.min.js"} <= files
    contents = [Path(str(finders.find(name))).read_bytes() for name in files]
    assert len(page.content) + sum(len(gzip.compress(content)) for content in contents) < FIRST_LOAD


@pytest.mark.django_db
def test_download_is_sent_row_by_row(client: Client, org_admin: Operator) -> None:
    client.force_login(org_admin)

    assert "Content-Encoding" not in client.get("/o/acme/audit/export/csv/", headers={"accept-encoding": "gzip"})


@pytest.mark.django_db
def test_pages_load_nothing_from_another_host(client: Client, helpdesk: Operator) -> None:
    client.force_login(helpdesk)
    for address in ("/accounts/login/", "/o/acme/", "/accounts/2fa/"):
        html = client.get(address).content.decode()
        assert re.findall(r'(?:href|src|action)="(?:https?:)?//[^"]*"', html) == []


def test_every_file_named_in_a_stylesheet_exists(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}

    call_command("collectstatic", interactive=False, verbosity=0)

    assert list(tmp_path.glob("vendor/tabler/tabler.*.css"))


ICON_FOLDERS = (ICON_FOLDER, OWN_ICON_FOLDER)


def test_every_icon_is_used() -> None:
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "console").rglob("*.py")]
    written = set(re.findall(r"\"([a-z0-9-]+)\"", " ".join(path.read_text() for path in files)))

    assert {file.stem for folder in ICON_FOLDERS for file in folder.glob("*.svg")} - written == set()


def test_every_used_icon_is_there() -> None:
    templates = " ".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    named = set(re.findall(r'{% icon "([^"]+)"', templates))
    named |= {entry.icon for entry in NAVIGATION} | {look.icon for look in LOOKS.values()}

    assert len(named) > 20
    assert named - {file.stem for folder in ICON_FOLDERS for file in folder.glob("*.svg")} == set()


def test_no_two_entries_of_the_menu_have_the_same_icon() -> None:
    icons = [entry.icon for entry in NAVIGATION]

    assert sorted(icons) == sorted(set(icons))


def test_every_template_can_be_parsed() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        engines["django"].get_template(str(path.relative_to(ROOT / "templates")))
