//! Sources of one shape in each language.

use std::fmt::Write as _;

/// How a language writes things down; `NUM` is a number that tells one from the next.
pub(crate) struct Writes {
    pub(crate) path: &'static str,
    /// Before and after everything.
    head: &'static str,
    tail: &'static str,
    /// A definition on one line.
    single: &'static str,
    /// A function: its head, statements, and its end.
    opens: &'static str,
    body: &'static [&'static str],
    closes: &'static str,
    /// A list of literals: its first line, one element, its last line.
    list: (&'static str, &'static str, &'static str),
}

/// What a file is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Functions,
    Singles,
    OneFunction,
    OneList,
    BrokenNear,
    BrokenAll,
    QuoteOpens,
}

/// A source of so many lines, and the line of a finding in its middle.
pub(crate) fn source(writes: &Writes, shape: Shape, lines: u32) -> (String, u32) {
    let mut made = Made { text: String::new(), lines: 0, number: 0 };
    made.push(writes.head);
    let middle = lines / 2;
    match shape {
        Shape::Singles => made.until(lines, &[writes.single]),
        Shape::OneFunction => {
            made.push(writes.opens);
            made.until(lines, writes.body);
            made.push(writes.closes);
        }
        Shape::OneList => {
            made.push(writes.list.0);
            made.until(lines, &[writes.list.1]);
            made.push(writes.list.2);
        }
        _ => {
            while made.lines < lines {
                made.number += 1;
                made.push(writes.opens);
                for (at, line) in writes.body.iter().enumerate() {
                    made.push(line);
                    let here = made.lines.abs_diff(middle) < 3;
                    match shape {
                        Shape::BrokenNear if here => made.push("    x = ((1 + ] { if"),
                        Shape::BrokenAll if at == 2 => made.push("    x = ((1 + ] { if"),
                        Shape::QuoteOpens if made.number == 2 && at == 2 => {
                            made.push("    \"\"\" ` /*");
                        }
                        _ => {}
                    }
                }
                made.push(writes.closes);
            }
        }
    }
    made.push(writes.tail);
    // The statement that the rest of a function is about.
    let sinks = (middle..lines).zip(made.text.lines().skip(middle as usize - 1));
    let line = sinks.take(40).find(|(_, text)| text.contains("sink")).map(|(line, _)| line);
    (made.text, line.unwrap_or(middle))
}

struct Made {
    text: String,
    lines: u32,
    number: u32,
}

impl Made {
    fn push(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "{}", line.replace("NUM", &self.number.to_string()));
        self.lines += u32::try_from(line.split('\n').count()).unwrap_or(1);
    }

    fn until(&mut self, lines: u32, body: &[&str]) {
        while self.lines < lines {
            self.number += 1;
            body.iter().for_each(|line| self.push(line));
        }
    }
}

