//! Each line carries the reason for which it is there.

use std::sync::Arc;

use chaffinch_context::{Answer, Extractor, Step};

use crate::{AMPLE, TOKENS, finding, region, show};

/// Asserts that of `files` the lines that end in `# is: REASON` are sent with that reason, and those
/// that say `in vain` are not, for the finding on the line that says `<-- here` in the first; the
/// others are files of the change. Returns the notes.
fn says(files: &[(&str, &str)]) -> Vec<String> {
    let (path, source) = files[0];
    let line = source.lines().position(|l| l.contains("<-- here")).unwrap() + 1;
    let line = u32::try_from(line).unwrap();
    let mut extraction = Extractor::new(Arc::clone(&TOKENS))
        .start(&finding(path, Some(region(line, line))), AMPLE)
        .changing(files.iter().skip(1).map(|(path, _)| path.parse().unwrap()));
    let outcome = loop {
        match extraction.next() {
            Step::Want(path) => match files.iter().find(|(p, _)| *p == path.as_str()) {
                Some((_, text)) => extraction.give(&path, Answer::Found(text.as_bytes())),
                None => extraction.give(&path, Answer::Missing),
            },
            Step::List(folder) => extraction.give_names(&folder, &[]),
            Step::Done(outcome) => break *outcome,
        }
    };
    let sent = outcome.as_ref().unwrap();
    for (path, text) in files {
        for (number, line) in (1..).zip(text.lines()) {
            let told = sent.line(&path.parse().unwrap(), number).map(|l| l.reason.to_string());
            let wanted = line.split_once("is: ").map(|(_, reason)| reason.trim().to_owned());
            let wrong = (wanted.is_some() && told != wanted)
                || (line.contains("in vain") && told.is_some());
            assert!(!wrong, "{path}:{number}: {line}\n\n{}", show(&outcome));
        }
    }
    sent.notes().to_vec()
}

const NO_CALLER: &str = "no caller found in the files read";

#[test]
fn conditions_checks_and_early_exits_are_guards() {
    says(&[(
        "a.py",
        "def find(request, db):  # is: signature
    name = request.args['name']  # is: slice
    names = name.split(',')  # is: slice
    if len(name) > 80:  # is: guard
        return None  # is: guard
    validate(name)  # is: guard
    for part in names:  # is: slice
        if part:  # is: guard
            word = part  # is: slice
            db.execute('select ' + word + name)  # <-- here
",
    )]);
    says(&[(
        "a.go",
        "package a

func get(w http.ResponseWriter, r *http.Request) { // is: signature
	name := r.FormValue(\"name\") // is: slice
	if strings.Contains(name, \"..\") { // is: guard
		return // is: guard
	}
	for i := 0; i < 3; i++ { // is: guard
		http.ServeFile(w, r, name) // <-- here
	}
}
",
    )]);
    says(&[(
        "A.kt",
        "fun fetch(url: String): String { // is: signature
    val host = hostOf(url) ?: return \"\" // is: guard
    when (host) { // is: guard
        \"a\" -> return load(host) // <-- here
    }
    return \"\"
}
",
    )]);
    says(&[(
        "a.rb",
        "def show(params) # is: signature
  path = params[:path] # is: slice
  raise 'no' unless path.start_with?('/x') # is: guard
  send_file(path) # <-- here
end
",
    )]);
}

#[test]
fn a_check_of_what_the_finding_gives_is_a_guard() {
    says(&[(
        "a.js",
        "function find(req, res) {
  const name = req.query.name; // <-- here
  if (!/^[a-z]+$/.test(name)) { // is: guard
    return res.sendStatus(400); // is: guard
  }
  run('find ' + name); // is: slice
}
",
    )]);
}

#[test]
fn far_from_the_finding_a_guard_is_one_too() {
    let long: String = (0..20).map(|i| format!("    log({i})\n")).collect();
    let source = format!(
        "def find(request, db):
    name = request.args['name']  # is: slice
    if bad(name):  # is: guard
        return None  # is: guard
{long}    one = name.strip()  # is: slice
    two = one + one
    three = two + two
    four = three + three
    if good(one):  # is: guard
        log(four)
        db.execute(four)  # <-- here
"
    );
    says(&[("a.py", &source)]);
}

