//! Values that were stored before, and are read back.

use crate::sends;

const BOARD: &str = r#"import html


def add(request):  # needed
    name = request.form["name"]  # needed
    log.debug("in vain")
    db.execute("INSERT INTO posts (author) VALUES (?)", [name])  # needed


def rename(request):
    log.debug("in vain")
    db.execute("UPDATE users SET name = ?", [request.form["in vain"]])


def board(request):
    rows = db.execute("SELECT author FROM posts ORDER BY id")
    parts = []
    for row in rows:
        parts.append("<li>" + row["author"] + "</li>")  # <-- here
    return "".join(parts)
"#;

#[test]
fn a_value_from_a_table_comes_with_what_is_written_there() {
    sends(&[("board.py", BOARD)]);
}

#[test]
fn a_value_from_a_table_comes_with_what_another_file_writes_there() {
    sends(&[
        (
            "index.php",
            r#"<?php
require 'lib/db.php';

foreach (recent_posts() as $post) {
    echo '<p>' . $post['author'] . '</p>'; // <-- here
}
"#,
        ),
        (
            "lib/db.php",
            r#"<?php
function recent_posts(): array // needed
{
    return db()->query('SELECT title, author FROM posts LIMIT 9')->fetch_all(); // needed
}

function add_post(string $title, string $author): void // needed
{
    log_line('in vain');
    $st = db()->prepare('INSERT INTO posts (title, author) VALUES (?, ?)'); // needed
}

function drop_user(int $id): void
{
    db()->query('DELETE FROM users WHERE id = ' . $id); // in vain
}
"#,
        ),
    ]);
}

#[test]
fn a_statement_that_is_only_put_together_asks_for_no_writers() {
    sends(&[(
        "search.py",
        r#"def add(name):
    db.execute("INSERT INTO posts (author) VALUES (?)", [name])  # in vain


def find(name):
    query = "SELECT author FROM posts WHERE author = '" + name + "'"  # needed
    return db.execute(query)  # <-- here
"#,
    )]);
}
