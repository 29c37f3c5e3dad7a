//! The parts of a DOCX, and the archive of them.

use std::io::Cursor;
use std::io::Write;

use zip::CompressionMethod;
use zip::DateTime;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::report::Language;
use crate::report::form::word::WordError;
use crate::report::form::word::code::Picture;
use crate::report::form::word::mend::HEADS;
use crate::units::Timestamp;

/// Names of the parts that stand above and below pages, in `word/` and in the document.
pub(super) const NUMBERED: &str = "header1";
pub(super) const UNNUMBERED: &str = "header2";
pub(super) const BELOW: &str = "footer1";
pub(super) const BELOW_FIRST: &str = "footer2";
pub(super) const BELOW_ANNEX: &str = "footer3";

/// The face that Nghị định 30/2020/NĐ-CP asks for; readers have it, so it is not in the file.
pub(super) const FACE: &str = "Times New Roman";

const DECLARED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const WORDS: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006";
const KIND: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml";

/// What a document says of itself.
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) language: Language,
    pub(super) made: Timestamp,
    /// Of text, in half points.
    pub(super) size: usize,
}

/// What stands in it.
pub(super) struct Parts {
    pub(super) document: Vec<u8>,
    /// By their names.
    pub(super) edges: Vec<(&'static str, Vec<u8>)>,
    /// Of the body, and of the first page's lower edge.
    pub(super) pictures: Vec<Picture>,
    pub(super) corner: Option<Picture>,
}

/// The parts as an archive; the same parts give the same bytes.
///
/// # Errors
/// When they are too large for one.
pub(super) fn packed(parts: Parts, about: &About<'_>) -> Result<Vec<u8>, WordError> {
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("[Content_Types].xml".to_owned(), kinds(&parts).into_bytes()),
        ("_rels/.rels".to_owned(), roots().into_bytes()),
        ("docProps/core.xml".to_owned(), core(about).into_bytes()),
        ("docProps/app.xml".to_owned(), app().into_bytes()),
        ("word/_rels/document.xml.rels".to_owned(), links(&parts).into_bytes()),
        ("word/styles.xml".to_owned(), styles(about).into_bytes()),
        ("word/settings.xml".to_owned(), settings(about).into_bytes()),
        ("word/document.xml".to_owned(), parts.document),
    ];
    for (name, bytes) in parts.edges {
        files.push((format!("word/{name}.xml"), bytes));
    }
    if let Some(corner) = &parts.corner {
        let linked = related(&picture_links([corner]));
        files.push((format!("word/_rels/{BELOW_FIRST}.xml.rels"), linked.into_bytes()));
    }
    for picture in parts.pictures.into_iter().chain(parts.corner) {
        files.push((format!("word/{}", media(&picture)), picture.png));
    }
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        // The first day that archives know: a real one would be another each time.
        .last_modified_time(DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name, options)?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

const fn tag(language: Language) -> &'static str {
    match language {
        Language::Vi => "vi-VN",
        Language::En => "en-GB",
    }
}

/// A text between tags, of letters that XML has.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn media(picture: &Picture) -> String {
    format!("media/{}.png", picture.id)
}

fn kinds(parts: &Parts) -> String {
    let part =
        |name: &str, kind: &str| format!("<Override PartName=\"/{name}\" ContentType=\"{kind}\"/>");
    let mut kinds = vec![
        part("word/document.xml", &format!("{KIND}.document.main+xml")),
        part("word/styles.xml", &format!("{KIND}.styles+xml")),
        part("word/settings.xml", &format!("{KIND}.settings+xml")),
        part("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
        part(
            "docProps/app.xml",
            "application/vnd.openxmlformats-officedocument.extended-properties+xml",
        ),
    ];
    for (name, _) in &parts.edges {
        let kind = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        kinds.push(part(&format!("word/{name}.xml"), &format!("{KIND}.{kind}+xml")));
    }
    let relations = "application/vnd.openxmlformats-package.relationships+xml";
    format!(
        "{DECLARED}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
         ContentType=\"{relations}\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Default Extension=\"png\" ContentType=\"image/png\"/>{}</Types>",
        kinds.concat()
    )
}

fn link(id: &str, kind: &str, target: &str) -> String {
    format!("<Relationship Id=\"{id}\" Type=\"{kind}\" Target=\"{target}\"/>")
}

fn related(links: &str) -> String {
    format!("{DECLARED}<Relationships xmlns=\"{PACKAGE}/relationships\">{links}</Relationships>")
}

fn roots() -> String {
    let main =
        link("document", &format!("{OFFICE}/relationships/officeDocument"), "word/document.xml");
    let core = format!("{PACKAGE}/relationships/metadata/core-properties");
    let app =
        link("app", &format!("{OFFICE}/relationships/extended-properties"), "docProps/app.xml");
    related(&[main, link("core", &core, "docProps/core.xml"), app].concat())
}

fn links(parts: &Parts) -> String {
    let own = |name: &str| {
        let kind = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        link(name, &format!("{OFFICE}/relationships/{kind}"), &format!("{name}.xml"))
    };
    let mut links = vec![own("styles"), own("settings")];
    links.extend(parts.edges.iter().map(|(name, _)| own(name)));
    links.push(picture_links(&parts.pictures));
    related(&links.concat())
}

fn picture_links<'p>(pictures: impl IntoIterator<Item = &'p Picture>) -> String {
    let kind = format!("{OFFICE}/relationships/image");
    pictures.into_iter().map(|it| link(&it.id, &kind, &media(it))).collect()
}

