"""`manage.py worker`: sends the emails and does what is due."""

import logging
import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from console.work import worker
from console.work.tasks import stopping

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Run until SIGTERM or Ctrl-C. Safe to kill at any moment, and safe to run several times."""

    help = (
        "Send the emails that wait, keep connections alive, sync populations and clear what is over. One worker beside "
        "the console is enough; several do no harm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due and end, for a timer every few minutes")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        if options["once"]:
            worker.run_once()
        else:
            logger.info("The worker runs.")
            worker.run()


def _stop(number: int, frame: FrameType | None) -> None:
    stopping.requested = True
