"""Uploads: two addresses take a file, of those who may run jobs or edit plans: nobody can fill memory or disk."""

from io import BytesIO
from typing import Any

import pytest
import respx
from django.test import Client
from django.urls import reverse

from console.models import Organization
from tests.support.addresses import EVERY_ADDRESS, Address

FILE = 400_000  # bytes; Django reads in pieces of 64 KiB
EXPECTED = 150_000


class Counted(BytesIO):
    """A request body that counts the bytes read from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


def upload(client: Client, path: str) -> int:
    """Send a form with a file and return how many bytes the server read."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = Counted(head + b"x" * FILE + b"\r\n--b--\r\n")
    options: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(len(body.getvalue()))}
    client.generic("POST", path, CONTENT_TYPE="multipart/form-data; boundary=b", **options)
    return body.taken


@pytest.mark.parametrize(("who", "takers"), [("", set()), ("org_admin", {"upload-list", "import-plan"})])
def test_no_address_reads_a_file_but_those_of_lists_and_plans(
    acme: Organization, request: pytest.FixtureRequest, who: str, takers: set[str]
) -> None:
    client = Client(raise_request_exception=False)
    if who:
        client.force_login(request.getfixturevalue(who))

    with respx.mock(assert_all_called=False) as pingone:
        pingone.route().respond(404)
        taken = {address.name: upload(client, address.path) for address in EVERY_ADDRESS if is_page(address)}

    assert max(taken.values()) > 0
    assert {name for name, count in taken.items() if count > EXPECTED} == takers


@pytest.mark.parametrize("who", ["helpdesk", "auditor", "stranger"])
def test_file_of_somebody_who_may_not_send_it_is_not_read(
    acme: Organization, request: pytest.FixtureRequest, who: str
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(request.getfixturevalue(who))

    for address in ("upload-list", "import-plan"):
        assert upload(client, reverse(address, args=[acme.slug])) <= EXPECTED


def is_page(address: Address) -> bool:
    return address.name != "account_logout"  # signs out
