//! One realistic file a language; JavaScript and TypeScript are in `scripts`.

use chaffinch_core::Rung;
use insta::assert_snapshot;

use crate::marked;

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
      24 slice |         order = request.args.get("order")
      25 guard |         if order not in ALLOWED:
      26 guard |             abort(400)
      27 slice |         query = "SELECT * FROM " + self.table
      28 slice |         query += " ORDER BY " + order
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
      24 slice |         order = request.args.get("order")
      25 guard |         if order not in ALLOWED:
      26 guard |             abort(400)
      27 slice |         query = "SELECT * FROM " + self.table
      28 slice |         query += " ORDER BY " + order
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
      15 slice |         String state = request.getParameter("state");
      16 slice |         String id = "";
      18 guard |         switch (state) {
      19 guard |             case "open":
      20 slice |                 id = checked(customer);
      22 guard |             default:
      23 slice |                 id = customer;
      25 slice |         StringBuilder sql = new StringBuilder(BASE);
      26 slice |         sql.append("customer = ").append(id);
      27 slice |         try (Statement st = source.getConnection().createStatement()) {
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
      15 slice |         String state = request.getParameter("state");
      16 slice |         String id = "";
      18 guard |         switch (state) {
      19 guard |             case "open":
      20 slice |                 id = checked(customer);
      22 guard |             default:
      23 slice |                 id = customer;
      25 slice |         StringBuilder sql = new StringBuilder(BASE);
      26 slice |         sql.append("customer = ").append(id);
      27 slice |         try (Statement st = source.getConnection().createStatement()) {
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
      17 slice | 	var req request
      18 function | 	start := time.Now()
      19 guard | 	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
      20 function | 		http.Error(w, "bad", 400)
      21 guard | 		return
      23 guard | 	switch req.Kind {
      24 guard | 	case "tar":
      25 slice | 		dir := filepath.Join(workRoot, s.clean(req.Dir))
      26 finding | 		cmd := exec.Command("sh", "-c", "tar cf - "+dir) // <-- here
      27 slice | 		cmd.Run()
      29 function | 	log.Print(time.Since(start))
    rung Function
    "#);
    assert_snapshot!(marked("main.go", source, Rung::Slice), @r#"
    main.go
      16 signature | func (s *server) run(w http.ResponseWriter, r *http.Request) {
      17 slice | 	var req request
      19 guard | 	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
      21 guard | 		return
      23 guard | 	switch req.Kind {
      24 guard | 	case "tar":
      25 slice | 		dir := filepath.Join(workRoot, s.clean(req.Dir))
      26 finding | 		cmd := exec.Command("sh", "-c", "tar cf - "+dir) // <-- here
      27 slice | 		cmd.Run()
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
       9 slice |     field = params[:field]
      10 guard |     return head(:bad_request) unless FIELDS.include?(field)
      11 function |     logger.info "update"
      12 finding |     @user.update_column(field, params[:value]) # <-- here
      13 slice |     redirect_to @user
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
      17 slice |         $author = $request->get('author');
      18 guard |         if (!is_string($author)) {
      19 guard |             throw new BadRequest();
      21 function |         $this->count();
      22 slice |         $sql = "SELECT * FROM {$this->table} WHERE author = '" . $this->quote($author) . "'";
      23 finding |         foreach ($this->db->query($sql) as $row) { // <-- here
      24 function |             echo $row['title'];
      28 definition of quote |     private function quote($text)
      30 definition of quote |         return addslashes($text);
    rung Function
    "#);
}
