//! `chaffinch receipts`: what left, and whether the record of it is whole.

use std::{collections::BTreeSet, fmt::Write as _, process::ExitCode};

use anyhow::bail;
use chaffinch_core::{Chain, Flaw, Receipt, RepoId, RepoName};
use chaffinch_server::{Config, Kept};

use crate::{
    args::{ListReceipts, Receipts, ReceiptsFormat, VerifyReceipts},
    plain::plain,
    progress,
};

/// A chain has a flaw.
const FLAWED: u8 = 1;

pub(crate) async fn run(
    options: Receipts,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    match (options.command, options.list) {
        (Some(verify), _) => {
            let VerifyReceipts::Verify { config, repository } = verify;
            let config = Config::load(config.as_deref(), environment)?;
            self::verify(&chaffinch_server::kept(&config).await?, repository.as_ref()).await
        }
        (None, Some(list)) => {
            let config = Config::load(list.config.as_deref(), environment)?;
            self::list(&chaffinch_server::kept(&config).await?, &list).await
        }
        (None, None) => bail!("of which repository? Give OWNER/NAME, or `verify`"),
    }
}

/// The repositories of this name: two forges may each have one, and so may two installations.
async fn named(kept: &Kept, name: Option<&RepoName>) -> anyhow::Result<Vec<RepoId>> {
    let mut repos = kept.receipts.repositories().await?;
    let Some(name) = name else { return Ok(repos) };
    let known: BTreeSet<String> = repos.iter().map(|repo| repo.name.to_string()).collect();
    repos.retain(|repo| repo.name.as_str().eq_ignore_ascii_case(name.as_str()));
    if repos.is_empty() {
        let known: Vec<_> = known.into_iter().take(20).collect();
        match known.is_empty() {
            true => bail!("there is no receipt in this store: nothing was sent, or it has expired"),
            false => bail!("there is no receipt of {name}; there are some of {}", known.join(", ")),
        }
    }
    Ok(repos)
}

async fn list(kept: &Kept, options: &ListReceipts) -> anyhow::Result<ExitCode> {
    let mut receipts = Vec::new();
    for repo in named(kept, options.repository.as_ref()).await? {
        receipts.extend(kept.receipts.list(&repo, options.change).await?);
    }
    let mut out = String::new();
    match options.format {
        ReceiptsFormat::Table => table(&receipts, &mut out),
        ReceiptsFormat::Json => {
            for receipt in &receipts {
                let _ = writeln!(out, "{}", serde_json::to_string(receipt)?);
            }
        }
        ReceiptsFormat::Csv => csv(&receipts, &mut out),
    }
    progress::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn table(receipts: &[Receipt], out: &mut String) {
    for receipt in receipts {
        let Receipt { id, at, change, rule, lines, tokens, model, endpoint, .. } = receipt;
        let sign = match change.repo.forge {
            chaffinch_core::ForgeKind::GitHub => '#',
            chaffinch_core::ForgeKind::GitLab => '!',
        };
        let _ = writeln!(
            out,
            "{id}  {}  {}{sign}{}  {}\n  {lines} lines, {tokens} tokens{} → {} at {}",
            at.format("%Y-%m-%d %H:%M:%S"),
            change.repo.name,
            change.number,
            plain(rule.as_str(), 200),
            redacted(receipt),
            plain(model, 200),
            plain(endpoint, 200),
        );
        for sent in &receipt.sent {
            let lines = match sent.start == sent.end {
                true => sent.start.to_string(),
                false => format!("{}-{}", sent.start, sent.end),
            };
            let _ =
                writeln!(out, "    {}:{lines}  {}", plain(sent.path.as_str(), 500), sent.reason);
        }
        let _ = writeln!(out, "  {}", ended(receipt));
    }
    let _ = match receipts.len() {
        0 => writeln!(out, "No receipts: nothing was sent, or they have expired."),
        1 => writeln!(out, "1 disclosure."),
        n => writeln!(out, "{n} disclosures."),
    };
}

/// What became of it.
fn ended(receipt: &Receipt) -> String {
    let Some(settled) = &receipt.settled else {
        return "not known: the program ended before".to_owned();
    };
    let request = match &settled.request_id {
        Some(id) => format!(" (request {})", plain(id, 200)),
        None => String::new(),
    };
    format!(
        "{}{request}, wiped from memory {}",
        plain(&settled.outcome, 100),
        settled.deleted.format("%Y-%m-%d %H:%M:%S")
    )
}

fn redacted(receipt: &Receipt) -> String {
    let classes = receipt.redactions.iter().map(|(class, n)| format!("{n} {class}"));
    let classes: Vec<_> = classes.collect();
    if classes.is_empty() { String::new() } else { format!(", replaced: {}", classes.join(", ")) }
}

const COLUMNS: &str = "id,at,forge,repository,change,head,finding,rule,lines,tokens,redactions,\
                       endpoint,model,prompt_version,prompt_digest,policy_digest,files_requested,sent,\
                       outcome,request_id,answer_digest,deleted\n";

fn csv(receipts: &[Receipt], out: &mut String) {
    out.push_str(COLUMNS);
    for receipt in receipts {
        let sent = receipt.sent.iter();
        let sent: Vec<_> =
            sent.map(|s| format!("{}:{}-{} {}", s.path, s.start, s.end, s.reason)).collect();
        let settled = receipt.settled.as_ref();
        let fields = [
            receipt.id.clone(),
            receipt.at.to_rfc3339(),
            receipt.change.repo.forge.to_string(),
            receipt.change.repo.name.to_string(),
            receipt.change.number.to_string(),
            receipt.head.to_string(),
            receipt.finding.to_string(),
            receipt.rule.to_string(),
            receipt.lines.to_string(),
            receipt.tokens.to_string(),
            receipt.redactions.values().sum::<u32>().to_string(),
            receipt.endpoint.clone(),
            receipt.model.clone(),
            receipt.prompt_version.clone(),
            receipt.prompt_digest.clone(),
            receipt.policy_digest.clone(),
            receipt.requests.files.to_string(),
            sent.join("; "),
            settled.map_or_else(|| "not known".to_owned(), |s| s.outcome.clone()),
            settled.and_then(|s| s.request_id.clone()).unwrap_or_default(),
            settled.and_then(|s| s.answer_digest.clone()).unwrap_or_default(),
            settled.map(|s| s.deleted.to_rfc3339()).unwrap_or_default(),
        ];
        let fields: Vec<_> = fields.iter().map(|field| cell(field)).collect();
        let _ = writeln!(out, "{}", fields.join(","));
    }
}

/// A cell of its own, in which a spreadsheet sees no formula.
fn cell(text: &str) -> String {
    let inert = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{inert}{}\"", text.replace('"', "\"\"")),
        false => format!("{inert}{text}"),
    }
}

