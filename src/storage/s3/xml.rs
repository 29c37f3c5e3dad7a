//! The few forms of XML that a server answers with, read as a small tree.

use std::str::FromStr;

use quick_xml::Reader;
use quick_xml::events::BytesRef;
use quick_xml::events::Event;

/// How deep an answer may be nested; a listing has four levels.
const DEPTH_MAX: usize = 16;

/// An element: its name without a namespace, its text, the elements in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    inner: Vec<Element>,
}

impl Element {
    /// The outermost element; nothing if the bytes are no such XML.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(bytes);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let closed = match reader.read_event().ok()? {
                Event::Start(start) if open.len() < DEPTH_MAX => {
                    open.push(Self::named(start.local_name().as_ref()));
                    continue;
                }
                Event::Empty(start) => Self::named(start.local_name().as_ref()),
                Event::End(_) => open.pop()?,
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text.xml10_content());
                    }
                    continue;
                }
                Event::CData(text) => {
                    open.last_mut()?.text.push_str(&text.xml10_content());
                    continue;
                }
                Event::GeneralRef(reference) => {
                    open.last_mut()?.text.push(letter(&reference)?);
                    continue;
                }
                Event::Start(_) | Event::Eof => return None,
                _ => continue,
            };
            match open.last_mut() {
                Some(outer) => outer.inner.push(closed),
                None => return Some(closed),
            }
        }
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text of the first element of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next().map(|element| element.text.as_str())
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.inner.iter().filter(move |element| element.name == name)
    }
}

fn letter(reference: &BytesRef<'_>) -> Option<char> {
    if let Some(letter) = reference.resolve_char_ref().ok()? {
        return Some(letter);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read() {
        let page = br#"<?xml version="1.0"?><L xmlns="http://s3/"><IsTruncated>true</IsTruncated>
            <Contents><Key>a&amp;b&#x41;</Key><Size>12</Size></Contents><Contents/></L>"#;
        let page = Element::parse(page).unwrap();
        assert_eq!((page.name(), page.is_true("IsTruncated")), ("L", true));
        let contents: Vec<&Element> = page.all("Contents").collect();
        assert_eq!(contents.len(), 2);
        assert_eq!(contents[0].text("Key"), Some("a&bA"));
        assert_eq!(contents[0].number::<u64>("Size"), Some(12));
        assert_eq!(contents[1].text("Key"), None);
    }

    #[test]
    fn what_is_no_xml_is_nothing() {
        let deep = "<a>".repeat(1000);
        for text in ["", "x", "<a>", "<a></b>", "<a>&x;</a>", "</a>", deep.as_str()] {
            assert_eq!(Element::parse(text.as_bytes()), None, "{text:.20}");
        }
    }
}
