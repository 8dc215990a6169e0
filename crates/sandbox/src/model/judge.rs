//! A small deterministic judge: enough to show what a triage looks like, and no more.
//!
//! It looks for signs in the lines that it is shown: of input that an attacker controls, and of
//! what makes it harmless. It never pretends to be a model.

mod fix;

use serde_json::json;

use super::{
    prompt::{ModelRequest, PromptLine},
    reply::{Reply, json as text},
};

/// How every reason begins.
const PREFACE: &str = "Scripted answer, no model was asked.";

/// What one kind of weakness looks like.
struct Kind {
    cwe: &'static [&'static str],
    /// Parts of rule names and messages, lower case.
    rule: &'static [&'static str],
    /// Signs that a line is where harm is done.
    sink: &'static [&'static str],
    /// Signs that the harm is prevented.
    guard: &'static [&'static str],
    real: &'static str,
    harmless: &'static str,
    remedy: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        cwe: &["cwe-89"],
        rule: &["sql"],
        sink: &["execute", "query", "select ", "raw("],
        guard: &[
            "%s\", (",
            "%s', (",
            "?\", (",
            "?', (",
            "?\", [",
            "?', [",
            "preparestatement",
            "bindparam",
            "parameters=",
            ":id",
        ],
        real: "The statement is put together from text, so a value that comes from outside becomes part of the SQL",
        harmless: "The values are passed beside the statement, so the driver keeps them apart from the SQL",
        remedy: "Pass the values as parameters of the statement.",
    },
    Kind {
        cwe: &["cwe-78"],
        rule: &["command", "subprocess", "shell", "exec"],
        sink: &["shell=true", "os.system", "popen", "exec(", "subprocess", "spawn("],
        guard: &["shell=false", "shlex.quote", "execfile("],
        real: "The command is run by a shell, and part of it comes from outside",
        harmless: "The arguments are quoted, or no shell reads them",
        remedy: "Pass the arguments as a list and leave the shell out.",
    },
    Kind {
        cwe: &["cwe-22"],
        rule: &["path", "traversal", "file"],
        sink: &["open(", "readfile", "send_file", "join(", "new file("],
        guard: &[
            "secure_filename",
            "basename",
            "realpath",
            "is_relative_to",
            "startswith(",
            "normalize(",
        ],
        real: "The name of the file comes from outside and may lead out of its folder",
        harmless: "The name is reduced to one inside the folder before it is used",
        remedy: "Resolve the path and check that it is inside the folder.",
    },
    Kind {
        cwe: &["cwe-79"],
        rule: &["xss", "html", "template"],
        sink: &[
            "innerhtml",
            "render_template_string",
            "markup(",
            "dangerouslysetinnerhtml",
            "res.send",
            "html(",
        ],
        guard: &["escape(", "sanitize", "textcontent", "dompurify", "encode("],
        real: "Text that comes from outside is put into the page as it is",
        harmless: "The text is escaped before it is put into the page",
        remedy: "Escape the text where it enters the page.",
    },
    Kind {
        cwe: &["cwe-502"],
        rule: &["deserial", "pickle", "yaml"],
        sink: &["pickle.load", "yaml.load", "unserialize(", "readobject", "marshal.load"],
        guard: &["safe_load", "safeloader", "json.loads"],
        real: "The bytes that are read may build any object",
        harmless: "The loader that is used builds plain data only",
        remedy: "Read the data with a format that holds plain data only.",
    },
    Kind {
        cwe: &["cwe-327", "cwe-328"],
        rule: &["md5", "sha1", "hash", "crypto", "cipher"],
        sink: &["md5", "sha1", "des", "ecb"],
        guard: &["usedforsecurity=false", "etag", "checksum", "cache_key", "fingerprint"],
        real: "The algorithm is broken for what it is used for here",
        harmless: "The digest only tells two contents apart; nothing secret hangs on it",
        remedy: "Use SHA-256, or a password hash where a password is kept.",
    },
    Kind {
        cwe: &["cwe-798"],
        rule: &["secret", "password", "credential", "hardcoded"],
        sink: &["password", "secret", "token", "api_key", "apikey"],
        guard: &["environ", "getenv", "process.env", "example", "placeholder", "changeme"],
        real: "The secret stands in the source, where everybody who reads it can use it",
        harmless: "The value is read from the environment, or is only an example",
        remedy: "Take the secret from the environment and replace the one that was published.",
    },
    Kind {
        cwe: &["cwe-918", "cwe-601"],
        rule: &["ssrf", "request", "redirect"],
        sink: &["requests.get", "urlopen", "fetch(", "redirect(", "http.get", "axios"],
        guard: &["allowed_hosts", "allowlist", "whitelist", "url_for("],
        real: "The address comes from outside and is used as it is",
        harmless: "The address is checked against a list before it is used",
        remedy: "Check the address against a list of those that are meant.",
    },
];

/// Signs of a value that comes from outside.
const OUTSIDE: &[&str] = &[
    "request.",
    "req.",
    "input(",
    "argv",
    "getparameter",
    "params[",
    "$_get",
    "$_post",
    "query.get",
    "r.url.query",
    "r.formvalue",
    "@requestparam",
    "args.get",
];

