import pytest
from django.test import Client

pytestmark = pytest.mark.database


def test_a_living_process_says_so_without_a_database(client: Client) -> None:
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_a_migrated_server_is_ready(client: Client) -> None:
    assert client.get("/readyz").content == b"ready"
