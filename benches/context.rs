//! Excerpts a second on one core, over generated files and, where the reference data is, over its
//! corpus; and how much of that is parsing.
//!
//! `cargo bench --bench context`

use std::{
    fmt,
    fmt::Write as _,
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use chaffinch_context::{Answer, Extractor, Limits, O200k, Step};
use chaffinch_core::{
    Confidence, Finding, Fingerprint, LineRange, Location, Region, RepoPath, Rule, RuleId,
    Severity, TokenCount,
};
use divan::{Bencher, black_box, counter::ItemsCount};

static TOKENS: LazyLock<Arc<dyn TokenCount>> = LazyLock::new(|| Arc::new(O200k::load()));

fn main() {
    LazyLock::force(&TOKENS);
    divan::main();
}

#[derive(Clone, Copy)]
struct Case {
    language: &'static str,
    lines: u32,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:>5}", self.language, self.lines)
    }
}

const CASES: [Case; 9] = [
    Case { language: "py", lines: 100 },
    Case { language: "py", lines: 1_000 },
    Case { language: "py", lines: 10_000 },
    Case { language: "ts", lines: 100 },
    Case { language: "ts", lines: 1_000 },
    Case { language: "ts", lines: 10_000 },
    Case { language: "java", lines: 100 },
    Case { language: "java", lines: 1_000 },
    Case { language: "java", lines: 10_000 },
];

/// A whole excerpt: decoding, parsing, slicing, counting, cutting.
#[divan::bench(args = CASES, max_time = 3)]
fn excerpt(bencher: Bencher<'_, '_>, case: &Case) {
    let (source, line) = generate(*case);
    let finding = finding(&format!("src/file.{}", case.language), line, line);
    let extractor = Extractor::new(Arc::clone(&TOKENS));
    bencher.counter(ItemsCount::new(1usize)).bench(|| {
        let mut extraction = extractor.start(&finding, limits());
        while let Step::Want(path) = extraction.next() {
            extraction.give(&path, answer(&finding, &path, source.as_bytes()));
        }
        black_box(extraction.next())
    });
}

/// What the same file costs tree-sitter alone.
#[divan::bench(args = CASES, max_time = 3)]
fn parse_only(bencher: Bencher<'_, '_>, case: &Case) {
    let (source, _) = generate(*case);
    let grammar = match case.language {
        "py" => tree_sitter_python::LANGUAGE.into(),
        "ts" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        _ => tree_sitter_java::LANGUAGE.into(),
    };
    bencher.counter(ItemsCount::new(1usize)).bench(|| {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&grammar).ok();
        black_box(parser.parse(&source, None))
    });
}

/// All findings of the corpus, one after the other.
#[divan::bench(max_time = 3)]
fn corpus(bencher: Bencher<'_, '_>) {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/findings/corpus"));
    let Ok(truth) = fs::read_to_string(root.join("truth.jsonl")) else { return };
    let cases: Vec<(Finding, Vec<u8>)> = truth
        .lines()
        .filter_map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).ok()?;
            let (path, start) = (json.get("path")?.as_str()?, json.get("start")?.as_u64()?);
            let start = u32::try_from(start).ok()?;
            Some((finding(path, start, start), fs::read(root.join(path)).ok()?))
        })
        .collect();
    let extractor = Extractor::new(Arc::clone(&TOKENS));
    bencher.counter(ItemsCount::new(cases.len())).bench(|| {
        for (finding, bytes) in &cases {
            let mut extraction = extractor.start(finding, limits());
            while let Step::Want(path) = extraction.next() {
                extraction.give(&path, answer(finding, &path, bytes));
            }
            black_box(extraction.next());
        }
    });
}

/// Only the finding's own file is there.
fn answer<'b>(finding: &Finding, path: &RepoPath, bytes: &'b [u8]) -> Answer<'b> {
    match finding.location.as_ref().is_some_and(|at| at.path == *path) {
        true => Answer::Found(bytes),
        false => Answer::Missing,
    }
}

fn limits() -> Limits {
    Limits::default()
}