#[test]
fn a_guard_of_the_caller_is_a_guard() {
    says(&[
        (
            "shop/store.py",
            "def find(db, name):  # is: signature
    return db.execute('select ' + name)  # <-- here
",
        ),
        (
            "shop/app.py",
            "import store

def search(request):  # is: caller of find
    name = request.args['name']  # is: caller of find
    if len(name) > 8:  # is: guard
        return None  # is: guard
    return store.find(db, name)  # is: caller of find
",
        ),
    ]);
}

#[test]
fn a_condition_around_a_value_of_a_page_is_a_guard() {
    says(&[(
        "app/views/a.html.erb",
        "<% if signed_in? %> <%# is: guard
<% @posts.each do |post| %>
  <%= raw post.body %> <!-- <-- here -->
<% end %>
<% end %>
",
    )]);
}

#[test]
fn where_a_name_or_key_is_used_says_so() {
    says(&[(
        "app.py",
        "app = Flask(__name__)
app.config['TOKEN_SECRET'] = 'secret'  # <-- here


def token(user):  # is: use of TOKEN_SECRET
    return jwt.encode({'user': user}, app.config['TOKEN_SECRET'])  # is: use of TOKEN_SECRET
",
    )]);
    says(&[(
        "utils.go",
        "package utils

import \"math/rand\" // <-- here
import \"strings\"

var source = rand.NewSource(1) // is: use of rand
",
    )]);
    says(&[
        (
            "app/controllers/sessions_controller.rb",
            "class SessionsController < ApplicationController
  skip_before_action :authenticate, only: [:create]

  def create
    back = session.delete(:return_to) || '/'
    redirect_to(back) # <-- here
  end
end
",
        ),
        (
            "app/controllers/application_controller.rb",
            "class ApplicationController < ActionController::Base
  def authenticate
    session[:return_to] = request.fullpath # is: use of return_to
  end
end
",
        ),
    ]);
}

#[test]
fn where_a_page_is_rendered_says_so() {
    says(&[
        (
            "shop/templates/shop/result.html",
            "{% load static %}
<p>{{ username|safe }}</p> <!-- <-- here -->
",
        ),
        (
            "shop/views.py",
            "def page(request):  # is: use of result.html
    username = request.POST.get('username')  # is: use of result.html
    if not username:  # is: guard
        return None  # is: guard
    return render(request, 'shop/result.html', {'username': username})  # is: use of result.html
",
        ),
    ]);
}

