"""The source address on record comes from trusted proxies, not from a browser's claim in X-Forwarded-For."""

import pytest

from console.source_address import source_address


@pytest.mark.parametrize(
    ("remote", "forwarded", "seen"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not from a trusted proxy: only a claim
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first address is the browser's claim
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("", "", ""),
        ("unix:", "203.0.113.9", ""),
    ],
)
def test_source_address_trusts_only_the_proxies(rf, settings, remote, forwarded, seen):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}

    assert source_address(rf.get("/", REMOTE_ADDR=remote, **headers)) == seen
