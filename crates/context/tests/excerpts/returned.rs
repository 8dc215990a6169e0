//! What becomes of a value that the finding's function returns, and what guards its callers.

use crate::sends;

#[test]
fn what_a_caller_does_with_the_result_is_shown_where_the_finding_is_in_it() {
    sends(&[(
        "web/cookies.go",
        r#"package web

func (s *site) domainCookie(r *http.Request) http.Cookie {
	keys := s.keys(r)
	return http.Cookie{Name: "keys", Value: keys} // <-- here
}

func (s *site) login(w http.ResponseWriter, r *http.Request) { // needed
	log.Print("login")
	s.count(r)
	s.count(w)
	cookie := s.domainCookie(r) // needed
	s.count(w)
	s.count(r)
	http.SetCookie(w, &cookie) // needed
	s.count(r)
	s.count(w)
	log.Print("in vain")
}
"#,
    )]);
}

#[test]
fn what_a_caller_does_with_a_result_that_the_finding_is_not_in_is_left_out() {
    sends(&[(
        "jobs.py",
        r#"import subprocess


def run(tool):
    subprocess.call(tool, shell=True)  # <-- here
    count = len(HISTORY)
    HISTORY.append(count)
    log(count)
    return 3


def main(argv):
    code = run(argv[1])  # needed
    report(argv)
    report("in vain", code)
    archive("in vain")
"#,
    )]);
}

#[test]
fn a_caller_comes_with_the_filters_of_its_class() {
    sends(&[
        (
            "app/helpers/jobs_helper.rb",
            r#"module JobsHelper
  def job_data(job)
    YAML.unsafe_load(job.handler) # <-- here
  end
end
"#,
        ),
        (
            "app/controllers/jobs_controller.rb",
            r#"class JobsController < ApplicationController
  before_action :authenticate_admin! # needed
  before_action :load_agent, only: [:index] # in vain

  def index
    @jobs = [] # in vain
  end

  def show
    @data = job_data(Job.find(params[:id])) # needed
  end
end
"#,
        ),
    ]);
}

#[test]
fn a_caller_comes_with_the_annotations_of_its_class() {
    sends(&[(
        "src/Files.java",
        r#"class Store {
    File open(String name) {
        return new File(ROOT, name); // <-- here
    }
}

@RestController
@RequestMapping("/admin") // needed
class Files {
    private int count; // in vain

    private final Store store = new Store();

    File show(String name) { // needed
        return store.open(name); // needed
    }
}
"#,
    )]);
}

#[test]
fn a_function_that_uses_what_the_finding_defines_comes_with_its_callers() {
    sends(&[(
        "src/generate.ts",
        r#"const seed = Date.now() ^ (Math.random() * 0x100000000); // <-- here

export function random(min: number, max: number) {
  const value = Math.imul(seed, 48271); // needed
  return min + (value % (max - min)); // needed
}

export function size(text: string) {
  return text.length; // in vain
}

export function accessCode() {
  let code = '';
  for (let i = 0; i < 16; i++) {
    code += LETTERS[random(0, LETTERS.length - 1)]; // needed
  }
  return code;
}
"#,
    )]);
}

#[test]
fn what_is_made_of_a_value_under_the_same_key_is_shown_with_it() {
    sends(&[(
        "app.py",
        r#"@app.post("/login")
def login():
    token = encode(request.form["name"])
    response = make_response(redirect("/"))
    response.set_cookie("session", token)  # <-- here
    return response


@app.get("/me")
def me():
    token = request.cookies.get("session")  # needed
    log.debug("in vain")
    log.debug("in vain")
    name = decode(token).split(":")[0]  # needed
    log.debug("in vain")
    return render(name)
"#,
    )]);
}