/// Signs of a text that is put together.
const BUILT: &[&str] =
    &["f\"", "f'", "\" +", "' +", "+ \"", "+ '", "% (", ".format(", "${", "sprintf"];

pub(super) fn judge(request: &ModelRequest) -> Reply {
    let lines = request.lines();
    let facts = request.facts();
    let fact = |name: &str| {
        let found = facts.iter().find_map(|f| f.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_default().to_lowercase()
    };
    let Some(kind) = kind(&fact) else {
        let needs = ["a human who knows this rule"];
        return answer("needs_review", "The rule is none that the script knows.", &[], &needs);
    };
    let has = |line: &PromptLine, signs: &[&str]| {
        let text = line.text.to_lowercase();
        !is_comment(&text) && signs.iter().any(|s| text.contains(s))
    };
    let first = |signs: &[&str]| lines.iter().find(|l| has(l, signs));
    if let Some(guard) = first(kind.guard) {
        let reason = format!("{} (line {}).", kind.harmless, guard.number);
        return answer("false_positive", &reason, &[guard], &[]);
    }
    let reported: Vec<&PromptLine> = {
        let (path, numbers) = reported(&fact("reported at"));
        let here = |l: &&PromptLine| l.path.to_lowercase() == path && numbers.contains(&l.number);
        lines.iter().filter(here).collect()
    };
    // Of a statement over several lines, the one where the text is put together.
    let one = |signs: &[&str]| reported.iter().copied().find(|l| has(l, signs));
    let sink = one(BUILT).or_else(|| one(kind.sink)).or(reported.first().copied());
    let sink = sink.or_else(|| first(kind.sink));
    // The last reading before the harm is the likeliest to be the value's own.
    let outside = sink.and_then(|sink| {
        let before = |l: &&PromptLine| l.path == sink.path && l.number < sink.number;
        lines.iter().filter(before).rfind(|l| has(l, OUTSIDE))
    });
    let outside = outside.or_else(|| first(OUTSIDE));
    let built = first(BUILT);
    let itself = kind.rule.contains(&"md5") || kind.rule.contains(&"secret");
    match (sink, outside) {
        (Some(sink), Some(source)) if sink != source => {
            let reason = format!(
                "{}: it is read at line {} and used at line {}.",
                kind.real, source.number, sink.number
            );
            real(kind, &reason, &[source, sink], &reported)
        }
        (Some(sink), outside) if itself || built.is_some() || outside.is_some() => {
            let reason = format!("{} (line {}).", kind.real, sink.number);
            real(kind, &reason, &[sink], &reported)
        }
        _ => {
            let reason = "The lines shown do not say where the value comes from.";
            answer("needs_review", reason, &[], &["the callers of the function"])
        }
    }
}

/// By the weakness, else by the rule's name, else by what is said of it.
fn kind(fact: &dyn Fn(&str) -> String) -> Option<&'static Kind> {
    let weakness = fact("weakness");
    let by_cwe = |k: &&Kind| weakness.split(", ").any(|w| k.cwe.contains(&w));
    KINDS.iter().find(by_cwe).or_else(|| {
        ["rule", "title", "message"].iter().find_map(|name| {
            let text = fact(name);
            KINDS.iter().find(|k| k.rule.iter().any(|part| text.contains(part)))
        })
    })
}

/// `app/db.py, line 12` or `app/db.py, lines 12 to 14`.
fn reported(place: &str) -> (String, std::ops::RangeInclusive<u32>) {
    let (path, lines) = place.rsplit_once(", line").unwrap_or((place, ""));
    let lines = lines.trim_start_matches('s').trim();
    let (start, end) = lines.split_once(" to ").unwrap_or((lines, lines));
    (path.to_owned(), start.parse().unwrap_or(1)..=end.parse().unwrap_or_default())
}

fn is_comment(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('#') || text.starts_with("//") || text.starts_with('*')
}

fn real(kind: &Kind, reason: &str, cited: &[&PromptLine], reported: &[&PromptLine]) -> Reply {
    let fix = if kind.cwe.contains(&"cwe-89") { fix::fix(reported) } else { String::new() };
    shaped("true_positive", reason, cited, (kind.remedy, &fix), &[])
}

fn answer(verdict: &str, reason: &str, cited: &[&PromptLine], needs: &[&str]) -> Reply {
    shaped(verdict, reason, cited, ("", ""), needs)
}

fn shaped(
    verdict: &str,
    reason: &str,
    cited: &[&PromptLine],
    (remedy, fix): (&str, &str),
    needs: &[&str],
) -> Reply {
    let quote =
        |l: &&PromptLine| json!({ "path": l.path, "line": l.number, "quote": l.text.trim() });
    text(&json!({
        "verdict": verdict,
        "reason": format!("{PREFACE} {reason}"),
        "evidence": cited.iter().map(quote).collect::<Vec<_>>(),
        "remediation": remedy,
        "fix": fix,
        "confidence": if verdict == "needs_review" { 40 } else { 80 },
        "needs": needs,
    }))
}
