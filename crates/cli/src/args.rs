//! What can be said on the command line.

use std::{net::SocketAddr, path::PathBuf};

use chaffinch_core::{ForgeKind, RepoName, RepoPath, Rung};
use chrono::NaiveDate;
use clap::{Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser, value_parser};
use url::Url;

/// AI triage of static-analysis findings, self-hosted.
#[derive(Debug, Parser)]
#[command(name = "chaffinch", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chaffinch demo                                     a sandbox, to look at
  chaffinch config example > chaffinch.toml          every setting, its default
  chaffinch config check --config chaffinch.toml     is it complete?
  chaffinch enable acme/shop --by WHO                nothing is read before
  chaffinch serve --config chaffinch.toml            the server
  chaffinch doctor --config chaffinch.toml           what do our tokens allow, and until when?
  chaffinch triage --root . --report semgrep.sarif   in the terminal
  chaffinch excerpt --root . --report semgrep.sarif  what it would send

Exit codes: 0 nothing stands, 1 a finding stands, 2 wrong call or configuration,
3 a finding needs a human's look.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server: webhooks in, comments out.
    #[command(
        after_help = "Every setting can also be given as CHAFFINCH__SECTION__KEY.\n\nExample:\n  CHAFFINCH__MODEL__NAME=my-model chaffinch serve --config chaffinch.toml\n\nSend SIGTERM or SIGINT to stop gently, again to stop at once."
    )]
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Triage a scanner's report over a local checkout.
    Triage(Triage),
    /// Show the lines that a triage would send, each with its reason; nothing is sent. Secrets and
    /// e-mail addresses are shown as they would leave: replaced.
    Excerpt(Excerpt),
    /// Show a pull request and a merge request being triaged, on this machine alone.
    Demo(Demo),
    /// Connect a project with this server: its webhook, and a test delivery through it.
    Connect {
        #[command(subcommand)]
        forge: Connect,
    },
    /// Put new tokens in the place of old ones, before these end.
    Rotate {
        #[command(subcommand)]
        forge: Rotate,
    },
    /// Check the configuration, and ask the forges what our credentials allow, and until when.
    Doctor(Doctor),
    /// Show what left: each disclosure, line by line, without the lines themselves.
    Receipts(Receipts),
    /// Hold what we keep against the promises.
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
    /// Let a repository be worked on: nothing of it is read before.
    Enable(Enable),
    /// Take that back, and destroy what is kept of it.
    Disable(Disable),
    /// Show exactly what would leave, and send nothing; or try whether anything else does.
    Prove(Prove),
    /// Show who enabled which repository, and what was destroyed when that ended.
    Consents(Consents),
    /// Destroy what is kept of a repository or an installation.
    Purge(Purge),
    /// Write down all that is kept of a repository, to have it before it is destroyed.
    Export(Export),
    /// Show the policy in force, those before it, and what is announced.
    Policy(PolicyOptions),
    /// Run a fake forge on this machine, to try things on.
    Sandbox {
        #[command(subcommand)]
        forge: Sandbox,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Make the prompts of the evaluation log again, and ask the model that is configured now.
    Replay(Replay),
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = RECEIPTS_EXAMPLES)]
pub(crate) struct Receipts {
    #[command(subcommand)]
    pub(crate) command: Option<VerifyReceipts>,
    #[command(flatten)]
    pub(crate) list: Option<ListReceipts>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListReceipts {
    /// Of which repository.
    #[arg(value_name = "OWNER/NAME", required = true)]
    pub(crate) repository: Option<RepoName>,
    /// Of which pull request or merge request alone.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) change: Option<u64>,
    /// How they are written; as JSON, one object a line.
    #[arg(long, value_enum, default_value_t = ReceiptsFormat::Table)]
    pub(crate) format: ReceiptsFormat,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReceiptsFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyReceipts {
    /// Look whether any receipt is missing or altered.
    Verify {
        /// Of this repository alone.
        #[arg(value_name = "OWNER/NAME")]
        repository: Option<RepoName>,
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

const RECEIPTS_EXAMPLES: &str = "\
Each receipt names the digest of the one before it. Whoever notes down the digest that `verify`
shows can tell later that nothing before it was changed. The server
may be running.

Examples:
  chaffinch receipts acme/shop --config chaffinch.toml
  chaffinch receipts acme/shop --change 7 --format csv --config chaffinch.toml
  chaffinch receipts verify --config chaffinch.toml

Exit codes: 0 shown, or whole; 1 a receipt is missing or altered; 2 wrong call or configuration,
or no receipt.";

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List every key of the store: its kind, how long it lives, and whether it is sealed.
    Store(AuditStore),
}

#[derive(Debug, clap::Args)]
#[command(after_help = AUDIT_EXAMPLES)]
pub(crate) struct AuditStore {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Only what breaks a rule, and how much there is of each kind.
    #[arg(long)]
    pub(crate) summary: bool,
    /// How it is written; as JSON, one object a line.
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// For people.
    Table,
    /// For programs.
    Json,
}

const AUDIT_EXAMPLES: &str = "\
Names are sealed, too; nothing that a value holds is shown. The server may be running.

Examples:
  chaffinch audit store --config chaffinch.toml
  chaffinch audit store --config chaffinch.toml --summary
  chaffinch audit store --config chaffinch.toml --format json > store.jsonl

Exit codes: 0 everything keeps to the rules, 1 something does not, 2 wrong call or
configuration, or no store.";

#[derive(Debug, clap::Args)]
#[command(after_help = ENABLE_EXAMPLES)]
pub(crate) struct Enable {
    /// Which repositories; the policy must list them.
    #[arg(value_name = "OWNER/NAME", required = true)]
    pub(crate) repository: Vec<RepoName>,
    /// Who enables them: it is recorded.
    #[arg(long, value_name = "WHO")]
    pub(crate) by: String,
    /// On which forge, where both have one of this name.
    #[arg(long, value_parser = forge)]
    pub(crate) forge: Option<ForgeKind>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const ENABLE_EXAMPLES: &str = "\
It is recorded who did it, when, and under which policy (`chaffinch consents`). The server may be
running. On GitHub, consent.on_installation lets installing the App count as this.

Example:
  chaffinch enable acme/shop --by \"Ada Lovelace\" --config chaffinch.toml

Exit codes: 0 enabled, 2 wrong call or configuration, or no such repository.";

#[derive(Debug, clap::Args)]
#[command(after_help = DISABLE_EXAMPLES)]
pub(crate) struct Disable {
    /// Which repositories.
    #[arg(value_name = "OWNER/NAME", required = true)]
    pub(crate) repository: Vec<RepoName>,
    /// Who disables them: it is recorded.
    #[arg(long, value_name = "WHO")]
    pub(crate) by: String,
    /// On which forge, where both have one of this name.
    #[arg(long, value_parser = forge)]
    pub(crate) forge: Option<ForgeKind>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const DISABLE_EXAMPLES: &str = "\
Answers, records, receipts and the evaluation log of the repository are destroyed with the key that
sealed them; what was destroyed stays on record for 180 days. `chaffinch receipts` shows them before.

Example:
  chaffinch disable acme/shop --by \"Ada Lovelace\" --config chaffinch.toml";

#[derive(Debug, clap::Args)]
pub(crate) struct Consents {
    /// How it is written; as JSON, one object a line.
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = PURGE_EXAMPLES)]
pub(crate) struct Purge {
    /// Of which repository.
    #[arg(value_name = "OWNER/NAME", required_unless_present = "installation")]
    pub(crate) repository: Option<RepoName>,
    /// Of every repository of this installation of the GitHub App.
    #[arg(long, value_name = "ID", conflicts_with = "repository")]
    pub(crate) installation: Option<u64>,
    /// Who asks for it: it is recorded.
    #[arg(long, value_name = "WHO")]
    pub(crate) by: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const PURGE_EXAMPLES: &str = "\
Everything is destroyed with the key that sealed it, receipts too; what was destroyed stays on record
for 180 days (`chaffinch consents`). A repository that is enabled stays so.

Examples:
  chaffinch purge acme/shop --by \"Ada Lovelace\" --config chaffinch.toml
  chaffinch purge --installation 4711 --by \"Ada Lovelace\" --config chaffinch.toml";

#[derive(Debug, clap::Args)]
#[command(after_help = PROVE_EXAMPLES)]
pub(crate) struct Prove {
    /// Of which repository.
    #[arg(value_name = "OWNER/NAME", requires = "number", required_unless_present_any = ["canary", "root"])]
    pub(crate) repository: Option<RepoName>,
    /// Of which pull request or merge request.
    #[arg(value_name = "NUMBER")]
    pub(crate) number: Option<u64>,
    /// Of a local checkout instead, with --report.
    #[arg(long, value_name = "DIR", requires = "report", conflicts_with_all = ["repository", "canary"])]
    pub(crate) root: Option<PathBuf>,
    /// A scanner's report: SARIF, Semgrep JSON or GitLab SAST. Of a change, besides those that its forge holds.
    #[arg(long, value_name = "FILE", conflicts_with = "canary")]
    pub(crate) report: Vec<PathBuf>,
    /// Plant marked words wherever nothing should leave from, in a sandbox with this configuration, run a
    /// triage against an endpoint that records, and say which arrived.
    #[arg(long, conflicts_with = "repository")]
    pub(crate) canary: bool,
    /// How it is written; as JSON, one object a line.
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
    /// Write each body to a file of this folder, too, which must not be there yet.
    #[arg(long, value_name = "DIR", conflicts_with = "canary")]
    pub(crate) out: Option<PathBuf>,
    /// On which forge, where both have one of this name.
    #[arg(long, value_parser = forge)]
    pub(crate) forge: Option<ForgeKind>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Make one of the mistakes that --canary is there to find.
    #[cfg(feature = "leaks")]
    #[arg(long, hide = true, value_name = "NAME")]
    pub(crate) leak: Option<String>,
}

const PROVE_EXAMPLES: &str = "\
Nothing is sent. What is shown is what the server would send first if no answer was kept: the questions
that follow depend on the answers, and of a kept answer nothing leaves.

Examples:
  chaffinch prove acme/shop 7 --config chaffinch.toml
  chaffinch prove --root . --report semgrep.sarif --config chaffinch.toml --out bodies
  chaffinch prove --canary --config chaffinch.toml

Exit codes: 0 shown, or no canary arrived; 1 a canary arrived, or nothing did, so that nothing is
proved; 2 wrong call or configuration; 3 something could not be shown.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct Export {
    /// Of which repository.
    #[arg(value_name = "OWNER/NAME")]
    pub(crate) repository: RepoName,
    /// Where to: a new file that its owner alone can read. Else on standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const EXPORT_EXAMPLES: &str = "\
One JSON object a line: consents, deletions, receipts with what became of each, whether their chain is
whole and its last digest, the record of each change, the evaluation log. Not the cache of answers.
What is exported is no longer sealed, and no time to live ends it.

Example:
  chaffinch export acme/shop --out shop.jsonl --config chaffinch.toml

Exit codes: 0 written, 2 wrong call or configuration, or nothing is kept.";

#[derive(Debug, clap::Args)]
pub(crate) struct PolicyOptions {
    /// The one that was in force at the end of this day (UTC).
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) on: Option<NaiveDate>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

fn forge(text: &str) -> Result<ForgeKind, String> {
    let known = ForgeKind::ALL.into_iter().find(|forge| forge.as_str() == text);
    known.ok_or_else(|| "want github or gitlab".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connect {
    /// Make or update the webhook of a GitLab project.
    Gitlab(ConnectGitLab),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rotate {
    /// Make two new tokens of a GitLab project and put them into the files that hold the old ones.
    Gitlab(RotateGitLab),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sandbox {
    /// A GitLab with one project and one merge request, and a model that answers from a script.
    Gitlab(SandboxGitLab),
}

/// A project, and who may change its settings.
#[derive(Debug, clap::Args)]
pub(crate) struct Maintained {
    /// The project, subgroups included.
    #[arg(long, value_name = "GROUP/PROJECT")]
    pub(crate) project: RepoName,
    /// The configuration file; a [[gitlab.project]] of it must cover the project.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A file that holds a token of a maintainer of the project (scope api). Without it:
    /// CHAFFINCH_MAINTAINER_TOKEN, or a prompt. It is used now and not kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// `chaffinch connect gitlab`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Makes one webhook, to SERVER/webhooks/gitlab, that tells of merge requests and pipelines
(and of jobs, where gitlab.jobs names some) and of nothing else, with a random signing
token in the file that webhook_secret_file names. Running it again changes nothing but
what differs.

Examples:
  chaffinch connect gitlab --project acme/shop --config chaffinch.toml
  chaffinch connect gitlab --project acme/shop --config chaffinch.toml --make-tokens
  chaffinch connect gitlab --project acme/shop --config chaffinch.toml --remove

Exit codes: 0 done, 1 the webhook is there but a test delivery did not arrive, 2 not done.")]
pub(crate) struct ConnectGitLab {
    #[command(flatten)]
    pub(crate) at: Maintained,
    /// Where GitLab reaches this server, if it is not server.public_url.
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<Url>,
    /// Also make the two project access tokens, where their files are not there yet.
    #[arg(long)]
    pub(crate) make_tokens: bool,
    /// How long these are good.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
    /// Remove the webhook instead.
    #[arg(long)]
    pub(crate) remove: bool,
}

/// `chaffinch rotate gitlab`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The old tokens end at once; the server reads the files again before each job. `chaffinch
doctor` says when it is time.

Example:
  chaffinch rotate gitlab --project acme/shop --config chaffinch.toml")]
pub(crate) struct RotateGitLab {
    #[command(flatten)]
    pub(crate) at: Maintained,
    /// How long the new ones are good.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
}

/// `chaffinch doctor`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Asks each forge about each repository that policy.repositories names in full, and GitLab
about both tokens of each project: excess scopes and roles, what is missing, the day on
which they end.

Examples:
  chaffinch doctor --config chaffinch.toml
  chaffinch doctor --config chaffinch.toml --project acme/shop

Exit codes: 0 all is well, 1 something should be changed, 2 the configuration is wrong.")]
pub(crate) struct Doctor {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Also ask about this repository, where only a pattern covers it; may be given several times.
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) project: Vec<RepoName>,
    /// So many days before a token ends, it is time to rotate it.
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    pub(crate) within: u16,
}

/// `chaffinch sandbox gitlab`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The project is orchard/shop; its merge request is !7, with a Semgrep report in a pipeline.

Example:
  chaffinch sandbox gitlab --token-file maintainer.token")]
pub(crate) struct SandboxGitLab {
    /// Where it listens; the model listens on the next port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4181")]
    pub(crate) listen: SocketAddr,
    /// Write the token of a maintainer of the project into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration: every problem in one sentence each; exit code 0 if there is none.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print every setting with its default and what it means.
    Example,
}

/// `chaffinch triage`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs a model: set [model] in the configuration file, or in the environment
CHAFFINCH__MODEL__BASE_URL, CHAFFINCH__MODEL__NAME and CHAFFINCH__MODEL__KEY.

Examples:
  semgrep scan --sarif --output r.sarif . ; chaffinch triage --root . --report r.sarif
  chaffinch triage --root . --report r.json --format markdown > triage.md

Exit codes: 0 nothing stands, 1 a finding stands, 2 wrong call or configuration,
3 a finding needs a human's look.")]
pub(crate) struct Triage {
    /// The checkout that the report is about.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,
    /// A SARIF 2.1.0, Semgrep JSON or GitLab SAST file; may be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) report: Vec<PathBuf>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(crate) format: Format,
}

/// `chaffinch excerpt`
#[derive(Debug, clap::Args)]
#[command(after_help = EXCERPT, after_long_help = format!("{EXCERPT}{TRUTH}"))]
pub(crate) struct Excerpt {
    /// The checkout that the report is about; with --truth, the folder of all sources.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,
    /// A SARIF 2.1.0, Semgrep JSON or GitLab SAST file; may be given several times.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["truth", "jsonl"])]
    pub(crate) report: Vec<PathBuf>,
    /// Only findings whose id begins so; may be given several times.
    #[arg(long, value_name = "ID", value_parser = beginning)]
    pub(crate) finding: Vec<String>,
    /// The most tokens of source (o200k_base).
    #[arg(long, value_name = "N", default_value_t = 900,
        value_parser = RangedU64ValueParser::<usize>::new().range(..=MAX_BUDGET as u64))]
    pub(crate) budget: usize,
    /// How much may be disclosed.
    #[arg(long, value_enum, value_name = "RUNG", default_value_t = Ceiling::Related, ignore_case = true)]
    pub(crate) ceiling: Ceiling,
    /// The most files that are asked for, for one finding, its own included: 1 to 50.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = value_parser!(u32).range(1..=50))]
    pub(crate) requests: u32,
    /// A file of the change, where callers are looked for first; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub(crate) changed: Vec<RepoPath>,
    /// Also show what defines this name, or what is at this path, as a model may ask for; may be
    /// given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) need: Vec<String>,
    /// Allow the names of the files in one folder to be asked for.
    #[arg(long)]
    pub(crate) listing: bool,
    /// Say of each line why it is there, and which other files were asked for.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Read findings from the records of a truth set in place of a report.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["report", "finding"])]
    pub(crate) truth: Option<PathBuf>,
    /// With --truth: one JSON object a record, with the lines that would be sent, and how many files
    /// were asked for.
    #[arg(long)]
    pub(crate) jsonl: bool,
}

/// The largest budget that a policy allows.
pub(crate) const MAX_BUDGET: usize = 100_000;

const EXCERPT: &str = "\
Nothing is sent, and no model is needed. What is replaced is what the default policy replaces.

Examples:
  chaffinch excerpt --root . --report r.sarif --explain
  chaffinch excerpt --root . --report r.sarif --finding 3f2a --budget 300
  chaffinch excerpt --root sources --truth set.jsonl --jsonl > sent.jsonl

Exit codes: 0 every finding is shown, 2 wrong call or input, or a result of a report
that is of no file below --root or cannot be read.";

const TRUTH: &str = r#"

A truth set has one record a line; here it takes three:
  {"id": "a1", "repo": "acme/shop", "path": "app/db.py", "start": 5, "end": 5,
   "rule": "python.sqli", "message": "Input reaches a query.",
   "trace": [{"path": "app/web.py", "line": 3}]}
"message" and "trace" may be left out; other keys are not read. The files of "repo" are
looked for in the folder of that name below --root, with + for each / (acme+shop);
"fetch", where there is one, takes the place of "repo". Those of "repo": "corpus" without
"fetch" are looked for in --root itself."#;

/// What an id begins with. Ids are in lower case.
fn beginning(id: &str) -> Result<String, &'static str> {
    if id.trim().is_empty() {
        return Err("give the first letters of an id, or leave it out to see all findings");
    }
    Ok(id.trim().to_ascii_lowercase())
}

/// The rungs of the ladder of disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ceiling {
    /// The lines that the scanner points at, and its flow.
    Finding,
    /// Those of the function that decide.
    Slice,
    /// The function's lines near the finding, and what it names in the same file.
    Function,
    /// What it names in other files.
    Related,
    /// The whole file.
    File,
}

impl From<Ceiling> for Rung {
    fn from(ceiling: Ceiling) -> Self {
        match ceiling {
            Ceiling::Finding => Self::Finding,
            Ceiling::Slice => Self::Slice,
            Ceiling::Function => Self::Function,
            Ceiling::Related => Self::Related,
            Ceiling::File => Self::File,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Terminal,
    /// One JSON document.
    Json,
    /// What the summary of a pull request would say.
    Markdown,
    /// SARIF 2.1.0: every finding with its verdict as its level; likely false positives are notes.
    Sarif,
}

/// `chaffinch demo`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With OPENAI_API_KEY (or CHAFFINCH__MODEL__BASE_URL, and __NAME and __KEY where it
wants them) a real model is asked about the demo's own small program; without,
answers are scripted, and everything says so.

Examples:
  chaffinch demo
  chaffinch demo --once
  OPENAI_API_KEY=… chaffinch demo --model gpt-6-luna")]
pub(crate) struct Demo {
    /// Print the comments and the check, and exit.
    #[arg(long)]
    pub(crate) once: bool,
    /// Where the page with the pull request is shown.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4180")]
    pub(crate) listen: SocketAddr,
    /// The model to ask, where a real one is asked.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
}

/// `chaffinch replay`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Fetches the lines that each entry names, at its commit, file by file; builds the prompt, redacts it
again, and compares its digest. One that is the same is asked once more: a disclosure like any other,
with a receipt. No cache is read or written.

Examples:
  chaffinch replay acme/shop --dry-run --config chaffinch.toml
  chaffinch replay acme/shop --change 7 --config chaffinch.toml
  chaffinch replay acme/shop --config other-model.toml --format json > replay.jsonl

Exit codes: 0 every prompt was rebuilt, 1 one was not, 2 wrong call or configuration, or nothing to
replay.")]
pub(crate) struct Replay {
    /// Of which repository.
    #[arg(value_name = "OWNER/NAME")]
    pub(crate) repository: RepoName,
    /// Of which pull request or merge request alone.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) change: Option<u64>,
    /// The disclosure with this receipt alone.
    #[arg(long, value_name = "ID")]
    pub(crate) receipt: Option<String>,
    /// The most entries, the newest first.
    #[arg(long, value_name = "N", default_value_t = 50,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) limit: usize,
    /// The forge, where both have a repository of that name.
    #[arg(long, value_parser = forge)]
    pub(crate) forge: Option<ForgeKind>,
    /// Only rebuild the prompts: nothing is sent.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How it is written; as JSON, one object a line.
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
