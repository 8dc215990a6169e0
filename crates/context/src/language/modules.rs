//! What a language lets one tell of paths: where a module's file is, and who calls by convention.

/// How a module's name becomes a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A path from the file (`./paths`).
    Relative,
    /// Parts below a folder that holds the first of them (`a.b`), dots in front for folders above.
    Package,
    /// Parts that are folders, the last one a type (`a.b.C`, `A\B\C`); types of the same folder need
    /// no import.
    Namespace,
    /// A folder, whose files share their names (Go).
    Folder,
    /// No imports; a constant's name tells its path (Ruby).
    Constant,
    /// A path from the file or a folder of headers; any name may come from it.
    Include,
}

/// Modules and conventions, as data. Paths are from the folder of the finding's file;
/// `{stem}` is the file's name without its ending, `{base}` that without the word for its layer,
/// `{dir}` the name of the folder, `{ext}` the file's own ending. A template behind `a|b>` holds for files
/// of a folder of such a name, or of such a layer (`user.a.ts`).
pub(crate) struct Modules {
    pub(crate) rule: Rule,
    /// What follows a module's path, in the order tried.
    pub(crate) suffixes: &'static [&'static str],
    /// First parts of modules, and types, that no repository of its users holds.
    pub(crate) foreign: &'static [&'static str],
    /// Folders in which modules are looked for, from the root.
    pub(crate) roots: &'static [&'static str],
    /// Whether an import brings all types of a folder.
    pub(crate) wide_imports: bool,
    /// Files that often hold routes and callers.
    pub(crate) callers: &'static [&'static str],
    /// Files that often hold constants.
    pub(crate) constants: &'static [&'static str],
    /// Names of functions that a framework or the system calls.
    pub(crate) entries: &'static [&'static str],
}

impl Modules {
    /// A rule, and no convention.
    pub(super) const fn of(rule: Rule) -> Self {
        Self {
            rule,
            suffixes: &[],
            foreign: &[],
            roots: &[],
            wide_imports: false,
            callers: &[],
            constants: &[],
            entries: &[],
        }
    }
}
