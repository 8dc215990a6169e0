//! Excerpts a second on one core and their 99th percentile, over generated files and, where the
//! reference data is, over its corpus; beside them, in turns, what tree-sitter alone takes to parse
//! the same files.
//!
//! `cargo bench --bench context`

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use chaffinch_context::{Answer, Extractor, Limits, O200k, Step};
use chaffinch_core::{
    Confidence, Finding, Fingerprint, LineRange, Location, Region, RepoPath, Rule, RuleId, Severity,
};

/// How long each row is measured, at least.
const LONG: Duration = Duration::from_secs(2);

/// Excerpts of a row, at least: below that the 99th percentile is the slowest.
const MANY: usize = 100;

#[expect(clippy::print_stdout, reason = "a bench prints what it measures")]
fn main() {
    let extractor = Extractor::new(Arc::new(O200k::load()));
    println!(
        "{:<12} {:>6} {:>11} {:>8} {:>8} {:>9} {:>6}",
        "file", "lines", "excerpts/s", "ms p50", "ms p99", "parse p50", "times"
    );
    for language in ["py", "ts", "java", "go"] {
        for lines in [100, 1_000, 10_000] {
            let (source, line) = generate(language, lines);
            let path = format!("src/file.{language}");
            let case = Case { finding: finding(&path, line, line), bytes: source.into_bytes() };
            println!(
                "{:<12} {lines:>6} {}",
                format!("a .{language}"),
                measure(&extractor, &[case])
            );
        }
    }
    match corpus() {
        Some(cases) => println!("{:<12} {:>6} {}", "the corpus", "", measure(&extractor, &cases)),
        None => println!("the corpus is not there"),
    }
}

struct Case {
    finding: Finding,
    bytes: Vec<u8>,
}

/// The figures of a row: excerpts and parses of the same files, one after the other.
fn measure(extractor: &Extractor, cases: &[Case]) -> String {
    let (mut excerpts, mut parses) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while start.elapsed() < LONG || excerpts.len() < MANY {
        for case in cases {
            excerpts.push(timed(|| excerpt(extractor, case)));
            parses.push(timed(|| parse(case)));
        }
    }
    let total: Duration = excerpts.iter().sum();
    let times = total.as_secs_f64() / parses.iter().sum::<Duration>().as_secs_f64();
    excerpts.sort_unstable();
    parses.sort_unstable();
    let ms = |all: &[Duration], percent: usize| {
        let at = (all.len() * percent / 100).min(all.len().saturating_sub(1));
        all.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    format!(
        "{:>11.0} {:>8.2} {:>8.2} {:>9.2} {times:>6.2}",
        count(excerpts.len()) / total.as_secs_f64(),
        ms(&excerpts, 50),
        ms(&excerpts, 99),
        ms(&parses, 50),
    )
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::NAN, f64::from)
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// A whole excerpt: decoding, parsing, slicing, counting, cutting.
fn excerpt(extractor: &Extractor, case: &Case) -> Step {
    let mut extraction = extractor.start(&case.finding, Limits::default());
    while let Step::Want(path) = extraction.next() {
        extraction.give(&path, answer(case, &path));
    }
    extraction.next()
}

/// What the same file costs tree-sitter alone; nothing if it is of a language without figures here.
fn parse(case: &Case) -> Option<tree_sitter::Tree> {
    let path = case.finding.location.as_ref()?.path.as_str();
    let grammar = match path.rsplit('.').next()? {
        "py" => tree_sitter_python::LANGUAGE,
        "ts" | "js" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        "go" => tree_sitter_go::LANGUAGE,
        "java" => tree_sitter_java::LANGUAGE,
        _ => return None,
    };
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&grammar.into()).ok()?;
    parser.parse(&case.bytes, None)
}

/// The findings of the corpus whose languages are parsed above.
fn corpus() -> Option<Vec<Case>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/findings/corpus"));
    let truth = fs::read_to_string(root.join("truth.jsonl")).ok()?;
    let cases = truth.lines().filter_map(|line| {
        let json: serde_json::Value = serde_json::from_str(line).ok()?;
        let (path, start) = (json.get("path")?.as_str()?, json.get("start")?.as_u64()?);
        let start = u32::try_from(start).ok()?;
        let bytes = fs::read(root.join(path)).ok()?;
        let case = Case { finding: finding(path, start, start), bytes };
        parse(&case).map(|_| case)
    });
    Some(cases.collect())
}

/// Only the finding's own file is there.
fn answer<'b>(case: &'b Case, path: &RepoPath) -> Answer<'b> {
    match case.finding.location.as_ref().is_some_and(|at| at.path == *path) {
        true => Answer::Found(&case.bytes),
        false => Answer::Missing,
    }
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
fn generate(language: &str, lines: u32) -> (String, u32) {
    let (head, body, tail) = match language {
        "py" => PYTHON,
        "ts" => TYPESCRIPT,
        "go" => GO,
        _ => JAVA,
    };
    let mut source = head.to_owned();
    let each = u32::try_from(body.lines().count()).unwrap_or(1);
    let functions = (lines / each).max(1);
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

const GO: Template = (
    "package shop\n\nimport (\n\t\"database/sql\"\n\t\"net/http\"\n)\n\nconst limit = 20\n\ntype server struct {\n\tdb *sql.DB\n}\n\n",
    r#"func (s *server) handlerNUM(w http.ResponseWriter, r *http.Request) {
	term := r.URL.Query().Get("q")
	order := columnNUM(r.URL.Query().Get("by"))
	if term == "" || len(term) > 100 {
		http.Error(w, "bad term", http.StatusBadRequest)
		return
	}
	query := "SELECT * FROM items WHERE name LIKE '%" + term + "%' ORDER BY " + order
	rows, err := s.db.sink(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	items := make([]item, 0, limit)
	for rows.Next() {
		var it item
		if err := rows.Scan(&it.name, &it.price); err == nil {
			items = append(items, it)
		}
	}
	render(w, items, NUM)
}

func columnNUM(name string) string {
	if name == "price" {
		return "price"
	}
	return "name"
}

"#,
    "",
);
