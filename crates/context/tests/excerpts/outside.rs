//! Findings outside of functions.

use chaffinch_core::Rung;
use insta::assert_snapshot;

use crate::marked;

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
       3 slice | $page = $_GET['page'];
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
