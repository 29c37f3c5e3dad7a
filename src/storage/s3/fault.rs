//! What a server or the way to it answers instead of doing what was asked.

use std::error::Error;
use std::num::NonZeroU32;

use ureq::Timeout;
use ureq::http::HeaderMap;
use ureq::http::StatusCode;

use crate::storage::StorageErrorKind;
use crate::storage::s3::xml::Element;
use crate::storage::wire;
use crate::units::Timestamp;

/// Most letters of a server's own words that are passed on.
const WORDS_MAX: usize = 300;
/// How far two clocks may differ unmentioned.
const SKEW_MS_MAX: i64 = 60_000;

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: StorageErrorKind,
    /// By the words of S3; nothing if no server answered, or it gave none.
    pub(super) code: String,
    pub(super) detail: String,
    /// Where the bucket is instead.
    pub(super) region: Option<String>,
    /// Seconds that the server asks to be left alone (RFC 9110, section 10.2.3).
    pub(super) after_s: Option<NonZeroU32>,
}

impl Fault {
    pub(super) fn new(kind: StorageErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, code: String::new(), detail: detail.into(), region: None, after_s: None }
    }

    /// Whether the server says that the blob is not there, or does not say what is not.
    pub(super) fn is_missing(&self) -> bool {
        self.kind == StorageErrorKind::NotFound && self.code != NO_BUCKET
    }

    /// The same of a blob that is read: that it is missing is believed of a server that says what
    /// is missing. Something on the way that knows no blobs may answer 404 as well.
    pub(super) fn of_blob(self) -> Self {
        let is_bare = self.kind == StorageErrorKind::NotFound && self.code.is_empty();
        if !is_bare {
            return self;
        }
        let detail = "the server answered 404 without a word on what is missing";
        Self { kind: StorageErrorKind::Transient, detail: detail.to_owned(), ..self }
    }

    /// An answer that is no success.
    pub(super) fn answered(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Self {
        let said = Element::parse(body);
        let said = said.as_ref();
        let text = |name: &str| said.and_then(|said| said.text(name)).map(str::trim);
        let mut code = text("Code").unwrap_or_default().to_owned();
        if code.is_empty() && status == StatusCode::RANGE_NOT_SATISFIABLE {
            code = BEYOND_END.to_owned();
        }
        let region = text("Region").map(str::to_owned).or_else(|| {
            let header = headers.get("x-amz-bucket-region")?.to_str().ok()?;
            Some(header.to_owned())
        });
        let kind = kind_of(status, &code);
        let mut words = text("Message").filter(|words| !words.is_empty()).map(|words| {
            let short: String = words.chars().take(WORDS_MAX).collect();
            crate::path::escape(short.as_bytes())
        });
        if code == "SignatureDoesNotMatch" {
            // Some servers explain it by the whole request.
            words = None;
        }
        let mut detail = match meaning(&code) {
            Some(meaning) => format!("{meaning}: {code}"),
            None if code.is_empty() => format!("the server answered {}", status.as_u16()),
            None => format!("the server answered {} {}", status.as_u16(), escaped(&code)),
        };
        if let Some(words) = words.filter(|_| meaning(&code).is_none()) {
            detail = format!("{detail}: {words}");
        }
        if let Some(skew) = skew(headers, now).filter(|_| SKEWED.contains(&code.as_str())) {
            detail = format!("{detail}: {skew}");
        }
        if let Some(region) = region.as_deref().filter(|_| kind == StorageErrorKind::Other) {
            detail = format!("{detail}; the bucket is in the region `{}`", escaped(region));
        }
        let is_passing = kind == StorageErrorKind::Transient;
        let after_s = is_passing.then(|| after_s(headers, now)).flatten();
        if let Some(seconds) = after_s {
            detail = format!("{detail}; it asks to be left alone for {seconds} s");
        }
        Self { kind, code, detail, region, after_s }
    }

    /// A request that no server answered to its end.
    pub(super) fn unanswered(error: &ureq::Error) -> Self {
        use StorageErrorKind::Other;
        use StorageErrorKind::Transient;
        match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                Self::new(Transient, "no connection within the time for it")
            }
            ureq::Error::Timeout(_) => Self::new(Transient, "the connection stalled"),
            ureq::Error::HostNotFound => Self::new(Transient, "no such host"),
            ureq::Error::Io(error) => match (wire::lacks_handles(error), untrusted(error)) {
                (Some(detail), _) => Self::new(StorageErrorKind::Handles, detail),
                (None, Some(detail)) => Self::new(Other, detail),
                (None, None) => {
                    Self::new(Transient, format!("the connection failed: {}", chain(error)))
                }
            },
            ureq::Error::Rustls(error) => match untrusted(error) {
                Some(detail) => Self::new(Other, detail),
                None => Self::new(Transient, format!("the connection failed: {error}")),
            },
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Self::new(Other, "the endpoint and the names make no address")
            }
            error => Self::new(Transient, format!("the connection failed: {}", chain(error))),
        }
    }
}

