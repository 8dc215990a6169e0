//! Serves a pull request with threads, a summary and a check, until it is interrupted.
//!
//! `cargo run -p chaffinch-sandbox --example pull_request [PORT [TRAFFIC]]` prints the address of the
//! page and, for clients that want to read it, the API's address and a token; the traffic is written to
//! a file, if one is named.

#![expect(clippy::print_stdout, reason = "it is for people at a terminal")]

#[path = "shop/shop.rs"]
mod shop;

use std::{error::Error, sync::Arc};

use chaffinch_sandbox::{GitHub, Options};
use serde_json::{Value, json};
use shop::{AFTER, BANNER, BEFORE, FALSE, Machine, REAL, SUMMARY};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::new(Arc::new(Machine));
    options.port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    options.record = std::env::args().nth(2).map(Into::into);
    options.banner = Some(BANNER.to_owned());
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
