"""One connection a request."""

import sqlite3

from flask import current_app, g


def connect():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
    return g.db
