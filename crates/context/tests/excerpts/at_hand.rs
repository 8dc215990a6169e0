//! Files that were read for one question answer others too.

use crate::{
    hops::{Asked, read},
    sends,
};

const RUN: &str = r#"package hooks

func Run(w http.ResponseWriter, r *http.Request) {
	tool := pick(r.FormValue("tool"))
	exec.Command(tool, "--all").Run() // <-- here
}
"#;

const LIST: &str = r#"package hooks

var tools = map[string]string{"lint": "/usr/bin/lint"}

func pick(name string) string {
	return tools[name]
}
"#;

#[test]
fn a_file_of_the_change_in_the_same_package_is_searched_for_what_is_called() {
    let files = [("hooks/run.go", RUN), ("hooks/allow_list.go", LIST)];
    let shown = read(&files, &Asked { changed: &["hooks/allow_list.go"], ..Asked::default() });
    assert!(shown.contains("definition of pick |"), "{shown}");
    assert!(shown.contains("definition of tools |"), "{shown}");
}

#[test]
fn a_name_that_is_missed_is_looked_for_in_the_files_that_were_read() {
    let files = [
        (
            "app/users.py",
            "from .helpers import clean\n\ndef find(name):\n    return run(clean(name)) # <-- here\n",
        ),
        (
            "app/helpers.py",
            "def clean(text):\n    return text.strip()\n\n\ndef other():\n    return 1\n",
        ),
    ];
    let shown = read(&files, &Asked { needs: &["other"], ..Asked::default() });
    assert!(shown.contains("asked for other | def other():"), "{shown}");
    let without = read(&files, &Asked::default());
    assert!(!without.contains("def other():"), "{without}");
}

#[test]
fn a_long_literal_makes_no_file_minified() {
    let icon = format!(
        "ICON = '{}' # in vain\n\n\ndef find(name):\n    word = name.strip() # needed\n    return run(word) # <-- here\n",
        "iVBORw0KGgo".repeat(2_000)
    );
    sends(&[("app/icons.py", icon.as_str())]);
}
