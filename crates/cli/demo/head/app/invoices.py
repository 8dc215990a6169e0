"""Invoices as PDF, made by the print server's own tool."""

import subprocess

from flask import Blueprint, abort, request, send_file

invoices = Blueprint("invoices", __name__)

PRINTER = "ops@orchard.example"


@invoices.get("/invoices/<number>")
def invoice(number):
    paper = request.args.get("paper", "A4")
    target = f"/tmp/invoice-{number}.pdf"
    command = f"make-invoice --to {PRINTER} --paper {paper} --number {number} --out {target}"
    done = subprocess.run(command, shell=True, timeout=30)
    if done.returncode != 0:
        abort(502)
    return send_file(target)


@invoices.get("/invoices/<int:number>/count")
def pages(number):
    done = subprocess.run(f"count-pages {number}", shell=True, timeout=30, capture_output=True)
    return {"pages": int(done.stdout)}
