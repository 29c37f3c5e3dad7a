//! What the writer of Word's XML leaves to be done.
//!
//! It writes properties in an order that the schema (ECMA-376, Part 1, Annex A) does not have and
//! an attribute that it does not know, it numbers paragraphs by a count of the whole process, it
//! gives all pictures one number, and it has no heads of tables that are repeated. Here its parts
//! become as the schema wants them.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

use crate::report::form::word::WordError;

/// Style of paragraphs in the first row of a table: such a row is repeated on every page.
pub(super) const HEADS: &str = "TableHead";

/// What the schema puts into an order, of what these documents have.
const ORDER: [(&str, &[&str]); 5] = [
    (
        "w:pPr",
        &[
            "w:pStyle",
            "w:keepNext",
            "w:keepLines",
            "w:pageBreakBefore",
            "w:widowControl",
            "w:pBdr",
            "w:tabs",
            "w:spacing",
            "w:ind",
            "w:jc",
            "w:outlineLvl",
            "w:rPr",
            "w:sectPr",
        ],
    ),
    ("w:rPr", &["w:rFonts", "w:b", "w:bCs", "w:i", "w:iCs", "w:sz", "w:szCs"]),
    (
        "w:sectPr",
        &[
            "w:headerReference",
            "w:footerReference",
            "w:pgSz",
            "w:pgMar",
            "w:pgNumType",
            "w:cols",
            "w:titlePg",
        ],
    ),
    ("w:tblPr", &["w:tblW", "w:jc", "w:tblInd", "w:tblBorders", "w:tblLayout", "w:tblCellMar"]),
    ("w:tcPr", &["w:tcW", "w:tcBorders", "w:vAlign"]),
];

/// Numbers of this process, not of the document.
const COUNTED: &str = "w14:paraId";

/// An element and what is in it, as it is written.
pub(super) struct Element {
    pub(super) name: String,
    /// Name and value of each, escaped.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) inner: Vec<Inner>,
}

pub(super) enum Inner {
    Element(Element),
    Text(String),
}

/// The part as the schema wants it.
///
/// # Errors
/// When it is no XML.
pub(super) fn mended(part: &[u8]) -> Result<Vec<u8>, WordError> {
    let mut root = parse(part)?;
    let mut pictures = 0;
    mend(&mut root, &mut pictures);
    let mut out = String::with_capacity(part.len());
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n");
    write(&root, &mut out);
    Ok(out.into_bytes())
}

pub(super) fn parse(part: &[u8]) -> Result<Element, WordError> {
    let broken = || WordError::Part { detail: "it does not end".to_owned() };
    let mut reader = Reader::from_reader(part);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.read_event();
        let event = event.map_err(|error| WordError::Part { detail: error.to_string() })?;
        let inner = match event {
            Event::Start(start) => {
                open.push(element(&start)?);
                continue;
            }
            Event::Empty(start) => Inner::Element(element(&start)?),
            Event::End(_) => Inner::Element(open.pop().ok_or_else(broken)?),
            Event::Text(text) => Inner::Text(text.to_string()),
            Event::GeneralRef(name) => Inner::Text(format!("&{};", &*name)),
            Event::Eof => return Err(broken()),
            _ => continue,
        };
        match (open.last_mut(), inner) {
            (Some(outer), inner) => outer.inner.push(inner),
            (None, Inner::Element(root)) => return Ok(root),
            (None, Inner::Text(_)) => {}
        }
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, WordError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| WordError::Part { detail: error.to_string() })?;
        let (name, value): (&str, &Cow<'_, str>) = (attribute.key.as_ref(), &attribute.value);
        if name != COUNTED {
            attributes.push((name.to_owned(), value.to_string()));
        }
    }
    Ok(Element { name: start.name().as_ref().to_owned(), attributes, inner: Vec::new() })
}

impl Element {
    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.inner.iter().filter_map(|inner| match inner {
            Inner::Element(element) => Some(element),
            Inner::Text(_) => None,
        })
    }

    pub(super) fn first(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its first paragraph is one of heads.
    fn is_of_heads(&self) -> bool {
        let cell = self.first("w:tc");
        let style = cell
            .and_then(|cell| cell.first("w:p"))
            .and_then(|paragraph| paragraph.first("w:pPr"))
            .and_then(|properties| properties.first("w:pStyle"));
        style.is_some_and(|style| style.attributes.iter().any(|(_, value)| value == HEADS))
    }
}

fn mend(element: &mut Element, pictures: &mut u32) {
    if element.name == "w:tr" && element.is_of_heads() {
        let repeated =
            Element { name: "w:tblHeader".to_owned(), attributes: Vec::new(), inner: Vec::new() };
        let properties = element.inner.iter_mut().find_map(|inner| match inner {
            Inner::Element(it) if it.name == "w:trPr" => Some(it),
            _ => None,
        });
        if let Some(properties) = properties {
            properties.inner.push(Inner::Element(repeated));
        }
    }
    if element.name == "w:gridCol" {
        // The schema knows no unit here.
        element.attributes.retain(|(name, _)| name == "w:w");
    }
    if element.name == "wp:docPr" {
        *pictures += 1;
        for (name, value) in &mut element.attributes {
            if name == "id" {
                *value = pictures.to_string();
            }
        }
    }
    if let Some((_, order)) = ORDER.iter().find(|(name, _)| *name == element.name) {
        let rank = |inner: &Inner| match inner {
            Inner::Element(it) => order.iter().position(|name| *name == it.name()),
            Inner::Text(_) => None,
        };
        element.inner.sort_by_key(|inner| rank(inner).unwrap_or(order.len()));
    }
    // Marks of paragraphs that nothing is said about.
    element.inner.retain(|inner| match inner {
        Inner::Element(it) => it.name != "w:rPr" || !it.inner.is_empty(),
        Inner::Text(_) => true,
    });
    for inner in &mut element.inner {
        if let Inner::Element(it) = inner {
            mend(it, pictures);
        }
    }
}

fn write(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push_str(&format!(" {name}=\"{value}\""));
    }
    if element.inner.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for inner in &element.inner {
        match inner {
            Inner::Element(it) => write(it, out),
            Inner::Text(text) => out.push_str(text),
        }
    }
    out.push_str(&format!("</{}>", element.name));
}