async fn verify(kept: &Kept, name: Option<&RepoName>) -> anyhow::Result<ExitCode> {
    let (mut out, mut flawed) = (String::new(), false);
    for repo in named(kept, name).await? {
        let chain = kept.receipts.verify(&repo).await?;
        flawed |= !chain.flaws.is_empty();
        let _ = writeln!(out, "{} ({}): {}", repo.name, repo.forge, told(&chain));
        for flaw in &chain.flaws {
            let _ = writeln!(out, "  ← {}", flaw_told(flaw));
        }
    }
    progress::print(&out)?;
    Ok(if flawed { ExitCode::from(FLAWED) } else { ExitCode::SUCCESS })
}

fn told(chain: &Chain) -> String {
    let (Some(first), Some(last), Some(head)) = (chain.first, chain.last, &chain.head) else {
        return "no receipt that can be read".to_owned();
    };
    let whole = if chain.flaws.is_empty() { "whole" } else { "NOT WHOLE" };
    format!(
        "{} receipts (numbers {first} to {last}), {whole}; digest of the last: {head}",
        chain.receipts
    )
}

fn flaw_told(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Missing { first, last } if first == last => {
            format!("number {first} is missing, and has not expired")
        }
        Flaw::Missing { first, last } => {
            format!("numbers {first} to {last} are missing, and have not expired")
        }
        Flaw::Altered { number } => {
            format!("number {number} is not the one that the next one names")
        }
        Flaw::Unreadable { number } => {
            format!("number {number} cannot be read with the store's key")
        }
        Flaw::NoEnd => "what says which is the last one is missing: some may be cut off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chaffinch_core::{ChangeId, ContentRequests, Fingerprint, Settled};
    use chrono::DateTime;
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_cell_is_text_to_a_spreadsheet() {
        for (text, want) in [
            ("a", "a"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@x,y", "\"'@x,y\""),
        ] {
            assert_eq!(cell(text), want);
        }
    }

    fn receipt(settled: Option<Settled>) -> Receipt {
        Receipt {
            id: "00000000f00d0001".into(),
            at: DateTime::UNIX_EPOCH,
            change: ChangeId {
                repo: RepoId {
                    forge: chaffinch_core::ForgeKind::GitHub,
                    installation: 1,
                    id: 2,
                    name: "acme/shop".parse().unwrap(),
                },
                number: 7,
            },
            head: "a".repeat(40).parse().unwrap(),
            finding: Fingerprint::from_digest([1; 16]),
            rule: "python.sqli".parse().unwrap(),
            sent: Vec::new(),
            requests: ContentRequests::default(),
            lines: 4,
            tokens: 600,
            redactions: BTreeMap::new(),
            endpoint: "https://model.example".into(),
            model: "small".into(),
            prompt_version: "triage-3".into(),
            prompt_digest: "ab".into(),
            policy_digest: "cd".into(),
            settled,
        }
    }

    #[test]
    fn each_disclosure_says_what_became_of_it() {
        let settled = Settled {
            receipt: "00000000f00d0001".into(),
            deleted: DateTime::UNIX_EPOCH,
            answer_digest: Some("ef".into()),
            request_id: Some("req_1".into()),
            outcome: "answered".into(),
        };
        let receipts = [receipt(Some(settled)), receipt(None)];
        let (mut shown, mut cells) = (String::new(), String::new());
        table(&receipts, &mut shown);
        csv(&receipts, &mut cells);
        insta::assert_snapshot!(shown, @"
        00000000f00d0001  1970-01-01 00:00:00  acme/shop#7  python.sqli
          4 lines, 600 tokens → small at https://model.example
          answered (request req_1), wiped from memory 1970-01-01 00:00:00
        00000000f00d0001  1970-01-01 00:00:00  acme/shop#7  python.sqli
          4 lines, 600 tokens → small at https://model.example
          not known: the program ended before
        2 disclosures.
        ");
        let rows: Vec<Vec<&str>> = cells.lines().map(|row| row.split(',').collect()).collect();
        assert!(rows.iter().all(|row| row.len() == 22), "{cells}");
        assert_eq!(rows[0][18..], ["outcome", "request_id", "answer_digest", "deleted"]);
        assert_eq!(rows[1][18..], ["answered", "req_1", "ef", "1970-01-01T00:00:00+00:00"]);
        assert_eq!(rows[2][18..], ["not known", "", "", ""]);
    }
}
