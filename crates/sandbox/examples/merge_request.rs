//! Serves a merge request with threads, a summary and a status, until it is interrupted.
//!
//! `cargo run -p chaffinch-sandbox --example merge_request [PORT [TRAFFIC]]` prints the address of the
//! page and, for clients that want to read it, GitLab's address and a token; the traffic is written to a
//! file, if one is named.

#![expect(clippy::print_stdout, reason = "it is for people at a terminal")]

#[path = "shop/shop.rs"]
mod shop;

use std::{error::Error, sync::Arc};

use chaffinch_sandbox::{GitLab, GitLabOptions};
use serde_json::{Value, json};
use shop::{AFTER, BANNER, BEFORE, FALSE, Machine, REAL, SUMMARY};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = GitLabOptions::new(Arc::new(Machine));
    options.port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    options.record = std::env::args().nth(2).map(Into::into);
    options.banner = Some(BANNER.to_owned());
    let gitlab = GitLab::start(options).await?;
    let project = gitlab.project("acme/web/shop").base_file("app.py", BEFORE).file("app.py", AFTER);
    let project = project.base_file("Dockerfile", "FROM python:3.13\n").person("alice", 30);
    let change = project.merge_request(7).title("List the orders of one customer").author("alice");
    let change = change.branch("orders-of-a-customer");
    change.job("semgrep-sast").report("sast", "gl-sast-report.json", "{\"vulnerabilities\":[]}");
    let token = project.token("chaffinch", &["api"], 30).value();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let post = async |path: &str, body: Value| {
        let url = format!("{}/projects/acme%2Fweb%2Fshop/{path}", gitlab.api_url());
        let request = client.post(url).header("private-token", &token).json(&body);
        request.send().await?.error_for_status()
    };
    for (line, text) in [(22, REAL), (27, FALSE)] {
        // GitLab counts the lines above and below where GitHub takes the lines of the comment.
        let text = text.replace("```suggestion", "```suggestion:-1+0");
        let position = json!({
            "position_type": "text", "old_path": "app.py", "new_path": "app.py", "new_line": line,
            "base_sha": change.base(), "start_sha": change.base(), "head_sha": change.head(),
        });
        let draft = json!({ "note": text, "position": position });
        post("merge_requests/7/draft_notes", draft).await?;
    }
    post("merge_requests/7/draft_notes/bulk_publish", json!({})).await?;
    post("merge_requests/7/notes", json!({ "body": SUMMARY })).await?;
    let status = json!({
        "state": "failed", "name": "Chaffinch", "target_url": change.page(),
        "description": "1 finding stands, 1 needs review",
    });
    post(&format!("statuses/{}", change.head()), status).await?;
    change.reply("app.py:22", "alice", "Good catch, I take the suggestion.");
    println!("page   {}\ngitlab {}\ntoken  {token}", change.page(), gitlab.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