#[expect(clippy::unwrap_used, reason = "a bench: the names are constants")]
fn finding(path: &str, first: u32, last: u32) -> Finding {
    let region =
        Region { lines: LineRange::new(first, last), start_column: None, end_column: None };
    Finding {
        fingerprint: Fingerprint::from_digest([1; 16]),
        tool: String::new(),
        rule: Rule {
            id: RuleId::new("bench").unwrap(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: String::new().into(),
        location: Some(Location { path: path.parse().unwrap(), region: Some(region) }),
        flow: Vec::new(),
        suppressed: false,
    }
}

/// A file of about `lines` lines in functions of about 16, and the line of a finding in its middle.
fn generate(case: Case) -> (String, u32) {
    let template = match case.language {
        "py" => PYTHON,
        "ts" => TYPESCRIPT,
        _ => JAVA,
    };
    let (head, body, tail) = template;
    let mut source = head.to_owned();
    let each = u32::try_from(body.lines().count()).unwrap_or(1);
    let functions = (case.lines / each).max(1);
    let mut found = 1;
    for i in 0..functions {
        if i == functions / 2 {
            let before = source.lines().count();
            let offset = body.lines().position(|l| l.contains("sink")).unwrap_or_default();
            found = u32::try_from(before + offset + 1).unwrap_or(1);
        }
        let _ = write!(source, "{}", body.replace("NUM", &i.to_string()));
    }
    source += tail;
    (source, found)
}

type Template = (&'static str, &'static str, &'static str);

const PYTHON: Template = (
    "import db\n\nLIMIT = 20\nALLOWED = {'name': 'name', 'price': 'price'}\n\n\nclass Handlers(Base):\n    table = 'items'\n\n",
    r#"    @route("/items/NUM")
    def handler_NUM(self, request):
        """Lists some items."""
        term = request.args.get("q", "")
        order = ALLOWED.get(request.args.get("by"), "name")
        if not term or len(term) > 100:
            return self.error(400, "bad term")
        rows = []
        query = "SELECT * FROM " + self.table + " WHERE name LIKE '%" + term + "%'"
        query += " ORDER BY " + order + " LIMIT %d" % LIMIT
        for row in db.sink(query):
            rows.append({"name": row[0], "price": round(row[1], 2), "n": NUM})
        log.info("found %d rows for %s", len(rows), request.user)
        return self.render("items.html", rows=rows, count=len(rows))

    def helper_NUM(self, value):
        return value.strip().lower()[:LIMIT]

"#,
    "",
);

const TYPESCRIPT: Template = (
    "import { pool } from './pool'\n\nconst LIMIT = 20\nconst COLUMNS: Record<string, string> = { name: 'name' }\n\n",
    r#"export async function handlerNUM(req: Request, res: Response): Promise<void> {
  const { term, by } = req.query as Record<string, string>
  const order = columnNUM(by ?? 'name')
  if (!term || term.length > 100) {
    res.status(400).json({ error: 'bad term' })
    return
  }
  let query = `SELECT * FROM items WHERE name LIKE '%${term}%'`
  query += ` ORDER BY ${order} LIMIT ${LIMIT}`
  const rows = await pool.sink(query)
  const items = rows.map((row) => ({ name: row.name, price: Math.round(row.price), n: NUM }))
  logger.info('found', { count: items.length, user: req.user?.id })
  res.json({ items, count: items.length })
}

function columnNUM(name: string): string {
  return COLUMNS[name] ?? 'name'
}

"#,
    "",
);

const JAVA: Template = (
    "package shop;\n\nimport java.util.*;\n\n@RestController\npublic class Items {\n    private static final int LIMIT = 20;\n    private final Store store;\n\n",
    r#"    @GetMapping("/items/NUM")
    public List<Item> handlerNUM(HttpServletRequest request) throws SQLException {
        String term = request.getParameter("q");
        String order = columnNUM(request.getParameter("by"));
        if (term == null || term.length() > 100) {
            throw new BadRequest("bad term");
        }
        StringBuilder query = new StringBuilder("SELECT * FROM items WHERE name LIKE '%");
        query.append(term).append("%' ORDER BY ").append(order).append(" LIMIT ").append(LIMIT);
        List<Item> items = new ArrayList<>();
        for (Row row : store.sink(query.toString())) {
            items.add(new Item(row.getString("name"), row.getDouble("price"), NUM));
        }
        log.info("found {} rows", items.size());
        return items;
    }

    private static String columnNUM(String name) {
        return "price".equals(name) ? "price" : "name";
    }

"#,
    "}\n",
);
