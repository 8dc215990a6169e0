//! One realistic file a language.

use chaffinch_core::Rung;
use insta::assert_snapshot;

use crate::{marked, sends};

const PYTHON: &str = r#"import sqlite3
from flask import Blueprint, request

ALLOWED = {"name", "price"}
UNUSED = 3
bp = Blueprint("items", __name__)


def connect():
    db = sqlite3.connect("shop.db")
    return db


class Reports:
    table = "reports"

    def __init__(self, owner):
        self.owner = owner

    @bp.route("/reports/<kind>")
    @login_required
    def show(self, kind):
        started = time.time()
        order = request.args.get("order")
        if order not in ALLOWED:
            abort(400)
        query = "SELECT * FROM " + self.table
        query += " ORDER BY " + order
        log.info("took", started)
        for row in connect().execute(query, (self.owner,)):  # <-- here
            yield row

    def other(self):
        return UNUSED
"#;

#[test]
fn python() {
    assert_snapshot!(marked("app/reports.py", PYTHON, Rung::Function), @r#"
    app/reports.py
       4 definition of ALLOWED | ALLOWED = {"name", "price"}
       6 definition of bp | bp = Blueprint("items", __name__)
       9 definition of connect | def connect():
      10 definition of connect |     db = sqlite3.connect("shop.db")
      11 definition of connect |     return db
      14 signature | class Reports:
      15 definition of table |     table = "reports"
      17 definition of owner |     def __init__(self, owner):
      18 definition of owner |         self.owner = owner
      20 signature |     @bp.route("/reports/<kind>")
      21 signature |     @login_required
      22 signature |     def show(self, kind):
      23 function |         started = time.time()
      24 function |         order = request.args.get("order")
      25 guard |         if order not in ALLOWED:
      26 guard |             abort(400)
      27 function |         query = "SELECT * FROM " + self.table
      28 function |         query += " ORDER BY " + order
      29 function |         log.info("took", started)
      30 finding |         for row in connect().execute(query, (self.owner,)):  # <-- here
      31 function |             yield row
    rung Function
    "#);
}

#[test]
fn a_slice_leaves_out_what_the_finding_does_not_depend_on() {
    assert_snapshot!(marked("app/reports.py", PYTHON, Rung::Slice), @r#"
    app/reports.py
      20 signature |     @bp.route("/reports/<kind>")
      21 signature |     @login_required
      22 signature |     def show(self, kind):
      24 function |         order = request.args.get("order")
      25 guard |         if order not in ALLOWED:
      26 guard |             abort(400)
      27 function |         query = "SELECT * FROM " + self.table
      28 function |         query += " ORDER BY " + order
      30 finding |         for row in connect().execute(query, (self.owner,)):  # <-- here
    rung Slice
    "#);
}

#[test]
fn the_lowest_rung_is_the_finding_alone() {
    assert_snapshot!(marked("app/reports.py", PYTHON, Rung::Finding), @r"
    app/reports.py
      30 finding |         for row in connect().execute(query, (self.owner,)):  # <-- here
    rung Finding
    ");
}

#[test]
fn javascript() {
    let source = r#"'use strict'
const path = require('path')
const ROOT = '/srv/files'
const LIMIT = 10

const clean = (name) => {
  const short = name.slice(0, LIMIT)
  console.log('cleaned')
  return short.replace(/\.\./g, '')
}

module.exports = function (app) {
  app.get('/health', (req, res) => res.send('ok'))

  app.post('/files/:name', requireUser, async (req, res, next) => {
    const { name } = req.params
    const started = Date.now()
    if (!name) {
      return next()
    }
    const full = path.join(ROOT, clean(name))
    fs.readFile(full, (err, data) => {
      if (err) return next(err)
      res.send(data) // <-- here
    })
    metrics.time(started)
  })
}
"#;
    assert_snapshot!(marked("routes/files.js", source, Rung::Function), @r"
    routes/files.js
       3 definition of ROOT | const ROOT = '/srv/files'
       4 definition of LIMIT | const LIMIT = 10
       6 definition of clean | const clean = (name) => {
       7 definition of clean |   const short = name.slice(0, LIMIT)
       8 definition of clean |   console.log('cleaned')
       9 definition of clean |   return short.replace(/\.\./g, '')
      12 signature | module.exports = function (app) {
      13 function |   app.get('/health', (req, res) => res.send('ok'))
      15 signature |   app.post('/files/:name', requireUser, async (req, res, next) => {
      16 function |     const { name } = req.params
      17 function |     const started = Date.now()
      18 guard |     if (!name) {
      19 guard |       return next()
      21 function |     const full = path.join(ROOT, clean(name))
      22 function |     fs.readFile(full, (err, data) => {
      23 function |       if (err) return next(err)
      24 finding |       res.send(data) // <-- here
      26 function |     metrics.time(started)
    rung Function
    ");
}

#[test]
fn typescript() {
    let source = r#"import { Controller, Get, Query } from '@nestjs/common'

const COLUMNS: Record<string, string> = {
  name: 'name',
  mail: 'email',
}

interface Filter {
  field: string
}

@Controller('users')
export class Users {
  private readonly limit = 50

  constructor(private readonly db: Pool) {}

  private column(filter: Filter): string {
    return COLUMNS[filter.field] ?? 'name'
  }

  @Get('search')
  @UseGuards(AuthGuard)
  async search(@Query('field') field: string): Promise<Row[]> {
    const filter: Filter = { field }
    const order = this.column(filter)
    this.logger.debug('searching')
    return this.db.query(`SELECT * FROM users ORDER BY ${order} LIMIT ${this.limit}`) // <-- here
  }
}
"#;
    assert_snapshot!(marked("src/users.ts", source, Rung::Function), @"
    src/users.ts
       3 definition of COLUMNS | const COLUMNS: Record<string, string> = {
       4 definition of COLUMNS |   name: 'name',
       5 definition of COLUMNS |   mail: 'email',
       8 definition of Filter | interface Filter {
       9 definition of Filter |   field: string
      12 signature | @Controller('users')
      13 signature | export class Users {
      14 definition of limit |   private readonly limit = 50
      16 definition of db |   constructor(private readonly db: Pool) {}
      18 definition of column |   private column(filter: Filter): string {
      19 definition of column |     return COLUMNS[filter.field] ?? 'name'
      22 signature |   @Get('search')
      23 signature |   @UseGuards(AuthGuard)
      24 signature |   async search(@Query('field') field: string): Promise<Row[]> {
      25 function |     const filter: Filter = { field }
      26 function |     const order = this.column(filter)
      27 function |     this.logger.debug('searching')
      28 finding |     return this.db.query(`SELECT * FROM users ORDER BY ${order} LIMIT ${this.limit}`) // <-- here
    rung Function
    ");
}

#[test]
fn tsx() {
    let source = r#"const Banner = ({ html, title }: Props) => {
  const [open, setOpen] = useState(true)
  const safe = sanitize(html)
  return (
    <section onClick={() => setOpen(false)}>
      <h1>{title}</h1>
      <div dangerouslySetInnerHTML={{ __html: safe }} /> {/* <-- here */}
    </section>
  )
}

function sanitize(html: string) {
  return html
}
"#;
    assert_snapshot!(marked("src/Banner.tsx", source, Rung::Function), @r"
    src/Banner.tsx
       1 signature | const Banner = ({ html, title }: Props) => {
       2 function |   const [open, setOpen] = useState(true)
       3 function |   const safe = sanitize(html)
       4 function |   return (
       5 function |     <section onClick={() => setOpen(false)}>
       6 function |       <h1>{title}</h1>
       7 finding |       <div dangerouslySetInnerHTML={{ __html: safe }} /> {/* <-- here */}
       8 function |     </section>
      12 definition of sanitize | function sanitize(html: string) {
      13 definition of sanitize |   return html
    rung Function
    ");
}

#[test]
fn java() {
    let source = r#"package shop;

@RestController
@RequestMapping("/orders")
public class Orders {
    private static final String BASE = "SELECT * FROM orders WHERE ";
    @Autowired
    private DataSource source;
    private int hits;

    @PostMapping("/find")
    @PreAuthorize("hasRole('CLERK')")
    public List<Order> find(HttpServletRequest request,
                            @RequestParam String customer) throws SQLException {
        String state = request.getParameter("state");
        String id = "";
        hits++;
        switch (state) {
            case "open":
                id = checked(customer);
                break;
            default:
                id = customer;
        }
        StringBuilder sql = new StringBuilder(BASE);
        sql.append("customer = ").append(id);
        try (Statement st = source.getConnection().createStatement()) {
            return map(st.executeQuery(sql.toString())); // <-- here
        } catch (SQLException e) {
            throw e;
        }
    }

    private static String checked(String id) {
        if (!id.matches("[0-9]+")) {
            throw new IllegalArgumentException();
        }
        return id;
    }

    private static String unrelated(String id) {
        return id;
    }
}
"#;
    assert_snapshot!(marked("src/Orders.java", source, Rung::Function), @r#"
    src/Orders.java
       3 signature | @RestController
       4 signature | @RequestMapping("/orders")
       5 signature | public class Orders {
       6 definition of BASE |     private static final String BASE = "SELECT * FROM orders WHERE ";
       7 definition of source |     @Autowired
       8 definition of source |     private DataSource source;
      11 signature |     @PostMapping("/find")
      12 signature |     @PreAuthorize("hasRole('CLERK')")
      13 signature |     public List<Order> find(HttpServletRequest request,
      14 signature |                             @RequestParam String customer) throws SQLException {
      15 function |         String state = request.getParameter("state");
      16 function |         String id = "";
      18 guard |         switch (state) {
      19 guard |             case "open":
      20 function |                 id = checked(customer);
      22 guard |             default:
      23 function |                 id = customer;
      25 function |         StringBuilder sql = new StringBuilder(BASE);
      26 function |         sql.append("customer = ").append(id);
      27 function |         try (Statement st = source.getConnection().createStatement()) {
      28 finding |             return map(st.executeQuery(sql.toString())); // <-- here
      29 function |         } catch (SQLException e) {
      30 function |             throw e;
      34 definition of checked |     private static String checked(String id) {
      35 definition of checked |         if (!id.matches("[0-9]+")) {
      36 definition of checked |             throw new IllegalArgumentException();
      38 definition of checked |         return id;
    rung Function
    "#);
    assert_snapshot!(marked("src/Orders.java", source, Rung::Slice), @r#"
    src/Orders.java
      11 signature |     @PostMapping("/find")
      12 signature |     @PreAuthorize("hasRole('CLERK')")
      13 signature |     public List<Order> find(HttpServletRequest request,
      14 signature |                             @RequestParam String customer) throws SQLException {
      15 function |         String state = request.getParameter("state");
      16 function |         String id = "";
      18 guard |         switch (state) {
      19 guard |             case "open":
      20 function |                 id = checked(customer);
      22 guard |             default:
      23 function |                 id = customer;
      25 function |         StringBuilder sql = new StringBuilder(BASE);
      26 function |         sql.append("customer = ").append(id);
      27 function |         try (Statement st = source.getConnection().createStatement()) {
      28 finding |             return map(st.executeQuery(sql.toString())); // <-- here
    rung Slice
    "#);
}

#[test]
fn go() {
    let source = r#"package main

const (
	workRoot = "/srv"
	unused   = 1
)

type server struct {
	db *sql.DB
}

func (s *server) clean(name string) string {
	return filepath.Base(name)
}

func (s *server) run(w http.ResponseWriter, r *http.Request) {
	var req request
	start := time.Now()
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, "bad", 400)
		return
	}
	switch req.Kind {
	case "tar":
		dir := filepath.Join(workRoot, s.clean(req.Dir))
		cmd := exec.Command("sh", "-c", "tar cf - "+dir) // <-- here
		cmd.Run()
	}
	log.Print(time.Since(start))
}
"#;
    assert_snapshot!(marked("main.go", source, Rung::Function), @r#"
    main.go
       4 definition of workRoot | 	workRoot = "/srv"
       8 definition of server | type server struct {
       9 definition of server | 	db *sql.DB
      12 definition of clean | func (s *server) clean(name string) string {
      13 definition of clean | 	return filepath.Base(name)
      16 signature | func (s *server) run(w http.ResponseWriter, r *http.Request) {
      17 function | 	var req request
      18 function | 	start := time.Now()
      19 guard | 	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
      20 function | 		http.Error(w, "bad", 400)
      21 guard | 		return
      23 guard | 	switch req.Kind {
      24 guard | 	case "tar":
      25 function | 		dir := filepath.Join(workRoot, s.clean(req.Dir))
      26 finding | 		cmd := exec.Command("sh", "-c", "tar cf - "+dir) // <-- here
      27 function | 		cmd.Run()
      29 function | 	log.Print(time.Since(start))
    rung Function
    "#);
    assert_snapshot!(marked("main.go", source, Rung::Slice), @r#"
    main.go
      16 signature | func (s *server) run(w http.ResponseWriter, r *http.Request) {
      17 function | 	var req request
      19 guard | 	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
      21 guard | 		return
      23 guard | 	switch req.Kind {
      24 guard | 	case "tar":
      25 function | 		dir := filepath.Join(workRoot, s.clean(req.Dir))
      26 finding | 		cmd := exec.Command("sh", "-c", "tar cf - "+dir) // <-- here
      27 function | 		cmd.Run()
    rung Slice
    "#);
}

#[test]
fn ruby() {
    let source = r#"class UsersController < ApplicationController
  before_action :require_login
  before_action :load_user, only: [:update, :show]
  before_action :admin_only, only: :destroy

  FIELDS = %w[name mail].freeze

  def update
    field = params[:field]
    return head(:bad_request) unless FIELDS.include?(field)
    logger.info "update"
    @user.update_column(field, params[:value]) # <-- here
    redirect_to @user
  end

  private

  def load_user
    @user = User.find(params[:id])
  end

  def require_login
    redirect_to login_path unless session[:user]
  end

  def admin_only
    head :forbidden
  end
end
"#;
    assert_snapshot!(marked("app/controllers/users_controller.rb", source, Rung::Function), @r#"
    app/controllers/users_controller.rb
       1 signature | class UsersController < ApplicationController
       2 signature |   before_action :require_login
       3 signature |   before_action :load_user, only: [:update, :show]
       6 definition of FIELDS |   FIELDS = %w[name mail].freeze
       8 signature |   def update
       9 function |     field = params[:field]
      10 guard |     return head(:bad_request) unless FIELDS.include?(field)
      11 function |     logger.info "update"
      12 finding |     @user.update_column(field, params[:value]) # <-- here
      13 function |     redirect_to @user
      18 definition of user |   def load_user
      19 definition of user |     @user = User.find(params[:id])
      22 definition of require_login |   def require_login
      23 definition of require_login |     redirect_to login_path unless session[:user]
    rung Function
    "#);
}

#[test]
fn php() {
    let source = r#"<?php
namespace Board;

class Posts extends Base
{
    private $table = 'posts';
    const LIMIT = 20;

    public function __construct($db)
    {
        $this->db = $db;
    }

    #[Route('/posts')]
    public function index(Request $request)
    {
        $author = $request->get('author');
        if (!is_string($author)) {
            throw new BadRequest();
        }
        $this->count();
        $sql = "SELECT * FROM {$this->table} WHERE author = '" . $this->quote($author) . "'";
        foreach ($this->db->query($sql) as $row) { // <-- here
            echo $row['title'];
        }
    }

    private function quote($text)
    {
        return addslashes($text);
    }
}
"#;
    assert_snapshot!(marked("src/Posts.php", source, Rung::Function), @r#"
    src/Posts.php
       4 signature | class Posts extends Base
       6 definition of table |     private $table = 'posts';
       9 definition of db |     public function __construct($db)
      11 definition of db |         $this->db = $db;
      14 signature |     #[Route('/posts')]
      15 signature |     public function index(Request $request)
      17 function |         $author = $request->get('author');
      18 guard |         if (!is_string($author)) {
      19 guard |             throw new BadRequest();
      21 function |         $this->count();
      22 function |         $sql = "SELECT * FROM {$this->table} WHERE author = '" . $this->quote($author) . "'";
      23 finding |         foreach ($this->db->query($sql) as $row) { // <-- here
      24 function |             echo $row['title'];
      28 definition of quote |     private function quote($text)
      30 definition of quote |         return addslashes($text);
    rung Function
    "#);
}

#[test]
fn a_finding_outside_of_functions_gets_the_statements_that_it_depends_on() {
    let source = r#"<html><?php
include 'db.php';
$page = $_GET['page'];
$title = 'Board';
if (!ctype_alnum($page)) {
    exit;
}
function render($x) {
    echo $x;
}
render($title);
include 'pages/' . $page . '.php'; // <-- here
"#;
    assert_snapshot!(marked("index.php", source, Rung::Slice), @"
    index.php
       3 function | $page = $_GET['page'];
       5 guard | if (!ctype_alnum($page)) {
       6 guard |     exit;
      12 finding | include 'pages/' . $page . '.php'; // <-- here
    rung Slice
    ");
}

#[test]
fn a_finding_on_a_field_gets_its_class_and_what_it_names() {
    let source = r#"DEFAULT = "secret"


@dataclass
class Config(Base):
    name: str = "x"
    key = os.environ.get("KEY", DEFAULT)  # <-- here

    def use(self):
        return self.key
"#;
    assert_snapshot!(marked("config.py", source, Rung::Function), @r#"
    config.py
       1 definition of DEFAULT | DEFAULT = "secret"
       4 signature | @dataclass
       5 signature | class Config(Base):
       6 window |     name: str = "x"
       7 finding |     key = os.environ.get("KEY", DEFAULT)  # <-- here
       9 use of key |     def use(self):
      10 use of key |         return self.key
    rung Function
    "#);
}

#[test]
fn a_check_of_what_is_made_of_the_value_counts_as_one_of_the_value() {
    sends(&[(
        "src/Proxy.kt",
        "package shop

private val HOSTS = setOf(\"a.example\", \"b.example\") // needed

private fun hostOf(target: String): String? = URI(target).host // needed

fun Routing.proxy() {
    get(\"/fetch\") {
        val target = call.parameters[\"url\"] ?: return@get // needed
        val host = hostOf(target) // needed
        if (host !in HOSTS) { // needed
            return@get // needed
        }
        call.respondText(client.get(target).bodyAsText()) // <-- here
    }
}
",
    )]);
    sends(&[(
        "app/fetch.py",
        "HOSTS = {'a.example'}  # needed

def fetch():
    target = request.args['url']  # needed
    parts = urlparse(target)  # needed
    host = parts.hostname  # needed
    if host not in HOSTS:  # needed
        abort(403)  # needed
    size = len(target)
    return requests.get(target).text  # <-- here
",
    )]);
    sends(&[(
        "routes/fetch.js",
        "const HOSTS = new Set(['a.example']) // needed

router.get('/fetch', async (req, res) => {
  const target = req.query.url // needed
  const { hostname } = new URL(target) // needed
  if (!HOSTS.has(hostname)) { // needed
    return res.sendStatus(403) // needed
  }
  const reply = await fetch(target) // <-- here
})
",
    )]);
    sends(&[(
        "fetch.go",
        "package main

var hosts = map[string]bool{\"a.example\": true} // needed

func fetch(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get(\"url\") // needed
	parsed, err := url.Parse(target) // needed
	if err != nil || !hosts[parsed.Host] { // needed
		http.Error(w, \"no\", 403) // needed
		return // needed
	}
	reply, err := http.Get(target) // <-- here
}
",
    )]);
    sends(&[(
        "src/Fetch.java",
        "class Fetch {
  private static final Set<String> HOSTS = Set.of(\"a.example\"); // needed

  @GetMapping(\"/fetch\")
  String fetch(@RequestParam String target) { // needed
    String host = URI.create(target).getHost(); // needed
    if (!HOSTS.contains(host)) { // needed
      throw new Denied(); // needed
    }
    return client.get(target); // <-- here
  }
}
",
    )]);
    sends(&[(
        "app/controllers/proxy_controller.rb",
        "class ProxyController < ApplicationController
  HOSTS = %w[a.example] # needed

  def show
    target = params[:url] # needed
    host = URI(target).host # needed
    return head(:forbidden) unless HOSTS.include?(host) # needed
    render plain: Net::HTTP.get(URI(target)) # <-- here
  end
end
",
    )]);
    sends(&[(
        "src/fetch.php",
        "<?php
const HOSTS = ['a.example']; // needed
function fetch() {
    $target = $_GET['url']; // needed
    $host = parse_url($target, PHP_URL_HOST) or die('no host'); // needed
    if (!in_array($host, HOSTS)) { // needed
        return null; // needed
    }
    return file_get_contents($target); // <-- here
}
",
    )]);
    sends(&[(
        "src/Fetch.cs",
        "class Fetch {
  static readonly string[] Hosts = { \"a.example\" }; // needed

  public string Get(string target) { // needed
    var host = new Uri(target).Host; // needed
    if (!Hosts.Contains(host)) // needed
      throw new Denied(); // needed
    return client.GetString(target); // <-- here
  }
}
",
    )]);
    sends(&[
        (
            "src/fetch.ts",
            "import { hostOf, HOSTS } from './hosts'

export async function proxy(req: Request, res: Response) {
  const target = String(req.query.url) // needed
  const host = hostOf(target) // needed
  if (!HOSTS.includes(host)) return res.sendStatus(403) // needed
  return fetch(target) // <-- here
}
",
        ),
        (
            "src/hosts.ts",
            "export const HOSTS = ['a.example'] // needed

export function hostOf(target: string) { // needed
  return new URL(target).hostname // needed
}
",
        ),
    ]);
    sends(&[(
        "src/run.c",
        "static int run(const char *path) { // needed
    size_t length = strlen(path); // needed
    char name[64];
    if (length >= sizeof(name)) // needed
        return -1; // needed
    strcpy(name, path); // <-- here
    return 0;
}
",
    )]);
}

#[test]
fn an_assignment_that_may_leave_is_a_check() {
    let source = "
fun proxy(target: String) {
    val started = now()
    val host = hostOf(target) ?: return
    val port = portOf(target)
    if (port !in PORTS) return
    val size = target.length
    println(size - started)
    client.get(target) // <-- here
}
";
    assert_snapshot!(marked("src/Proxy.kt", source, Rung::Slice), @"
    src/Proxy.kt
       2 signature | fun proxy(target: String) {
       4 guard |     val host = hostOf(target) ?: return
       5 function |     val port = portOf(target)
       6 guard |     if (port !in PORTS) return
       9 finding |     client.get(target) // <-- here
    rung Slice
    ");
}