/// The blob ends before.
pub(super) const BEYOND_END: &str = "InvalidRange";
/// There is no bucket: nothing may be concluded about a blob from that.
pub(super) const NO_BUCKET: &str = "NoSuchBucket";
/// The server judged a request too old or too new.
const SKEWED: [&str; 3] = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"];

fn kind_of(status: StatusCode, code: &str) -> StorageErrorKind {
    use StorageErrorKind as Kind;
    match code {
        "QuotaExceeded"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
        | "InsufficientCapacity"
        | "EntityQuotaExceeded" => return Kind::Full,
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "ServiceUnavailable"
        | "InternalError"
        | "OperationAborted"
        | "ConditionalRequestConflict"
        | "RequestTimeout"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequests" => {
            return Kind::Transient;
        }
        // What arrived is not what was sent.
        "BadDigest"
        | "XAmzContentSHA256Mismatch"
        | "XAmzContentChecksumMismatch"
        | "IncompleteBody" => return Kind::Transient,
        "EntityTooLarge" => return Kind::Length,
        "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" | NO_BUCKET => return Kind::NotFound,
        "PreconditionFailed" => return Kind::AlreadyExists,
        "ExpiredToken" | "InvalidToken" => return Kind::Denied,
        code if SKEWED.contains(&code) => return Kind::Other,
        _ => {}
    }
    match status.as_u16() {
        401 | 403 => Kind::Denied,
        404 => Kind::NotFound,
        412 => Kind::AlreadyExists,
        507 => Kind::Full,
        408 | 425 | 429 | 500 | 502..=504 | 520..=529 => Kind::Transient,
        _ => Kind::Other,
    }
}

/// The codes that an administrator meets while setting up, in plain words.
fn meaning(code: &str) -> Option<&'static str> {
    Some(match code {
        NO_BUCKET => "there is no such bucket",
        "NoSuchKey" => "no such blob",
        "AccessDenied" | "AllAccessDisabled" => "the keys have no right to do this",
        "InvalidAccessKeyId" => "the server does not know the access key",
        "SignatureDoesNotMatch" => "the secret key is wrong",
        "ExpiredToken" | "InvalidToken" => "the session of the keys has ended or is wrong",
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => {
            "the clock of this machine and that of the server differ too much"
        }
        "QuotaExceeded" | "XMinioAdminBucketQuotaExceeded" => "the quota is used up",
        "XMinioStorageFull" | "InsufficientCapacity" => "the server has no room left",
        "PreconditionFailed" => "the name is taken",
        "SlowDown" | "ServiceUnavailable" => "the server is busy",
        _ => return None,
    })
}

/// By how much the clocks differ, if the server told its time.
fn skew(headers: &HeaderMap, now: Timestamp) -> Option<String> {
    let ms = now.ms_since(time_of(headers, "date")?);
    let seconds = (ms / 1000).abs();
    (ms.abs() > SKEW_MS_MAX).then(|| match ms > 0 {
        true => format!("this machine's is {seconds} s ahead of the server's"),
        false => format!("this machine's is {seconds} s behind the server's"),
    })
}

/// Seconds, or a time by the server's own clock; rounded up.
fn after_s(headers: &HeaderMap, now: Timestamp) -> Option<NonZeroU32> {
    const HEADER: &str = "retry-after";
    let text = headers.get(HEADER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return NonZeroU32::new(u32::try_from(seconds).unwrap_or(u32::MAX));
    }
    let now = time_of(headers, "date").unwrap_or(now);
    let ms = u64::try_from(time_of(headers, HEADER)?.ms_since(now)).ok()?;
    NonZeroU32::new(u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX))
}

/// A time in a header, by the server's own clock.
pub(super) fn time_of(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_unix_ms(time.timestamp().as_millisecond()))
}

