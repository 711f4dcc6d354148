"""Uploads: one address takes a file, from those who may run jobs. Nobody else can fill memory or disk."""

from io import BytesIO
from typing import Any

import pytest
import respx
from django.test import Client

from console.models import Operator
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


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "org admin"])
def test_no_other_address_reads_a_file(org_admin: Operator, signed_in: bool) -> None:
    client = Client(raise_request_exception=False)
    if signed_in:
        client.force_login(org_admin)

    with respx.mock(assert_all_called=False) as pingone:
        pingone.route().respond(404)
        asked = [address for address in EVERY_ADDRESS if takes_none(address, signed_in=signed_in)]
        taken = {address.path: upload(client, address.path) for address in asked}

    assert max(taken.values()) > 0
    assert {path: count for path, count in taken.items() if count > EXPECTED} == {}


def takes_none(address: Address, *, signed_in: bool) -> bool:
    takes_lists = signed_in and address.name == "upload-list"
    return address.name != "account_logout" and not takes_lists  # the first signs out
