"""The orders of a small fruit shop."""

from flask import Blueprint, abort, jsonify, request

from .db import connect

orders = Blueprint("orders", __name__)

COLUMNS = {"newest": "created_at DESC", "total": "total DESC", "customer": "customer"}


@orders.get("/orders/<int:number>")
def show(number):
    row = connect().execute(f"SELECT * FROM orders WHERE number = {number}").fetchone()
    if row is None:
        abort(404)
    return jsonify(dict(row))


@orders.get("/orders/search")
def search():
    customer = request.args.get("customer", "")
    rows = connect().execute(
        f"SELECT number, total FROM orders WHERE customer LIKE '%{customer}%'"
    )
    return jsonify([dict(row) for row in rows])


@orders.get("/orders")
def listing():
    order = COLUMNS.get(request.args.get("sort"), COLUMNS["newest"])
    rows = connect().execute(f"SELECT number, total FROM orders ORDER BY {order}")
    return jsonify([dict(row) for row in rows])
