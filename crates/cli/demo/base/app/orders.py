"""The orders of a small fruit shop."""

from flask import Blueprint, abort, jsonify

from .db import connect

orders = Blueprint("orders", __name__)


@orders.get("/orders/<int:number>")
def show(number):
    row = connect().execute(f"SELECT * FROM orders WHERE number = {number}").fetchone()
    if row is None:
        abort(404)
    return jsonify(dict(row))
