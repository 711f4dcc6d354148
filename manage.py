#!/usr/bin/env python
"""Run one of the console's commands; `manage.py sandbox` runs the local PingOne stand-in instead."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from pingone_integration.version import VERSION

if __name__ == "__main__":
    if sys.argv[1:2] in (["version"], ["--version"]):  # Django would print its own
        print(f"PingOne console {VERSION}")
        sys.exit()
    # The sandbox is a site of its own, with its own settings and database: it needs none of the console's.
    site = "pingone_integration.sandbox" if sys.argv[1:2] == ["sandbox"] else "console"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{site}.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:  # a setting: .env.example explains each
        sys.exit(f"The console cannot start. {problem}")
    except BrokenPipeError:  # whoever reads the output, `head` for example, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