/// The reason of a connection that was refused because of the server's certificate.
fn untrusted(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.map(|inner| inner as &(dyn Error + 'static));
        for found in [Some(error), inner].into_iter().flatten() {
            let found = found.downcast_ref::<rustls::Error>();
            if let Some(rustls::Error::InvalidCertificate(why)) = found {
                return Some(format!(
                    "the server's certificate is not trusted ({why}); `ca_file` names the \
                     certificate of its authority"
                ));
            }
        }
        next = inner.or_else(|| error.source());
    }
    None
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = error.source();
    }
    escaped(&text)
}

fn escaped(text: &str) -> String {
    let short: String = text.chars().take(WORDS_MAX).collect();
    crate::path::escape(short.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(&'static str, &str)], body: &str) -> Fault {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let now = Timestamp::from_unix_ms(1_795_000_000_000);
        Fault::answered(StatusCode::from_u16(status).unwrap(), &map, body.as_bytes(), now)
    }

    fn coded(status: u16, code: &str) -> Fault {
        answered(status, &[], &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"))
    }

    #[test]
    fn codes_and_statuses_have_kinds() {
        use StorageErrorKind as Kind;
        let cases = [
            (404, "NoSuchKey", Kind::NotFound),
            (404, "NoSuchBucket", Kind::NotFound),
            (403, "AccessDenied", Kind::Denied),
            (403, "InvalidAccessKeyId", Kind::Denied),
            (403, "SignatureDoesNotMatch", Kind::Denied),
            (403, "RequestTimeTooSkewed", Kind::Other),
            (403, "QuotaExceeded", Kind::Full),
            (412, "PreconditionFailed", Kind::AlreadyExists),
            (409, "ConditionalRequestConflict", Kind::Transient),
            (400, "RequestTimeout", Kind::Transient),
            (400, "BadDigest", Kind::Transient),
            (400, "EntityTooLarge", Kind::Length),
            (503, "SlowDown", Kind::Transient),
            (429, "", Kind::Transient),
            (500, "", Kind::Transient),
            (501, "NotImplemented", Kind::Other),
            (507, "", Kind::Full),
            (301, "PermanentRedirect", Kind::Other),
        ];
        for (status, code, kind) in cases {
            assert_eq!(coded(status, code).kind, kind, "{status} {code}");
        }
        assert!(coded(404, "NoSuchKey").is_missing() && coded(404, "").is_missing());
        assert!(!coded(404, "NoSuchBucket").is_missing());
    }

    #[test]
    fn clocks_that_differ_are_told_apart_by_seconds() {
        let date = [("date", "Wed, 18 Nov 2026 10:26:40 GMT")];
        let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
        let now = answered(403, &date, body).detail;
        let seconds = 1_795_000_000 - 1_794_997_600;
        assert!(now.contains(&format!("{seconds} s ahead of the server's")), "{now}");
        assert!(!answered(403, &date, "").detail.contains("ahead"));
    }

    #[test]
    fn how_long_a_server_wants_to_be_left_alone() {
        let date = ("date", "Wed, 18 Nov 2026 10:26:40 GMT");
        let asked = |status: u16, after: &str| {
            let fault = answered(status, &[date, ("retry-after", after)], "");
            (fault.after_s.map(NonZeroU32::get), fault.detail)
        };
        let (seconds, detail) = asked(503, "120");
        assert_eq!(seconds, Some(120));
        assert!(detail.contains("left alone for 120 s"), "{detail}");
        assert_eq!(asked(429, "Wed, 18 Nov 2026 10:28:00 GMT").0, Some(80));
        assert_eq!(asked(503, "99999999999").0, Some(u32::MAX));
        // Nothing to wait for, none that is known, and an answer that stays as it is.
        let told = [(503, "0"), (503, "Wed, 18 Nov 2026 10:26:00 GMT"), (503, "soon"), (403, "9")];
        for (status, after) in told {
            assert_eq!(asked(status, after).0, None, "{status} {after}");
        }
    }

    #[test]
    fn a_signature_is_not_explained_by_the_request() {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><Message>hush</Message></Error>";
        assert_eq!(
            answered(403, &[], body).detail,
            "the secret key is wrong: SignatureDoesNotMatch"
        );
        let odd = answered(400, &[], "<Error><Code>Odd</Code><Message>a\u{7}b</Message></Error>");
        assert!(odd.detail.starts_with("the server answered 400 Odd: a"), "{odd:?}");
        assert!(!odd.detail.contains('\u{7}'));
        let moved = [("x-amz-bucket-region", "eu-1")];
        assert!(answered(301, &moved, "").detail.ends_with("in the region `eu-1`"));
    }
}
