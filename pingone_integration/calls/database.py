"""The database during a wait: threads that wait for PingOne need no connection to it, and there are fewer of them."""

from django.db import connections


def give_back() -> None:
    """Give this thread's connections back to their pool. The next query takes one again.

    A transaction keeps its connection, and so does a database without a pool (SQLite): there a new one only costs time.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection and not connection.in_atomic_block and getattr(connection, "pool", None):
            connection.close()
