//! Templates: text with code in it, as data.

use chaffinch_core::RepoPath;

/// How one family of templates marks its code, and what renders them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// For people.
    pub(crate) name: &'static str,
    /// Of files, in lower case.
    pub(crate) extensions: &'static [&'static str],
    /// What a file of such an extension must hold to be one; empty where the extension tells.
    pub(crate) tells: &'static [&'static str],
    /// What opens and closes a piece of code.
    pub(crate) marks: &'static [(&'static str, &'static str)],
    /// First words of code, or starts of tags, that open a block.
    pub(crate) opens: &'static [&'static str],
    /// First words, or starts of tags, that close one.
    pub(crate) closes: &'static [&'static str],
    /// First words that close one and open another.
    pub(crate) turns: &'static [&'static str],
    /// Files that often render such a template, as [`super::Modules::callers`]; `{up}` leads to the
    /// folder that holds all templates' folder, `{part}` is the first folder within that, `{within}`
    /// all of them.
    pub(crate) renderers: &'static [&'static str],
}

/// What renders templates of Node's frameworks.
const NODE: &[&str] = &[
    "{up}routes/{stem}.js",
    "{up}routes/index.js",
    "{up}app.js",
    "{up}controllers/{part}.js",
    "{up}routes/{part}.js",
    "{up}controllers/{stem}.js",
    "{up}server.js",
    "{up}index.js",
];

/// Of pages: the extension does not tell whose they are.
const PAGES: &[&str] = &["html", "htm", "tmpl", "tpl", "gohtml"];

const BRACES: &[(&str, &str)] = &[("{{", "}}"), ("{%", "%}")];
const OPENS: &[&str] =
    &["if", "for", "with", "autoescape", "filter", "macro", "call", "#if", "#each"];
const CLOSES: &[&str] = &["end", "/if", "/each"];
const TURNS: &[&str] = &["else", "elif", "elseif"];

static ALL: [Template; 11] = [
    Template {
        name: "ERB",
        extensions: &["erb", "rhtml"],
        tells: &[],
        marks: &[("<%", "%>")],
        opens: &["if", "unless", "case", "while", "until", "for", "begin"],
        closes: &["end"],
        turns: &["else", "elsif", "when", "rescue"],
        renderers: &[
            "{up}controllers/{within}_controller.rb",
            "{up}mailers/{within}.rb",
            "{up}controllers/application_controller.rb",
        ],
    },
    Template {
        name: "Angular",
        extensions: PAGES,
        tells: &["*ng", "[innerHTML]", "[innerHtml]", "[(ngModel)]", "(click)=", "[formGroup]"],
        marks: &[("{{", "}}"), ("[innerHTML]=\"", "\""), ("*ngFor=\"", "\""), ("*ngIf=\"", "\"")],
        opens: &[],
        closes: &[],
        turns: &[],
        renderers: &["{name}.ts"],
    },
    Template {
        name: "Go template",
        extensions: PAGES,
        tells: &[
            "{{.",
            "{{ .",
            "{{- .",
            "{{range",
            "{{ range",
            "{{define",
            "{{ define",
            "{{template",
            "{{ template",
        ],
        marks: &[("{{", "}}")],
        opens: &["if", "range", "with", "block", "define"],
        closes: &["end"],
        turns: &["else"],
        renderers: &[
            "{up}handlers.go",
            "{up}main.go",
            "{up}templates.go",
            "{up}server.go",
            "{up}{base}.go",
            "{up}routes.go",
        ],
    },
    Template {
        name: "Django",
        extensions: PAGES,
        tells: &["{% load", "csrf_token", "{% url ", "{% static"],
        marks: BRACES,
        opens: OPENS,
        closes: CLOSES,
        turns: TURNS,
        renderers: &[
            "{up}views.py",
            "{up}{part}/views.py",
            "{up}views/{base}.py",
            "{up}views/{part}.py",
            "{up}{part}/views/{base}.py",
            "{up}../views.py",
        ],
    },
    Template {
        name: "Flask",
        extensions: PAGES,
        tells: &["url_for(", "get_flashed_messages"],
        marks: BRACES,
        opens: OPENS,
        closes: CLOSES,
        turns: TURNS,
        renderers: &[
            "{up}app.py",
            "{up}routes.py",
            "{up}views.py",
            "{up}{part}/routes.py",
            "{up}{part}/views.py",
            "{up}routes/{part}.py",
            "{up}{part}.py",
            "{up}main.py",
            "{up}{base}.py",
            "{up}routes/{base}.py",
            "{up}views/{base}.py",
            "{up}../app.py",
        ],
    },
    Template {
        name: "Twig",
        extensions: &["twig"],
        tells: &[],
        marks: BRACES,
        opens: OPENS,
        closes: CLOSES,
        turns: TURNS,
        renderers: &[
            "{up}src/Controller/{Part}Controller.php",
            "{up}src/Controller/{Base}Controller.php",
            "{up}Controller/{Part}Controller.php",
        ],
    },
    Template {
        name: "Handlebars",
        extensions: &["hbs", "handlebars", "mustache", "njk", "pug", "jade"],
        tells: &[],
        marks: &[("{{", "}}"), ("{%", "%}"), ("#{", "}"), ("!{", "}")],
        opens: OPENS,
        closes: CLOSES,
        turns: TURNS,
        renderers: NODE,
    },
    Template {
        name: "Jinja",
        extensions: &["html", "htm", "jinja", "jinja2", "j2", "djhtml", "tpl", "tmpl"],
        tells: &[],
        marks: BRACES,
        opens: OPENS,
        closes: CLOSES,
        turns: TURNS,
        renderers: &[
            "{up}views.py",
            "{up}app.py",
            "{up}{part}/views.py",
            "{up}routes.py",
            "{up}main.py",
            "{up}{part}.py",
            "{up}{base}.py",
            "{up}views/{base}.py",
            "{up}../views.py",
            "{up}../app.py",
        ],
    },
    Template {
        name: "JSP",
        extensions: &["jsp", "jspx", "jspf", "tag"],
        tells: &[],
        marks: &[("<%", "%>"), ("${", "}")],
        opens: &["if", "for", "while", "try", "<c:if", "<c:forEach", "<c:when", "<c:otherwise"],
        closes: &["}", "</c:"],
        turns: &["} else", "} catch"],
        renderers: &[],
    },
    Template {
        name: "EJS",
        extensions: &["ejs"],
        tells: &[],
        marks: &[("<%", "%>")],
        opens: &["if", "for", "while"],
        closes: &["}", "})"],
        turns: &["} else"],
        renderers: NODE,
    },
    Template {
        name: "Vue",
        extensions: &["vue"],
        tells: &[],
        marks: &[("{{", "}}"), ("v-html=\"", "\""), ("v-for=\"", "\""), ("v-if=\"", "\"")],
        opens: &[],
        closes: &[],
        turns: &[],
        renderers: &[],
    },
];

impl Template {
    /// The family of a file, by its name and, where that leaves several, its text.
    pub(crate) fn of(path: &RepoPath, text: &str) -> Option<&'static Self> {
        let extension = path.extension();
        let told = |t: &&Self| t.tells.is_empty() || t.tells.iter().any(|mark| text.contains(mark));
        ALL.iter().find(|t| t.extensions.contains(&extension.as_str()) && told(t))
    }
}
