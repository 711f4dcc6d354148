#!/usr/bin/env python
"""Run one of the console's commands; `manage.py sandbox` runs the local PingOne stand-in instead."""

import os
import sys

from django.core.management import execute_from_command_line

from pingone_integration.version import VERSION

if __name__ == "__main__":
    if sys.argv[1:2] in (["version"], ["--version"]):  # Django would print its own
        print(f"PingOne console {VERSION}")
        sys.exit()
    # The sandbox is a site of its own, with its own settings and database: it needs none of the console's.
    site = "pingone_integration.sandbox" if sys.argv[1:2] == ["sandbox"] else "console"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{site}.settings")
    execute_from_command_line(sys.argv)
