//! What the headers of a reply say: when to ask again, and the request's id.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

/// No endpoint may make us wait longer than this; quotas that last longer have their own answer.
const LONGEST: Duration = Duration::from_secs(3600);

const ID_LENGTH: usize = 200;

/// What the endpoint says of asking again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    /// How long to wait, from `retry-after-ms` or `retry-after`; at most an hour.
    pub(crate) after: Option<Duration>,
    /// `x-should-retry`.
    pub(crate) should_retry: Option<bool>,
}

pub(crate) fn hints(headers: &HeaderMap, now: DateTime<Utc>) -> Hints {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    let millis = text("retry-after-ms").and_then(number).map(|ms| ms / 1000.0);
    let seconds = || {
        let text = text("retry-after")?;
        number(text).or_else(|| {
            let at = DateTime::parse_from_rfc2822(text).ok()?;
            let wait = at.with_timezone(&Utc).signed_duration_since(now);
            Some((wait.num_milliseconds().max(0) as f64) / 1000.0)
        })
    };
    let after = millis
        .or_else(seconds)
        .map(|s| Duration::try_from_secs_f64(s).unwrap_or(LONGEST).min(LONGEST));
    let should_retry = match text("x-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    Hints { after, should_retry }
}

/// The endpoint's id for the request, printable and short.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-request-id").or_else(|| headers.get("apim-request-id"))?;
    printable(value.to_str().ok()?)
}

/// What is printable ASCII of a name that an endpoint gives, at most 200 characters.
pub(crate) fn printable(text: &str) -> Option<String> {
    let text: String = text.chars().filter(char::is_ascii_graphic).take(ID_LENGTH).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn after(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        hints(&headers, "2026-11-22T10:00:00Z".parse().unwrap()).after
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(after(&[("retry-after", "2")]), ms(2000));
        assert_eq!(after(&[("retry-after", "0.5")]), ms(500));
        assert_eq!(after(&[("retry-after-ms", "1500"), ("retry-after", "9")]), ms(1500));
        assert_eq!(after(&[("retry-after-ms", "soon"), ("retry-after", "9")]), ms(9000));
        assert_eq!(after(&[("retry-after", "Sun, 22 Nov 2026 10:00:07 GMT")]), ms(7000));
        assert_eq!(after(&[("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT")]), ms(0));
        assert_eq!(after(&[]), None);
    }

    #[test]
    fn nonsense_is_no_pause_and_no_pause_is_endless() {
        for bad in ["-1", "NaN", "inf", "soon", "", "99 Foo 2026"] {
            assert_eq!(after(&[("retry-after", bad)]), None, "{bad}");
        }
        for long in ["1e300", "86400", "Sun, 22 Nov 2099 10:00:00 GMT"] {
            assert_eq!(after(&[("retry-after", long)]), Some(LONGEST), "{long}");
        }
    }

    #[test]
    fn an_id_is_printable_and_short() {
        assert_eq!(printable("req\u{1b}[1m_\n1\u{202e}"), Some("req[1m_1".into()));
        assert_eq!(printable(&"x".repeat(999)).unwrap().len(), ID_LENGTH);
        assert_eq!(printable(" \n"), None);
    }
}
