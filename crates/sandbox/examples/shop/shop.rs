//! What both examples show: a small shop, and what was said of a change to it.

use chaffinch_core::Clock;
use chrono::{DateTime, Utc};

pub(crate) const BANNER: &str = "Scripted answers: no model was asked";

pub(crate) struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "nothing here is to be held still")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

pub(crate) const BEFORE: &str = r#"import sqlite3

from flask import Flask, request

app = Flask(__name__)


def connect():
    return sqlite3.connect("shop.db")


@app.get("/health")
def health():
    return "ok"


@app.get("/orders")
def orders():
    rows = connect().execute("SELECT id, total FROM orders ORDER BY id")
    return {"orders": [dict(id=row[0], total=row[1]) for row in rows]}
"#;

pub(crate) const AFTER: &str = r#"import hashlib
import sqlite3

from flask import Flask, request

app = Flask(__name__)


def connect():
    return sqlite3.connect("shop.db")


@app.get("/health")
def health():
    return "ok"


@app.get("/orders")
def orders():
    name = request.args.get("customer", "")
    query = f"SELECT id, total FROM orders WHERE customer = '{name}'"
    rows = connect().execute(query)
    return {"orders": [dict(id=row[0], total=row[1]) for row in rows]}


def etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
"#;

pub(crate) const REAL: &str = "**Real: SQL injection** · `python.flask.sql-injection` · high

`name` is read from the query string (line 20) and put into the statement as text (line 21), \
and the statement is run (line 22). Whoever calls `/orders?customer=…` decides what the database does.

<details><summary>Data flow</summary>

1. `app.py:20` source: `request.args.get`
2. `app.py:21` step: the f-string
3. `app.py:22` sink: `execute`

</details>

```suggestion
    query = \"SELECT id, total FROM orders WHERE customer = ?\"
    rows = connect().execute(query, (name,))
```

<details><summary>What to do</summary>

- Pass `name` as a parameter of the statement.
- Add a test with a quote in the name.

</details>

<sub>6 lines of 1 file went to `scripted-model` · [what left, and why](https://example.com/policy)</sub>
<!-- chaffinch:1:finding:000102030405060708090a0b0c0d0e0f:89abcdef -->";

pub(crate) const FALSE: &str = "**Might be safe to ignore: weak hash** · `python.md5` · medium

The digest names a version of the body (line 26) and is marked `usedforsecurity=False` (line 27). Nothing \
secret hangs on it.

<sub>2 lines of 1 file went to `scripted-model` · [what left, and why](https://example.com/policy)</sub>
<!-- chaffinch:1:finding:100102030405060708090a0b0c0d0e0f:89abcdef -->";

pub(crate) const SUMMARY: &str = "**Chaffinch** looked at 3 findings: 1 real, 1 might be safe to ignore, 1 needs review

| finding | verdict | where |
|---|---|---|
| SQL injection | **real** | `app.py:21` |
| weak hash | might be safe to ignore | `app.py:27` |
| container runs as root | needs review: the lines do not say who builds it | `Dockerfile:1` |

<details><summary>Outside the diff</summary>

`Dockerfile:1` · **needs review** · `docker.run-as-root`: the lines shown do not say who builds the image.

</details>

<sub>9 lines of 2 files went to `scripted-model` · [what left, and why](https://example.com/policy)</sub>
<!-- chaffinch:1:summary -->";
