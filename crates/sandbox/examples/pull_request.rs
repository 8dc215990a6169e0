//! Serves a pull request with threads, a summary and a check, until it is interrupted.
//!
//! `cargo run -p chaffinch-sandbox --example pull_request [PORT [TRAFFIC]]` prints the address of the
//! page and, for clients that want to read it, the API's address and a token; the traffic is written to
//! a file, if one is named.

#![expect(clippy::print_stdout, reason = "it is for people at a terminal")]

use std::{error::Error, sync::Arc};

use chaffinch_core::Clock;
use chaffinch_sandbox::{GitHub, Options};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "nothing here is to be held still")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

const BEFORE: &str = r#"import sqlite3

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

const AFTER: &str = r#"import hashlib
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

const REAL: &str = "**Real: SQL injection** · `python.flask.sql-injection` · high

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

const FALSE: &str = "**Might be safe to ignore: weak hash** · `python.md5` · medium

The digest names a version of the body (line 26) and is marked `usedforsecurity=False` (line 27). Nothing \
secret hangs on it.

<sub>2 lines of 1 file went to `scripted-model` · [what left, and why](https://example.com/policy)</sub>
<!-- chaffinch:1:finding:100102030405060708090a0b0c0d0e0f:89abcdef -->";

const SUMMARY: &str = "**Chaffinch** looked at 3 findings: 1 real, 1 might be safe to ignore, 1 needs review

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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::new(Arc::new(Machine));
    options.port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    options.record = std::env::args().nth(2).map(Into::into);
    options.banner = Some("Scripted answers: no model was asked".to_owned());
    let github = GitHub::start(options).await?;
    let repo = github.repo("acme/shop").base_file("app.py", BEFORE).file("app.py", AFTER);
    let repo = repo.base_file("Dockerfile", "FROM python:3.13\n").person("alice", "write");
    let change = repo.change(7).title("List the orders of one customer").author("alice");
    let change = change.branch("orders-of-a-customer");
    let token = github.token(
        &["acme/shop"],
        &[
            ("metadata", "read"),
            ("contents", "read"),
            ("pull_requests", "write"),
            ("checks", "write"),
        ],
    );
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let post = async |path: &str, body: Value| {
        let url = format!("{}/repos/acme/shop/{path}", github.url());
        let request = client.post(url).bearer_auth(&token).json(&body);
        request.send().await?.error_for_status()
    };
    let head = change.head();
    let on = |line: u64, start: Option<u64>, body: &str| {
        let mut comment = json!({ "path": "app.py", "line": line, "side": "RIGHT", "body": body });
        if let Some(start) = start {
            comment["start_line"] = json!(start);
            comment["start_side"] = json!("RIGHT");
        }
        comment
    };
    let comments = json!([on(22, Some(21), REAL), on(27, None, FALSE)]);
    post("pulls/7/reviews", json!({ "event": "COMMENT", "commit_id": head, "comments": comments }))
        .await?;
    post("issues/7/comments", json!({ "body": SUMMARY })).await?;
    let note = json!({
        "path": "app.py", "start_line": 21, "end_line": 22, "annotation_level": "failure",
        "title": "SQL injection", "message": "A request parameter becomes part of the statement.",
    });
    let output = json!({
        "title": "1 finding stands, 1 needs review", "annotations": [note],
        "summary": "3 findings were triaged. The check fails while a real one stands.",
    });
    let check = json!({
        "name": "Chaffinch", "head_sha": head, "status": "completed", "conclusion": "failure", "output": output,
    });
    post("check-runs", check).await?;
    change.reply("app.py:22", "alice", "Good catch, I take the suggestion.");
    println!("page  {}\napi   {}\ntoken {token}", change.page(), github.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
