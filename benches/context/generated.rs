//! Files of any length, in four languages, and what is hard about some.

use std::fmt::Write as _;

/// How a generated file is built.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// Functions of about 16 lines, one after the other.
    Functions,
    /// One function of as many statements.
    OneFunction,
    /// As many definitions of one line.
    OneLiners,
    /// Functions, every tenth of which lacks what closes a bracket.
    Broken,
}

/// A file of about `lines` lines, and the line of a finding in its middle.
pub(crate) fn generate(language: &str, shape: Shape, lines: u32) -> (String, u32) {
    let parts = match language {
        "py" => PYTHON,
        "ts" => TYPESCRIPT,
        "go" => GO,
        _ => JAVA,
    };
    let (body, each) = match shape {
        Shape::Functions | Shape::Broken => (parts.function, height(parts.function)),
        Shape::OneFunction => (parts.statement, 1),
        Shape::OneLiners => (parts.one_liner, 1),
    };
    let (open, close) = match shape {
        Shape::OneFunction => (parts.open, parts.close),
        _ => ("", ""),
    };
    let mut source = format!("{}{open}", parts.head);
    let times = (lines / each).max(1);
    let mut found = 1;
    for i in 0..times {
        if i == times / 2 {
            let offset = body.lines().position(|line| line.contains("sink")).unwrap_or_default();
            found = height(&source) + u32::try_from(offset).unwrap_or_default() + 1;
        }
        let part = body.replace("NUM", &i.to_string());
        match shape {
            Shape::Broken if i % 10 == 3 => source += &part.replacen(')', "", 2),
            _ => source += &part,
        }
    }
    let _ = write!(source, "{close}{}", parts.tail);
    (source, found)
}

fn height(text: &str) -> u32 {
    u32::try_from(text.lines().count()).unwrap_or(u32::MAX)
}

/// What a file is made of; `NUM` stands for the number of the part.
struct Parts {
    head: &'static str,
    function: &'static str,
    open: &'static str,
    statement: &'static str,
    close: &'static str,
    one_liner: &'static str,
    tail: &'static str,
}

const PYTHON: Parts = Parts {
    head: "import db\n\nLIMIT = 20\nALLOWED = {'name': 'name', 'price': 'price'}\n\n\nclass Handlers(Base):\n    table = 'items'\n\n",
    function: r#"    @route("/items/NUM")
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
    open: "    def handler(self, request):\n        value = request.args.get('q')\n",
    statement: "        value = clean(value, NUM) if value else sink(NUM)\n",
    close: "        return value\n",
    one_liner: "    def name_NUM(self, a): return sink(a, NUM)\n",
    tail: "",
};

const TYPESCRIPT: Parts = Parts {
    head: "import { pool } from './pool'\n\nconst LIMIT = 20\nconst COLUMNS: Record<string, string> = { name: 'name' }\n\n",
    function: r#"export async function handlerNUM(req: Request, res: Response): Promise<void> {
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
    open: "export function handler(req: Request): string {\n  let value = req.query.q as string\n",
    statement: "  if (value.length > NUM) value = clean(value, sink(NUM))\n",
    close: "  return value\n}\n",
    one_liner: "export const nameNUM = (a: string): string => sink(a, NUM)\n",
    tail: "",
};

const JAVA: Parts = Parts {
    head: "package shop;\n\nimport java.util.*;\n\n@RestController\npublic class Items {\n    private static final int LIMIT = 20;\n    private final Store store;\n\n",
    function: r#"    @GetMapping("/items/NUM")
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
    open: "    String handler(HttpServletRequest request) {\n        String value = request.getParameter(\"q\");\n",
    statement: "        if (value.length() > NUM) value = clean(value, sink(NUM));\n",
    close: "        return value;\n    }\n",
    one_liner: "    static String nameNUM(String a) { return sink(a, NUM); }\n",
    tail: "}\n",
};

const GO: Parts = Parts {
    head: "package shop\n\nimport (\n\t\"database/sql\"\n\t\"net/http\"\n)\n\nconst limit = 20\n\ntype server struct {\n\tdb *sql.DB\n}\n\n",
    function: r#"func (s *server) handlerNUM(w http.ResponseWriter, r *http.Request) {
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
    open: "func handler(r *http.Request) string {\n\tvalue := r.FormValue(\"q\")\n",
    statement: "\tif len(value) > NUM { value = clean(value, sink(NUM)) }\n",
    close: "\treturn value\n}\n",
    one_liner: "func nameNUM(a string) string { return sink(a, NUM) }\n",
    tail: "",
};
