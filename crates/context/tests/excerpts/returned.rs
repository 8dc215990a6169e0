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
