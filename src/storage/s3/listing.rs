//! Listings: every page, or an error.

use ureq::http::Method;

use crate::storage::StorageErrorKind;
use crate::storage::s3::S3Storage;
use crate::storage::s3::client::Ask;
use crate::storage::s3::fault::Fault;

/// Most pages of a listing: a server that never ends one is not followed for ever.
pub(super) const PAGES_MAX: usize = 1_000_000;

/// Names after the prefix, with their lengths.
pub(super) struct Page {
    rows: Vec<(Vec<u8>, u64)>,
    next: Option<String>,
}

impl S3Storage {
    /// One page of keys below a folder, after the token of the page before.
    pub(super) fn list_page(
        &self,
        prefix: &str,
        token: &str,
        keys_max: u32,
    ) -> Result<Page, Fault> {
        let mut ask = Ask::new(Method::GET, None)
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("max-keys", keys_max.to_string())
            .query("prefix", self.client.place().key(prefix));
        if !token.is_empty() {
            ask = ask.query("continuation-token", token);
        }
        let page = self.client.ask(ask)?.xml("ListBucketResult")?;
        let is_escaped = page.text("EncodingType").is_some_and(|kind| kind == "url");
        let wrong = |detail: &str| Fault::new(StorageErrorKind::Other, detail);
        let mut rows = Vec::new();
        for row in page.all("Contents") {
            let (Some(key), Some(len_bytes)) = (row.text("Key"), row.number("Size")) else {
                return Err(wrong("a row of the listing has no name or no size"));
            };
            let key = if is_escaped { unescape(key) } else { key.as_bytes().to_vec() };
            let Some(rest) = key.strip_prefix(self.client.place().prefix().as_bytes()) else {
                return Err(wrong("the listing has names that were not asked for"));
            };
            rows.push((rest.to_vec(), len_bytes));
        }
        let next = page.text("NextContinuationToken").filter(|next| !next.is_empty());
        let next = match (page.text("IsTruncated"), next) {
            (Some("false"), None) => None,
            (Some("true"), Some(next)) if next != token => Some(next.to_owned()),
            (Some("true"), _) => {
                return Err(wrong("the listing has more, and the server not how to go on"));
            }
            _ => return Err(wrong("the server does not say whether the listing has more")),
        };
        Ok(Page { rows, next })
    }

    /// Every key below a folder, blobs or not.
    pub(super) fn list_rows(&self, prefix: &str) -> Result<Vec<(Vec<u8>, u64)>, Fault> {
        const KEYS_MAX: u32 = 1000;
        let (mut rows, mut token) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let page = self.list_page(prefix, &token, KEYS_MAX)?;
            // Keys come in order: one that comes again would come for ever.
            let last = rows.last().map(|(key, _): &(Vec<u8>, u64)| key);
            if page.rows.first().is_some_and(|(first, _)| last.is_some_and(|last| first <= last)) {
                return Err(Fault::new(StorageErrorKind::Other, "the listing goes backwards"));
            }
            rows.extend(page.rows);
            match page.next {
                Some(next) => token = next,
                None => return Ok(rows),
            }
        }
        Err(Fault::new(StorageErrorKind::Other, "the listing does not end"))
    }
}

/// Undoes `%2F`. What is not escaped well stays as it is, and is no blob's name.
fn unescape(text: &str) -> Vec<u8> {
    let mut found = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        let byte = match first {
            b'%' => byte,
            _ => None,
        };
        match byte {
            Some(byte) => {
                found.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                // In a form a space is a plus sign, and servers write either.
                found.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(unescape("a%2Fb%252F"), b"a/b%2F");
        assert_eq!(unescape("%"), b"%");
        assert_eq!(unescape("%2"), b"%2");
        assert_eq!(unescape("%+1%zz"), b"% 1%zz");
        assert_eq!(unescape("of+the%20office%2B"), b"of the office+");
    }
}