pub(crate) const ALL: [Writes; 11] = [
    Writes {
        path: "src/a.py",
        head: "import db\n\n",
        tail: "",
        single: "VALUE_NUM = compute(first[NUM], 'a', limit=3)",
        opens: "def handler_NUM(request):",
        body: &[
            "    term = request.args.get('q', '')",
            "    if not term or len(term) > 100:",
            "        return error(400, 'bad term')",
            "    rows_NUM = helper_NUM(term, [1, 2])",
            "    query = 'SELECT * FROM items WHERE name = ' + term",
            "    for row in db.sink(query):",
            "        rows_NUM.append({'name': row[0], 'price': round(row[1], 2)})",
            "    log.info('found %d rows for %s', len(rows_NUM), request.user)",
        ],
        closes: "    return render('items.html', rows=rows)\n",
        list: ("VALUES = [", "    {'name': 'NUM', 'price': [1, 2], 'at': NUM},", "]"),
    },
    Writes {
        path: "src/a.js",
        head: "const db = require('./db');\n\n",
        tail: "",
        single: "const valueNUM = compute(first[NUM], 'a', { limit: 3 });",
        opens: "function handlerNUM(request, response) {",
        body: JAVASCRIPT,
        closes: "}\n",
        list: ("const values = [", "  { name: 'NUM', price: [1, 2], at: NUM },", "];"),
    },
    Writes {
        path: "src/a.ts",
        head: "import { db } from './db';\n\n",
        tail: "",
        single: "export const valueNUM: number = compute(first[NUM], 'a', { limit: 3 });",
        opens: "export async function handlerNUM(request: Request, response: Response): Promise<void> {",
        body: JAVASCRIPT,
        closes: "}\n",
        list: ("const values: Item[] = [", "  { name: 'NUM', price: [1, 2], at: NUM },", "];"),
    },
    Writes {
        path: "src/A.java",
        head: "package a;\n\nimport java.util.*;\n\npublic class A {\n",
        tail: "}",
        single: "    private static final int VALUE_NUM = compute(FIRST[NUM], \"a\", 3);",
        opens: "    public List<Item> handlerNUM(Request request) throws SQLException {",
        body: JAVA,
        closes: "    }\n",
        list: (
            "    static final Item[] VALUES = {",
            "        new Item(\"NUM\", new int[] {1, 2}, NUM),",
            "    };",
        ),
    },
    Writes {
        path: "src/a.go",
        head: "package a\n\nimport \"db\"\n\n",
        tail: "",
        single: "var valueNUM = compute(first[NUM], \"a\", 3)",
        opens: "func handlerNUM(w http.ResponseWriter, r *http.Request) {",
        body: &[
            "\tterm := r.URL.Query().Get(\"q\")",
            "\tif term == \"\" || len(term) > 100 {\n\t\thttp.Error(w, \"bad term\", 400)\n\t\treturn\n\t}",
            "\trowsNUM := helperNUM(term, []int{1, 2})",
            "\tquery := \"SELECT * FROM items WHERE name = \" + term",
            "\tfor rows := db.sink(query); rows.Next(); {",
            "\t\titems = append(items, item{rows.Name(), rowsNUM})",
            "\t}",
        ],
        closes: "}\n",
        list: ("var values = []item{", "\t{\"NUM\", []int{1, 2}, NUM},", "}"),
    },
    Writes {
        path: "lib/a.rb",
        head: "require 'db'\n\nclass A\n",
        tail: "end",
        single: "  VALUE_NUM = compute(FIRST[NUM], 'a', limit: 3)",
        opens: "  def handler_NUM(request)",
        body: &[
            "    term = request.params[:q].to_s",
            "    return error(400, 'bad term') if term.empty? || term.size > 100",
            "    rows_NUM = helper_NUM(term, [1, 2])",
            "    query = \"SELECT * FROM items WHERE name = #{term}\"",
            "    db.sink(query).each do |row|",
            "      rows_NUM << { name: row[0], price: row[1].round(2) }",
            "    end",
            "    log.info(\"found #{rows_NUM.size} rows\")",
        ],
        closes: "  end\n",
        list: ("  VALUES = [", "    { name: 'NUM', price: [1, 2], at: NUM },", "  ]"),
    },
    Writes {
        path: "lib/a.php",
        head: "<?php\n\nclass A {\n",
        tail: "}",
        single: "    private $valueNUM = ['a' => NUM, 'limit' => 3];",
        opens: "    public function handlerNUM($request) {",
        body: &[
            "        $term = $request->get('q');",
            "        if (!$term || strlen($term) > 100) {",
            "            return $this->error(400, 'bad term');",
            "        }",
            "        $rowsNUM = $this->helperNUM($term, [1, 2]);",
            "        $query = \"SELECT * FROM items WHERE name = '$term'\";",
            "        foreach ($this->db->sink($query) as $row) {",
            "            $rowsNUM[] = ['name' => $row[0], 'price' => round($row[1], 2)];",
            "        }",
        ],
        closes: "    }\n",
        list: (
            "    const VALUES = [",
            "        ['name' => 'NUM', 'price' => [1, 2], 'at' => NUM],",
            "    ];",
        ),
    },
    Writes {
        path: "src/A.cs",
        head: "using System;\n\nnamespace A;\n\npublic class A {\n",
        tail: "}",
        single: "    private static readonly int ValueNUM = Compute(First[NUM], \"a\", 3);",
        opens: "    public List<Item> HandlerNUM(Request request) {",
        body: JAVA,
        closes: "    }\n",
        list: (
            "    static readonly Item[] Values = {",
            "        new Item(\"NUM\", new int[] {1, 2}, NUM),",
            "    };",
        ),
    },
    Writes {
        path: "src/A.kt",
        head: "package a\n\nimport java.util.*\n\nclass A {\n",
        tail: "}",
        single: "    private val valueNUM: Int = compute(first[NUM], \"a\", 3)",
        opens: "    fun handlerNUM(request: Request): List<Item> {",
        body: &[
            "        val termNUM = request.parameter(\"q\")",
            "        if (termNUM == null || termNUM.length > 100) {",
            "            throw BadRequest(\"bad term\")",
            "        }",
            "        val rowsNUM = helperNUM(termNUM, listOf(1, 2))",
            "        val query = \"SELECT * FROM items WHERE name = $termNUM\"",
            "        for (row in store.sink(query)) {",
            "            rowsNUM.add(Item(row.name, row.price.round(2)))",
            "        }",
        ],
        closes: "    }\n",
        list: ("    val values = listOf(", "        Item(\"NUM\", listOf(1, 2), NUM),", "    )"),
    },
    Writes {
        path: "src/a.c",
        head: "#include <stdio.h>\n\n",
        tail: "",
        single: "static int value_NUM = COMPUTE(first[NUM], \"a\", 3);",
        opens: "static int handler_NUM(struct request *request, char *out) {",
        body: C,
        closes: "}\n",
        list: ("static struct item values[] = {", "    {\"NUM\", {1, 2}, NUM},", "};"),
    },
    Writes {
        path: "src/a.cpp",
        head: "#include <string>\n\nnamespace a {\n",
        tail: "}",
        single: "static const int value_NUM = compute(first[NUM], \"a\", 3);",
        opens: "std::vector<Item> Handler::handle_NUM(const Request &request, char *out) {",
        body: C,
        closes: "}\n",
        list: ("static const Item values[] = {", "    {\"NUM\", {1, 2}, NUM},", "};"),
    },
];

