"""The version, as every request to PingOne tells it."""

VERSION = "0.2.0"  # the same as in pyproject.toml and CHANGELOG.md