#[test]
fn a_member_of_something_else_is_no_caller_of_a_function() {
    let python = says(&[
        (
            "shop/store.py",
            "def find(db, name):
    return db.execute('select ' + name)  # <-- here
",
        ),
        (
            "shop/app.py",
            "import re

def search(request, text):
    found = re.find(request.args['q'])  # in vain
    return text.find(found)  # in vain
",
        ),
    ]);
    let script = says(&[
        (
            "src/store.js",
            "function find(name) {
  return db.query('select ' + name); // <-- here
}
module.exports = { find };
",
        ),
        (
            "src/routes.js",
            "const _ = require('lodash');
app.get('/x', (req, res) => {
  res.send(_.find(req.query.name)); // in vain
  res.send(items.find(req.query.name)); // in vain
});
",
        ),
    ]);
    let go = says(&[
        (
            "store/find.go",
            "package store

func Find(name string) { // is: signature
	db.Query(\"select \" + name) // <-- here
}

func (s *Shop) all(r *http.Request) {
	s.index.Find(r.FormValue(\"q\")) // in vain
}
",
        ),
        (
            "store/server.go",
            "package store

func serve(w http.ResponseWriter, r *http.Request) {
	list.Find(r.FormValue(\"q\")) // in vain
}
",
        ),
    ]);
    let ruby = says(&[(
        "find.rb",
        "def find(name)
  DB.run('select ' + name) # <-- here
end

def other(list)
  one = 1
  two = 2
  three = 3
  list.find(one) # in vain
end
",
    )]);
    for notes in [python, script, go, ruby] {
        assert_eq!(notes, [NO_CALLER]);
    }
}

#[test]
fn a_function_of_the_same_name_elsewhere_is_not_called_for_ours() {
    let own = says(&[
        (
            "shop/store.py",
            "def find(db, name):
    return db.execute('select ' + name)  # <-- here
",
        ),
        (
            "shop/app.py",
            "def find(name):
    return name

def search(request):
    return find(request.args['q'])  # in vain
",
        ),
    ]);
    let brought = says(&[
        (
            "src/store.js",
            "export function find(name) {
  return db.query('select ' + name); // <-- here
}
",
        ),
        (
            "src/routes.js",
            "import { find } from './lists';
app.get('/x', (req, res) => {
  res.send(find(req.query.name)); // in vain
});
",
        ),
    ]);
    for notes in [own, brought] {
        assert_eq!(notes, [NO_CALLER]);
    }
}

#[test]
fn a_member_of_what_an_import_of_the_file_gives_is_a_caller() {
    let store = "def find(db, name):
    return db.execute('select ' + name)  # <-- here
";
    for import in [
        "import store",
        "from . import store",
        "from shop import store",
        "import shop.store as store",
        "from shop.store import store",
    ] {
        let app = format!(
            "{import}

def search(request):  # is: caller of find
    return store.find(db, request.args['q'])  # is: caller of find
"
        );
        assert!(says(&[("shop/store.py", store), ("shop/app.py", &app)]).is_empty());
    }
    let store = "exports.find = function (name) {
  return db.query('select ' + name); // <-- here
};
";
    for import in [
        "const store = require('./store');",
        "import * as store from './store.js';",
        "import store from '@shop/store';",
        "const store = require('./store')(db);",
    ] {
        let app = format!(
            "{import}
app.get('/x', (req, res) => {{
  res.send(store.find(req.query.name)); // is: caller of find
}});
"
        );
        assert!(says(&[("src/store.js", store), ("src/routes.js", &app)]).is_empty());
    }
    let store = "package store

func Find(name string) { // is: signature
	db.Query(\"select \" + name) // <-- here
}
";
    for import in ["import \"x.org/shop/store\"", "import (\n\tst \"x.org/shop/store\"\n)"] {
        let object = if import.contains("st ") { "st" } else { "store" };
        let main = format!(
            "package main

{import}

func main() {{ // is: caller of Find
	{object}.Find(os.Args[1]) // is: caller of Find
}}
"
        );
        assert!(says(&[("store/find.go", store), ("main.go", &main)]).is_empty());
    }
}

#[test]
fn a_function_that_says_whose_it_is_is_called_on_that() {
    let members = says(&[
        (
            "src/shop.cpp",
            "#include \"shop.h\"

void Shop::find(const char *name) { // is: signature
  system(name); // <-- here
}
",
        ),
        (
            "src/main.cpp",
            "#include \"shop.h\"

int main(int argc, char **argv) { // is: caller of find
  Shop shop;
  shop.find(argv[1]); // is: caller of find
}
",
        ),
    ]);
    let extended = says(&[
        (
            "src/Text.kt",
            "fun String.clean(mark: String): Int { // is: signature
    return run(this + mark) // <-- here
}
",
        ),
        (
            "src/TextController.kt",
            "fun show(name: String) { // is: caller of clean
    name.clean(name) // is: caller of clean
}
",
        ),
    ]);
    assert_eq!((members, extended), (vec![], vec![]));
}

#[test]
fn in_its_own_file_a_function_is_called_by_its_name_or_on_the_module() {
    says(&[(
        "store.js",
        "exports.find = function (name) { // is: signature
  return db.query('select ' + name); // <-- here
};
exports.one = 1;
exports.two = 2;
exports.three = 3;
exports.all = function (req) { // is: caller of find
  return exports.find(req.query.name); // is: caller of find
};
class Other {
  find(name) {
    return name;
  }
  one(req) {
    return this.find(req.query.name); // in vain
  }
}
",
    )]);
}

#[test]
fn where_functions_are_members_a_name_alone_or_on_the_own_object_is_a_call() {
    says(&[(
        "Shop.java",
        "class Shop {
    String find(String name) { // is: signature
        return db.query(\"select \" + name); // <-- here
    }
    int one = 1;
    int two = 2;
    int three = 3;
    String all(Request request) { // is: caller of find
        return find(request.name()); // is: caller of find
    }
    String some(List<String> names) {
        return names.find(names.first()); // in vain
    }
}
",
    )]);
    says(&[(
        "Shop.cs",
        "class Shop {
    string Find(string name) { // is: signature
        return db.Query(\"select \" + name); // <-- here
    }
    int one = 1;
    int two = 2;
    int three = 3;
    string All(Request request) { // is: caller of Find
        return this.Find(request.Name); // is: caller of Find
    }
}
",
    )]);
    let ruby = "def find(name) # is: signature
  DB.run('select ' + name) # <-- here
end

one = 1
two = 2
three = 3
def all(params) # is: caller of find
  CALL(params[:name]) # is: caller of find
end
";
    for call in ["find", "self.find"] {
        says(&[("find.rb", &ruby.replace("CALL", call))]);
    }
}
