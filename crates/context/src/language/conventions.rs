//! Files that frameworks read by convention: what leads to them, and where they are.

/// A file of a framework, and the code that it tells more of.
pub(crate) struct Convention {
    /// What asks for it.
    pub(crate) asks: Asks,
    /// What the file with that code must hold, one of them; empty where the code tells.
    pub(crate) tells: &'static [&'static str],
    /// Where it is, the likeliest first: from the folder of the file; from the repository's root
    /// behind `/`; from the folder beside the nearest one of a name behind `a|b^`. `{key}` is the
    /// first part of the key, which then is no key of the file; `{named}` a file of that ending
    /// which the code names; the rest is as in [`super::Modules`].
    pub(crate) paths: &'static [&'static str],
    /// A file among these that names the folder where the others are: its name, and what the line
    /// holds that names it in quotes, as a module of that folder.
    pub(crate) pointer: Option<(&'static str, &'static str)>,
}

/// What asks for a file.
pub(crate) enum Asks {
    /// A function without a caller in a file of a layer, by the end of its name or by a folder: the
    /// file says how the outside reaches it.
    Route {
        layers: &'static [&'static str],
        /// What a line of it then holds: `{function}`, `{class}`, either as `{handler}`; `{base}` is
        /// the file's name without its layer. A plain quotation mark stands for any.
        lines: &'static [&'static str],
    },
    /// A line of the slice that looks up a key, in one of these shapes: `{key}` is the key, `{KEY}`
    /// one in upper case. A plain quotation mark stands for any.
    Key {
        shapes: &'static [&'static str],
        /// Between the parts of a key.
        separator: char,
    },
}

/// Spring's and the platform's, for Java and Kotlin alike.
pub(super) const JVM: &[Convention] = &[
    Convention {
        asks: Asks::Key {
            shapes: &[
                "@Value('${{key}",
                "@Value('\\${{key}",
                "env.getProperty('{key}'",
                "environment.getProperty('{key}'",
            ],
            separator: '.',
        },
        tells: &[],
        paths: &[
            "java|kotlin^resources/application.properties",
            "java|kotlin^resources/application.yml",
            "java|kotlin^resources/application.yaml",
        ],
        pointer: None,
    },
    Convention {
        // Not of `System`, whose properties are in no file.
        asks: Asks::Key {
            shapes: &[
                "props.getProperty('{key}'",
                "prop.getProperty('{key}'",
                "properties.getProperty('{key}'",
                "PROPERTIES.getProperty('{key}'",
                "config.getProperty('{key}'",
            ],
            separator: '.',
        },
        tells: &[".properties\""],
        paths: &["java|kotlin^resources/{named}.properties", "{named}.properties"],
        pointer: None,
    },
];
