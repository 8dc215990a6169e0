//! Routes of an API: which one takes a request.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::request::{Outcome, Request};

/// A route of the forge whose state is a `W`, and what it needs.
pub(crate) struct Route<W: 'static, N: 'static> {
    pub(crate) method: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) needs: N,
    pub(crate) run: fn(&mut W, &Request) -> Outcome,
}

/// A route, and what its braces hold.
type Found<W, N> = (&'static Route<W, N>, BTreeMap<String, String>);

pub(crate) const fn route<W, N: Copy>(
    method: &'static str,
    pattern: &'static str,
    needs: N,
    run: fn(&mut W, &Request) -> Outcome,
) -> Route<W, N> {
    Route { method, pattern, needs, run }
}

/// The first of `routes` that takes the request, and what its braces hold.
pub(crate) fn find<W, N>(
    routes: &'static [Route<W, N>],
    method: &str,
    path: &str,
) -> Option<Found<W, N>> {
    let mut fitting = routes.iter().filter(|route| route.method == method);
    fitting.find_map(|route| Some((route, capture(route.pattern, path)?)))
}

/// Whether the path would clone a repository, or is below one of these patterns.
pub(crate) fn is_one_of(wholesale: &[&str], path: &str) -> bool {
    path.ends_with("/info/refs")
        || path.ends_with("/git-upload-pack")
        || wholesale.iter().any(|pattern| is_below(pattern, path))
}

/// What the braces of `pattern` hold, if it takes the path.
fn capture(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let decode = |t: &str| percent_decode_str(t).decode_utf8_lossy().into_owned();
    let mut have = path.strip_prefix('/')?.split('/');
    let mut out = BTreeMap::new();
    for want in pattern.strip_prefix('/')?.split('/') {
        let name = want.strip_prefix('{').and_then(|w| w.strip_suffix('}'));
        // A path takes all that is left, whether its slashes are encoded or not.
        if name == Some("path") {
            let all: Vec<&str> = have.by_ref().collect();
            out.insert("path".to_owned(), decode(&all.join("/")));
            return (!all.is_empty()).then_some(out);
        }
        let segment = have.next()?;
        match name {
            Some(name) if !segment.is_empty() => {
                out.insert(name.to_owned(), decode(segment));
            }
            None if want == segment => {}
            _ => return None,
        }
    }
    have.next().is_none().then_some(out)
}

/// Whether the path is the pattern's, or begins with it.
fn is_below(pattern: &str, path: &str) -> bool {
    let want: Vec<&str> = pattern.trim_matches('/').split('/').collect();
    let have: Vec<&str> = path.trim_matches('/').split('/').collect();
    have.len() >= want.len() && want.iter().zip(&have).all(|(w, h)| w.starts_with('{') || w == h)
}
