//! Templates: text with code in it, as data.

use chaffinch_core::RepoPath;

/// How one family of templates marks its code, and what renders them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// For people.
    pub(crate) name: &'static str,
    /// Of files, in lower case.
    pub(crate) extensions: &'static [&'static str],
    /// What opens and closes a piece of code.
    pub(crate) marks: &'static [(&'static str, &'static str)],
    /// First words of code, or starts of tags, that open a block.
    pub(crate) opens: &'static [&'static str],
    /// First words, or starts of tags, that close one.
    pub(crate) closes: &'static [&'static str],
    /// First words that close one and open another.
    pub(crate) turns: &'static [&'static str],
    /// Files that often render such a template, as [`super::Modules::callers`].
    pub(crate) renderers: &'static [&'static str],
}

static ALL: [Template; 5] = [
    Template {
        name: "ERB",
        extensions: &["erb", "rhtml"],
        marks: &[("<%", "%>")],
        opens: &["if", "unless", "case", "while", "until", "for", "begin"],
        closes: &["end"],
        turns: &["else", "elsif", "when", "rescue"],
        renderers: &["../../controllers/{dir}_controller.rb", "../../mailers/{dir}.rb"],
    },
    Template {
        name: "Jinja",
        extensions: &["html", "htm", "jinja", "jinja2", "j2", "twig", "djhtml", "hbs", "mustache"],
        marks: &[("{{", "}}"), ("{%", "%}")],
        opens: &["if", "for", "with", "autoescape", "filter", "macro", "call", "#if", "#each"],
        closes: &["end", "/if", "/each"],
        turns: &["else", "elif", "elseif"],
        renderers: &[
            "../views.py",
            "../app.py",
            "../routes.py",
            "../main.py",
            "../../views.py",
            "../../app.py",
            "../{base}.py",
        ],
    },
    Template {
        name: "JSP",
        extensions: &["jsp", "jspx", "jspf", "tag"],
        marks: &[("<%", "%>"), ("${", "}")],
        opens: &["if", "for", "while", "try", "<c:if", "<c:forEach", "<c:when", "<c:otherwise"],
        closes: &["}", "</c:"],
        turns: &["} else", "} catch"],
        renderers: &[],
    },
    Template {
        name: "EJS",
        extensions: &["ejs"],
        marks: &[("<%", "%>")],
        opens: &["if", "for", "while"],
        closes: &["}", "})"],
        turns: &["} else"],
        renderers: &[
            "../routes/{stem}.js",
            "../routes/index.js",
            "../app.js",
            "../controllers/{stem}.js",
            "../server.js",
            "../index.js",
        ],
    },
    Template {
        name: "Vue",
        extensions: &["vue"],
        marks: &[("{{", "}}"), ("v-html=\"", "\""), ("v-for=\"", "\""), ("v-if=\"", "\"")],
        opens: &[],
        closes: &[],
        turns: &[],
        renderers: &[],
    },
];

impl Template {
    /// The family of a file, by its name.
    pub(crate) fn of(path: &RepoPath) -> Option<&'static Self> {
        let extension = path.extension();
        ALL.iter().find(|t| t.extensions.contains(&extension.as_str()))
    }
}
