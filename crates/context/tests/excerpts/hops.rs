//! One file further: definitions, callers, needs.

use std::sync::Arc;

use chaffinch_context::{Answer, Extractor, Limits, Step};
use chaffinch_core::{Finding, Rung};
use insta::assert_snapshot;

use crate::{AMPLE, TOKENS, finding, region, show};

/// What a repository holds.
pub(crate) type Files<'f> = &'f [(&'f str, &'f str)];

/// What is asked of an extraction beside the finding.
#[derive(Default)]
pub(crate) struct Asked<'a> {
    pub(crate) changed: &'a [&'a str],
    pub(crate) needs: &'a [&'a str],
    pub(crate) listing: bool,
    pub(crate) requests: Option<u32>,
}

/// The excerpt for the line with the mark `<-- here`, and what was asked for on the way.
pub(crate) fn read(files: Files<'_>, asked: &Asked<'_>) -> String {
    let mark = |text: &str| text.lines().position(|l| l.contains("<-- here"));
    let (path, line) = files.iter().find_map(|(path, text)| Some((path, mark(text)?))).unwrap();
    let line = u32::try_from(line).unwrap() + 1;
    follow(&finding(path, Some(region(line, line))), files, asked)
}

fn follow(found: &Finding, files: Files<'_>, asked: &Asked<'_>) -> String {
    let limits = Limits {
        listing: asked.listing,
        content_requests: asked.requests.unwrap_or(AMPLE.content_requests),
        ..AMPLE
    };
    let mut extraction = Extractor::new(Arc::clone(&TOKENS))
        .start(found, limits)
        .changing(asked.changed.iter().map(|path| path.parse().unwrap()))
        .needing(asked.needs.iter().map(|need| (*need).to_owned()));
    let mut log = Vec::new();
    loop {
        match extraction.next() {
            Step::Want(path) => {
                let text = files.iter().find(|(p, _)| *p == path.as_str()).map(|(_, text)| text);
                log.push(format!("{}{path}", if text.is_some() { "" } else { "no " }));
                match text {
                    Some(text) => extraction.give(&path, Answer::Found(text.as_bytes())),
                    None => extraction.give(&path, Answer::Missing),
                }
            }
            Step::List(folder) => {
                log.push(format!("names in {folder}"));
                let inside = |path: &str| path.rsplit_once('/').map_or("", |(at, _)| at) == folder;
                let names: Vec<&str> = files
                    .iter()
                    .filter(|(path, _)| inside(path))
                    .filter_map(|(path, _)| path.rsplit('/').next())
                    .collect();
                extraction.give_names(&folder, &names);
            }
            Step::Done(outcome) => return format!("{}\n{}", log.join(", "), show(&outcome)),
        }
    }
}

const STORE: &str = "from checks import clean\nimport sqlite3\n\ndef find(db, term):\n    word = clean(term)\n    return db.execute('SELECT ' + word) # <-- here\n";
const CHECKS: &str = "TABLE = {'a': 'b'}\n\ndef other():\n    pass\n\ndef clean(value):\n    log(value)\n    return TABLE.get(value, 'x')\n";
const APP: &str = "import store\n\n@app.route('/find')\ndef search():\n    term = request.args['q']\n    unrelated()\n    return store.find(db, term)\n";