fn core(about: &About<'_>) -> String {
    let (title, language) = (escaped(about.title), tag(about.language));
    let made = about.made.to_rfc3339();
    // Whole seconds: some readers know no parts of them.
    let made = made.split_once('.').map(|(seconds, _)| seconds);
    let time = |name: &str| match made {
        Some(made) => {
            format!("<dcterms:{name} xsi:type=\"dcterms:W3CDTF\">{made}Z</dcterms:{name}>")
        }
        None => String::new(),
    };
    let (created, modified) = (time("created"), time("modified"));
    format!(
        "{DECLARED}<cp:coreProperties xmlns:cp=\"{PACKAGE}/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>{title}</dc:title>\
         <dc:creator>Lifeboat</dc:creator><cp:lastModifiedBy>Lifeboat</cp:lastModifiedBy>\
         {created}{modified}<dc:language>{language}</dc:language></cp:coreProperties>"
    )
}

fn app() -> String {
    format!(
        "{DECLARED}<Properties xmlns=\"{OFFICE}/extended-properties\"><Application>Lifeboat\
         </Application></Properties>"
    )
}

fn styles(about: &About<'_>) -> String {
    let (language, size) = (tag(about.language), about.size);
    format!(
        "{DECLARED}<w:styles xmlns:w=\"{WORDS}\"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts \
         w:ascii=\"{FACE}\" w:hAnsi=\"{FACE}\" w:eastAsia=\"{FACE}\" w:cs=\"{FACE}\"/>\
         <w:sz w:val=\"{size}\"/><w:szCs w:val=\"{size}\"/><w:lang w:val=\"{language}\" \
         w:eastAsia=\"{language}\"/></w:rPr></w:rPrDefault><w:pPrDefault>\
         <w:pPr><w:spacing w:before=\"0\" w:after=\"0\" w:line=\"240\" w:lineRule=\"auto\"/>\
         </w:pPr></w:pPrDefault></w:docDefaults><w:style w:type=\"paragraph\" w:default=\"1\" \
         w:styleId=\"Normal\"><w:name w:val=\"Normal\"/><w:qFormat/></w:style><w:style \
         w:type=\"table\" w:default=\"1\" w:styleId=\"TableNormal\"><w:name \
         w:val=\"Normal Table\"/><w:uiPriority w:val=\"99\"/><w:semiHidden/><w:unhideWhenUsed/>\
         <w:tblPr><w:tblInd w:w=\"0\" w:type=\"dxa\"/></w:tblPr></w:style><w:style \
         w:type=\"paragraph\" w:customStyle=\"1\" w:styleId=\"{HEADS}\"><w:name \
         w:val=\"Table Head\"/><w:basedOn w:val=\"Normal\"/><w:qFormat/><w:pPr><w:keepNext/>\
         <w:jc w:val=\"center\"/></w:pPr><w:rPr><w:b/><w:bCs/></w:rPr></w:style></w:styles>"
    )
}

fn settings(about: &About<'_>) -> String {
    let language = tag(about.language);
    // Lines that are broken in a justified paragraph are not spread; the mode is that of Word 2013
    // and later.
    format!(
        "{DECLARED}<w:settings xmlns:w=\"{WORDS}\"><w:zoom w:percent=\"100\"/><w:defaultTabStop \
         w:val=\"720\"/><w:characterSpacingControl w:val=\"doNotCompress\"/><w:compat>\
         <w:doNotExpandShiftReturn/><w:compatSetting w:name=\"compatibilityMode\" \
         w:uri=\"http://schemas.microsoft.com/office/word\" w:val=\"15\"/></w:compat>\
         <w:themeFontLang w:val=\"{language}\"/></w:settings>"
    )
}
