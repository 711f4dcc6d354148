import pytest
from django.test import Client

pytestmark = pytest.mark.database


def test_healthz_works_without_a_database(client: Client) -> None:
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_readyz_reports_a_migrated_server(client: Client) -> None:
    assert client.get("/readyz").content == b"ready"