#[test]
fn definitions_and_callers_are_found_by_imports_and_convention() {
    let files = [("shop/store.py", STORE), ("shop/checks.py", CHECKS), ("shop/app.py", APP)];
    assert_snapshot!(read(&files, &Asked::default()), @"
    shop/store.py, shop/app.py, shop/checks.py
    shop/store.py
       1 definition of clean | from checks import clean
       4 signature | def find(db, term):
       5 slice |     word = clean(term)
       6 finding |     return db.execute('SELECT ' + word) # <-- here
    shop/app.py
       3 caller of find | @app.route('/find')
       4 caller of find | def search():
       5 caller of find |     term = request.args['q']
       7 caller of find |     return store.find(db, term)
    shop/checks.py
       1 definition of TABLE | TABLE = {'a': 'b'}
       6 definition of clean | def clean(value):
       8 definition of clean |     return TABLE.get(value, 'x')
    rung Related
    ");
}

#[test]
fn the_files_of_the_change_are_looked_at_first() {
    let files = [("shop/store.py", STORE), ("shop/odd.py", APP)];
    let asked = Asked { changed: &["shop/odd.py"], ..Asked::default() };
    assert_snapshot!(read(&files, &asked), @"
    shop/store.py, shop/odd.py, no shop/checks.py, no checks.py, no shop/checks/__init__.py, no checks/__init__.py
    shop/store.py
       1 definition of clean | from checks import clean
       4 signature | def find(db, term):
       5 slice |     word = clean(term)
       6 finding |     return db.execute('SELECT ' + word) # <-- here
    shop/odd.py
       3 caller of find | @app.route('/find')
       4 caller of find | def search():
       5 caller of find |     term = request.args['q']
       7 caller of find |     return store.find(db, term)
    rung Related
    ");
}

#[test]
fn a_caller_that_is_not_found_is_said_to_be_missing() {
    let asked = Asked { requests: Some(2), ..Asked::default() };
    assert_snapshot!(read(&[("store.py", STORE)], &asked), @"
    store.py, no app.py
    store.py
       1 definition of clean | from checks import clean
       4 signature | def find(db, term):
       5 slice |     word = clean(term)
       6 finding |     return db.execute('SELECT ' + word) # <-- here
    rung Function
    note: no caller found in the files read
    ");
}

#[test]
fn names_of_a_folder_replace_guesses_where_they_are_allowed() {
    let files =
        [("shop/store.py", STORE), ("shop/checks.py", CHECKS), ("shop/store_pages.py", APP)];
    let asked = Asked { listing: true, ..Asked::default() };
    assert_snapshot!(read(&files, &asked), @"
    shop/store.py, names in shop, shop/store_pages.py, shop/checks.py
    shop/store.py
       1 definition of clean | from checks import clean
       4 signature | def find(db, term):
       5 slice |     word = clean(term)
       6 finding |     return db.execute('SELECT ' + word) # <-- here
    shop/store_pages.py
       3 caller of find | @app.route('/find')
       4 caller of find | def search():
       5 caller of find |     term = request.args['q']
       7 caller of find |     return store.find(db, term)
    shop/checks.py
       1 definition of TABLE | TABLE = {'a': 'b'}
       6 definition of clean | def clean(value):
       8 definition of clean |     return TABLE.get(value, 'x')
    rung Related
    ");
}

#[test]
fn what_is_named_as_missing_comes_right_behind_the_finding() {
    let store = format!("# See conf/app.toml.\n{STORE}");
    let files = [
        ("shop/store.py", store.as_str()),
        ("shop/checks.py", CHECKS),
        ("conf/app.toml", "a = 1\nb = 2\n"),
    ];
    let asked = Asked {
        needs: &["clean", "conf/app.toml", "conf/master.key"],
        requests: Some(3),
        ..Asked::default()
    };
    assert_snapshot!(read(&files, &asked), @"
    shop/store.py, conf/app.toml, shop/checks.py
    shop/store.py
       2 definition of clean | from checks import clean
       5 signature | def find(db, term):
       6 slice |     word = clean(term)
       7 finding |     return db.execute('SELECT ' + word) # <-- here
    conf/app.toml
       1 asked for conf/app.toml | a = 1
       2 asked for conf/app.toml | b = 2
    shop/checks.py
       1 asked for TABLE | TABLE = {'a': 'b'}
       6 asked for clean | def clean(value):
       8 asked for clean |     return TABLE.get(value, 'x')
    rung Related
    note: no caller found in the files read
    ");
}

#[test]
fn types_lead_to_their_files_by_package() {
    let files = [
        (
            "src/main/java/com/x/web/Pages.java",
            "package com.x.web;\nimport com.x.util.Html;\n\nclass Pages {\n    @GetMapping(\"/a\")\n    String show(String q) {\n        String text = Html.text(q);\n        return \"<p>\" + text; // <-- here\n    }\n}\n",
        ),
        (
            "src/main/java/com/x/util/Html.java",
            "package com.x.util;\n\npublic final class Html {\n    private Html() {}\n\n    public static String text(String s) {\n        return s.replace(\"<\", \"&lt;\");\n    }\n}\n",
        ),
    ];
    assert_snapshot!(read(&files, &Asked::default()), @r#"
    src/main/java/com/x/web/Pages.java, src/main/java/com/x/util/Html.java
    src/main/java/com/x/web/Pages.java
       4 signature | class Pages {
       5 signature |     @GetMapping("/a")
       6 signature |     String show(String q) {
       7 slice |         String text = Html.text(q);
       8 finding |         return "<p>" + text; // <-- here
    src/main/java/com/x/util/Html.java
       6 definition of text |     public static String text(String s) {
       7 definition of text |         return s.replace("<", "&lt;");
    rung Related
    "#);
}

#[test]
fn c_sharp() {
    let files = [
        (
            "Services/UserService.cs",
            "using Shop.Util;\n\nnamespace Shop.Services;\n\npublic class UserService\n{\n    public User Find(string name, int limit)\n    {\n        if (limit > 100)\n        {\n            throw new ArgumentException(\"limit\");\n        }\n        var safe = Sql.Escape(name);\n        var sql = $\"SELECT * FROM users WHERE name = '{safe}'\";\n        return db.Run(sql); // <-- here\n    }\n}\n",
        ),
        (
            "Util/Sql.cs",
            "namespace Shop.Util;\n\npublic static class Sql\n{\n    private const string Quote = \"'\";\n\n    public static string Escape(string s)\n    {\n        return s.Replace(Quote, \"''\");\n    }\n}\n",
        ),
        (
            "Controllers/UserController.cs",
            "using Shop.Services;\n\npublic class UserController : ControllerBase\n{\n    [HttpGet(\"/users\")]\n    public IActionResult Get(string q)\n    {\n        var name = q.Trim();\n        return Ok(_users.Find(name, 10));\n    }\n}\n",
        ),
    ];
    assert_snapshot!(read(&files, &Asked::default()), @r#"
    Services/UserService.cs, Controllers/UserController.cs, no Services/Sql.cs, Util/Sql.cs, no Services/User.cs, no Util/User.cs
    Services/UserService.cs
       5 signature | public class UserService
       7 signature |     public User Find(string name, int limit)
       9 function |         if (limit > 100)
      11 function |             throw new ArgumentException("limit");
      13 slice |         var safe = Sql.Escape(name);
      14 slice |         var sql = $"SELECT * FROM users WHERE name = '{safe}'";
      15 finding |         return db.Run(sql); // <-- here
    Controllers/UserController.cs
       5 caller of Find |     [HttpGet("/users")]
       6 caller of Find |     public IActionResult Get(string q)
       8 caller of Find |         var name = q.Trim();
       9 caller of Find |         return Ok(_users.Find(name, 10));
    Util/Sql.cs
       5 definition of Quote |     private const string Quote = "'";
       7 definition of Escape |     public static string Escape(string s)
       9 definition of Escape |         return s.Replace(Quote, "''");
    rung Related
    "#);
}

#[test]
fn kotlin() {
    let files = [
        (
            "src/main/kotlin/shop/data/NoteStore.kt",
            "package shop.data\n\nimport shop.util.Clean\n\nclass NoteStore(private val db: Connection) {\n    fun find(tag: String): Rows {\n        val safe = Clean.tag(tag)\n        val sql = \"SELECT title FROM notes WHERE tag = '$safe'\"\n        return db.query(sql) // <-- here\n    }\n}\n",
        ),
        (
            "src/main/kotlin/shop/util/Clean.kt",
            "package shop.util\n\nobject Clean {\n    private val ALLOWED = Regex(\"[a-z]+\")\n\n    fun tag(value: String): String {\n        if (!ALLOWED.matches(value)) throw IllegalArgumentException()\n        return value\n    }\n}\n",
        ),
    ];
    assert_snapshot!(read(&files, &Asked::default()), @r#"
    src/main/kotlin/shop/data/NoteStore.kt, no src/main/kotlin/shop/data/NoteController.kt, src/main/kotlin/shop/util/Clean.kt, no src/main/kotlin/shop/controller/NoteController.kt, no src/main/kotlin/shop/data/NoteRoutes.kt, no src/main/kotlin/shop/data/Rows.kt
    src/main/kotlin/shop/data/NoteStore.kt
       5 definition of db | class NoteStore(private val db: Connection) {
       6 signature |     fun find(tag: String): Rows {
       7 slice |         val safe = Clean.tag(tag)
       8 slice |         val sql = "SELECT title FROM notes WHERE tag = '$safe'"
       9 finding |         return db.query(sql) // <-- here
    src/main/kotlin/shop/util/Clean.kt
       4 definition of ALLOWED |     private val ALLOWED = Regex("[a-z]+")
       6 definition of tag |     fun tag(value: String): String {
       7 definition of tag |         if (!ALLOWED.matches(value)) throw IllegalArgumentException()
       8 definition of tag |         return value
    rung Related
    note: no caller found in the files read
    "#);
}

#[test]
fn c() {
    let files = [
        (
            "src/store.c",
            "#include <string.h>\n#include \"util.h\"\n\n#define MAX_NAME 64\n\nint save(const char *name, size_t len)\n{\n    char buf[MAX_NAME];\n    if (len > 1000)\n        return -1;\n    clean_name(buf, name);\n    return store(buf); /* <-- here */\n}\n",
        ),
        (
            "src/util.c",
            "#include \"util.h\"\n\nvoid clean_name(char *to, const char *from)\n{\n    while (*from)\n        *to++ = *from++;\n    *to = 0;\n}\n",
        ),
        (
            "src/main.c",
            "#include \"store.h\"\n\nint main(int argc, char **argv)\n{\n    const char *name = argv[1];\n    return save(name, strlen(name));\n}\n",
        ),
    ];
    assert_snapshot!(read(&files, &Asked::default()), @"
    src/store.c, src/util.c, no src/util.cpp, src/main.c, no src/util.cc, no src/util.h
    src/store.c
       4 definition of MAX_NAME | #define MAX_NAME 64
       6 signature | int save(const char *name, size_t len)
       8 slice |     char buf[MAX_NAME];
       9 function |     if (len > 1000)
      10 function |         return -1;
      11 slice |     clean_name(buf, name);
      12 finding |     return store(buf); /* <-- here */
    src/util.c
       3 definition of clean_name | void clean_name(char *to, const char *from)
       5 definition of clean_name |     while (*from)
       6 definition of clean_name |         *to++ = *from++;
       7 definition of clean_name |     *to = 0;
    src/main.c
       3 caller of save | int main(int argc, char **argv)
       5 caller of save |     const char *name = argv[1];
       6 caller of save |     return save(name, strlen(name));
    rung Related
    ");
}

#[test]
fn a_template_shows_its_blocks_and_what_renders_it() {
    let files = [
        (
            "app/views/posts/show.html.erb",
            "<h1>Posts</h1>\n<% if @post %>\n  <p>by</p>\n  <%= raw @post.body %> <!-- <-- here -->\n<% end %>\n",
        ),
        (
            "app/controllers/posts_controller.rb",
            "class PostsController < ApplicationController\n  def index\n    @posts = Post.all\n  end\n\n  def show\n    @post = Post.find(params[:id])\n  end\nend\n",
        ),
    ];
    assert_snapshot!(read(&files, &Asked::default()), @"
    app/views/posts/show.html.erb, app/controllers/posts_controller.rb, no app/models/post.rb, no app/services/post.rb, no app/controllers/concerns/post.rb, no lib/post.rb
    app/views/posts/show.html.erb
       2 guard | <% if @post %>
       4 finding |   <%= raw @post.body %> <!-- <-- here -->
    app/controllers/posts_controller.rb
       6 definition of show |   def show
       7 definition of post |     @post = Post.find(params[:id])
    rung Related
    ");
}

#[test]
fn a_script_in_a_page_is_read_as_a_script() {
    let page = "<template>\n  <p>{{ html }}</p>\n</template>\n<script setup lang=\"ts\">\nconst q = route.query.q as string\nfunction show(x: string) {\n  const text = '<b>' + x\n  el.innerHTML = text // <-- here\n}\nshow(q)\n</script>\n<style>\np { color: red }\n</style>\n";
    assert_snapshot!(read(&[("src/Page.vue", page)], &Asked::default()), @r#"
    src/Page.vue
    src/Page.vue
       4 slice | <script setup lang="ts">
       5 caller of show | const q = route.query.q as string
       6 signature | function show(x: string) {
       7 slice |   const text = '<b>' + x
       8 finding |   el.innerHTML = text // <-- here
      10 caller of show | show(q)
    rung Function
    "#);
}

#[test]
fn of_a_long_file_the_parts_that_matter_are_as_in_a_short_one() {
    let filler: String = (0..600)
        .map(|i| format!("def filler_{i}(x):\n    y = x + {i}\n    return y\n\n"))
        .collect();
    let own = "LIMIT = 3\n\ndef helper(v):\n    return v.strip()\n\n";
    let main = "def find(db, term):\n    word = helper(term)\n    return db.execute(word, LIMIT) # <-- here\n\n";
    let caller = "def page(request):\n    return find(db, request.q)\n";
    let long = format!("{own}{filler}{main}{filler}{caller}");
    let asked = Asked { requests: Some(1), ..Asked::default() };
    let shown = read(&[("a.py", &long)], &asked);
    let number = |line: &str| line.split_once('|').map(|(_, text)| text.trim().to_owned());
    let lines: Vec<String> = shown.lines().filter_map(number).collect();
    let short = format!("{own}{main}{caller}");
    let whole = read(&[("a.py", &short)], &asked);
    assert_eq!(lines, whole.lines().filter_map(number).collect::<Vec<_>>());
}

#[test]
fn above_the_ceiling_no_other_file_is_asked_for() {
    let found = finding("shop/store.py", Some(region(6, 6)));
    let limits = Limits { ceiling: Rung::Function, ..AMPLE };
    let mut extraction =
        Extractor::new(Arc::clone(&TOKENS)).start(&found, limits).needing(["clean".to_owned()]);
    let Step::Want(path) = extraction.next() else { panic!("nothing wanted") };
    extraction.give(&path, Answer::Found(STORE.as_bytes()));
    assert!(matches!(extraction.next(), Step::Done(_)));
}