const JAVASCRIPT: &[&str] = &[
    "  let term = request.query.q",
    "  if (!term || term.length > 100) {\n    response.status(400).json({ error: 'bad term' })\n    return\n  }",
    "  const rowsNUM = helperNUM(term, [1, 2]);",
    "  let query = `SELECT * FROM items WHERE name LIKE '%${term}%'`",
    "  for (const row of await db.sink(query)) {",
    "    rowsNUM.push({ name: row.name, price: Math.round(row.price) })",
    "  }",
    "  response.json({ rows: rowsNUM.map((row) => row.name), count: rowsNUM.length })",
];

const JAVA: &[&str] = &[
    "        String termNUM = request.getParameter(\"q\");",
    "        if (termNUM == null || termNUM.length() > 100) {",
    "            throw new BadRequest(\"bad term\");",
    "        }",
    "        List<Item> rowsNUM = helperNUM(termNUM, new int[] {1, 2});",
    "        String queryNUM = \"SELECT * FROM items WHERE name = \" + termNUM;",
    "        for (Row row = store.sink(queryNUM); row.next();) {",
    "            rowsNUM.add(new Item(row.getString(\"name\"), row.getDouble(\"price\")));",
    "        }",
];

const C: &[&str] = &[
    "    char *term_NUM = get_parameter(request, \"q\");",
    "    if (term_NUM == NULL || strlen(term_NUM) > 100) {",
    "        return report(400, \"bad term\");",
    "    }",
    "    struct rows *rows_NUM = helper_NUM(term_NUM, 2);",
    "    snprintf(out, 200, \"SELECT * FROM items WHERE name = %s\", term_NUM);",
    "    for (int i = sink(out, rows_NUM); i > 0; i--) {",
    "        add(rows_NUM, request->items[i].name, (double)i);",
    "    }",
];
