//! Reading a SARIF file of 100 MB: megabytes a second and peak memory, beside a parser that builds
//! the whole document (`serde_json::Value`). Each reading is a process of its own, so that its
//! peak is its own.
//!
//! `cargo bench --bench reports`

#![expect(clippy::print_stdout, reason = "prints its figures")]

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::Command,
    time::Instant,
};

use chaffinch_reports::{Limits, Options, identify, parse};

type Outcome<T> = Result<T, Box<dyn Error>>;

const READERS: [&str; 4] = ["bytes", "parse", "identify", "value"];
const ROUNDS: usize = 3;
const STEPS: usize = 9;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--read") {
        let (reader, file) = (&arguments[at + 1], &arguments[at + 2]);
        return read(reader, Path::new(file));
    }
    let folder = tempfile::tempdir()?;
    println!(
        "{:<26}{:<34}{:>8}{:>8}{:>11}{:>13}",
        "file", "read as", "ms", "MB/s", "peak MiB", "beyond bytes"
    );
    for (name, help) in [("flows", 2_000), ("half of it help texts", 100_000)] {
        let path = folder.path().join("report.sarif");
        let size = generate(&path, help)? as f64;
        let mut base = 0.0;
        for reader in READERS {
            let (mut best, mut peak, mut said) = (f64::MAX, 0.0_f64, String::new());
            for _ in 0..ROUNDS {
                let output = Command::new(env::current_exe()?)
                    .arg("--read")
                    .arg(reader)
                    .arg(&path)
                    .output()?;
                let text = String::from_utf8(output.stdout)?;
                let mut words = text.splitn(3, ' ');
                let mut number = || words.next().unwrap_or_default().parse::<f64>();
                (best, peak) = (best.min(number()?), peak.max(number()?));
                said = words.next().unwrap_or_default().trim().to_owned();
            }
            if reader == "bytes" {
                base = peak;
            }
            println!(
                "{name:<26}{said:<34}{:>8.0}{:>8.0}{peak:>11.0}{:>13.0}",
                best * 1e3,
                size / 1e6 / best,
                peak - base
            );
        }
    }
    Ok(())
}

/// Reads the file in one way; prints seconds, peak memory in MiB, and what was read.
fn read(reader: &str, path: &Path) -> Outcome<()> {
    let bytes = fs::read(path)?;
    let started = Instant::now();
    let said = match reader {
        "bytes" => format!("bytes ({:.1} MB)", bytes.len() as f64 / 1e6),
        "value" => {
            let value: serde_json::Value = serde_json::from_slice(&bytes)?;
            let results = value["runs"][0]["results"].as_array().map_or(0, Vec::len);
            format!("serde_json::Value ({results} results)")
        }
        _ => {
            let report = parse(&bytes, &Options::default())?;
            let (results, steps) =
                (report.results.len(), report.results.iter().map(|r| r.flow.len()).sum::<usize>());
            assert_eq!(
                (report.skipped.results(), steps),
                (0, results * STEPS),
                "{}",
                report.skipped
            );
            match reader {
                "identify" => format!(
                    "parse, identify ({} findings)",
                    identify(report.results, &|_| None).len()
                ),
                _ => format!("parse ({results} results)"),
            }
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    println!("{seconds} {} {said}", peak_mib()?);
    Ok(())
}

fn peak_mib() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?;
    Ok(kib.parse::<f64>()? / 1024.0)
}

/// Writes a report as an engine with code flows does: 500 rules with `help` bytes of help each,
/// then results of about 5 kB until the bound on bytes is near. Returns its size.
fn generate(path: &Path, help: usize) -> Outcome<u64> {
    let limits = Limits::default();
    let mut out = Counted { inner: BufWriter::new(File::create(path)?), bytes: 0 };
    write!(
        out,
        r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"Bench","semanticVersion":"1.2.3","rules":["#
    )?;
    let paragraph = "Building a query from text that a user controls lets the user change its meaning.\\n\\n```java\\nString q = \\\"select \\\" + name;\\n```\\n";
    for rule in 0..500 {
        let comma = if rule == 0 { "" } else { "," };
        let help = paragraph.repeat(help / paragraph.len() + 1);
        write!(
            out,
            r#"{comma}{{"id":"java/rule-{rule}","name":"java/rule-{rule}","shortDescription":{{"text":"Rule {rule}"}},"fullDescription":{{"text":"What rule {rule} is about."}},"defaultConfiguration":{{"level":"warning"}},"help":{{"text":"See below.","markdown":"{help}"}},"properties":{{"tags":["security","external/cwe/cwe-089"],"precision":"high","security-severity":"8.8"}}}}"#
        )?;
    }
    write!(out, r#"]}}}},"columnKind":"utf16CodeUnits","results":["#)?;
    let mut results = 0;
    while results < limits.results && out.bytes < limits.bytes - 20_000 {
        let comma = if results == 0 { "" } else { "," };
        result(&mut out, comma, results)?;
        results += 1;
    }
    write!(out, "]}}]}}")?;
    out.flush()?;
    Ok(out.bytes)
}

fn result(out: &mut dyn Write, comma: &str, n: usize) -> Outcome<()> {
    let (rule, file, line) = (n % 500, n % 997, n % 1_500 + 10);
    write!(
        out,
        r#"{comma}{{"ruleId":"java/rule-{rule}","ruleIndex":{rule},"message":{{"text":"This query depends on a [user-provided value](1) that reaches it through {n} without a check."}},"locations":[{{"physicalLocation":{}}}],"partialFingerprints":{{"primaryLocationLineHash":"{n:x}:1","primaryLocationStartColumnFingerprint":"8"}},"codeFlows":["#,
        physical(file, line, n)
    )?;
    // Two flows of 9 steps: a reader needs one of them.
    for flow in 0..2 {
        write!(out, r#"{}{{"threadFlows":[{{"locations":["#, if flow == 0 { "" } else { "," })?;
        for step in 0..STEPS {
            let comma = if step == 0 { "" } else { "," };
            let physical = physical((file + step) % 997, line + step, n);
            write!(
                out,
                r#"{comma}{{"location":{{"physicalLocation":{physical},"message":{{"text":"value{step} : String"}}}}}}"#
            )?;
        }
        write!(out, "]}}]}}")?;
    }
    write!(
        out,
        r#"],"relatedLocations":[{{"id":1,"physicalLocation":{},"message":{{"text":"user-provided value"}}}}]}}"#,
        physical(file, line + 1, n)
    )?;
    Ok(())
}

fn physical(file: usize, line: usize, n: usize) -> String {
    format!(
        r#"{{"artifactLocation":{{"uri":"src/main/java/org/example/shop/module{}/Controller{file}.java","uriBaseId":"%SRCROOT%","index":{file}}},"region":{{"startLine":{line},"startColumn":9,"endColumn":61}},"contextRegion":{{"startLine":{},"endLine":{},"snippet":{{"text":"    String value{n} = request.getParameter(\"name\");\n    run(connection, \"select * from t where a = '\" + value{n} + \"'\");\n"}}}}}}"#,
        file % 31,
        line - 1,
        line + 1
    )
}

/// Counts what is written.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
