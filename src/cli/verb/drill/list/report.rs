//! `drill report`: the documents of one drill.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::heard;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::local;
use crate::cli::verb::continuity::load;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::list;
use crate::config::drill::Report;
use crate::config::drill::ReportFormat;
use crate::config::drill::ReportLanguage;
use crate::evidence::tree::sha256;
use crate::path::escape;
use crate::report;
use crate::report::Input;
use crate::report::ReportError;
use crate::report::form::paper;
use crate::report::form::web;
use crate::report::form::word;
use crate::report::minutes;
use crate::report::model::Document;

/// Make the documents of one drill: its minutes in the form that Vietnamese offices use (Biên bản,
/// Mẫu 1.9), with annexes of checks, times and evidence.
///
/// They are made from the record; names of people come from the continuity plan by the ids that
/// the record has. What it does not know is left as dots to write on. Without
/// `--out` they are written beside the record, in the folder for local state. `--lang` is the
/// language of the documents too.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// First digits of its id, as `drill list` has it, or its code; without it the newest.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// What to make; `json` is the record itself.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "pdf")]
    pub format: Vec<Format>,
    /// A new file for the one format that is asked for.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Pdf,
    Docx,
    Html,
    Json,
}

impl Format {
    const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Json => "json",
        }
    }
}

#[derive(Serialize)]
struct Made<'a> {
    record_id: &'a str,
    language: &'a str,
    files: Vec<String>,
}

pub fn run(context: &Context, args: &ReportArgs) -> Result<Ended, Failure> {
    let record = list::found(context, args.id.as_deref())?;
    let drills = Drills::new(context)?;
    let source = Source::read(context, &drills, &record.record_id)?;
    // The configuration beside the plan may have said which.
    let language = documents_language(context.output.language());
    let files = match (&args.out, args.format.as_slice()) {
        (Some(path), [format]) => {
            keep_new(path, &source.made(*format, language)?)?;
            vec![path.clone()]
        }
        (Some(_), _) => {
            return Err(Failure::usage(texts::ONE_FORMAT, texts::NAME_FORMAT));
        }
        (None, formats) => source.keep(&drills, formats, &[language])?,
    };
    let files: Vec<String> = files.iter().map(|path| shown(path)).collect();
    let made = Made { record_id: &record.record_id, language: language.tag(), files };
    context.output.result("drill", &made, || {
        let lines = made.files.iter().map(|it| texts::DOCUMENT.with("path", it.as_str()));
        let lines: Vec<String> = lines.map(|it| it.told_in(context.output.language())).collect();
        lines.join("\n")
    })?;
    Ok(Ended::done())
}

/// What `[[drill]] report = …` asks for, beside the record; where it lies.
///
/// # Errors
/// When a document cannot be made or kept.
pub fn asked(
    context: &Context,
    drills: &Drills,
    (record_id, report): (&str, &Report),
) -> Result<Vec<PathBuf>, Failure> {
    let format = |it: &ReportFormat| match it {
        ReportFormat::Pdf => Format::Pdf,
        ReportFormat::Docx => Format::Docx,
        ReportFormat::Html => Format::Html,
        ReportFormat::Json => Format::Json,
    };
    let language = |it: &ReportLanguage| match it {
        ReportLanguage::Vi => report::Language::Vi,
        ReportLanguage::En => report::Language::En,
    };
    let formats: Vec<Format> = report.formats.iter().map(format).collect();
    let mut languages: Vec<report::Language> = report.languages.iter().map(language).collect();
    if languages.is_empty() {
        languages.push(report::Language::Vi);
    }
    Source::read(context, drills, record_id)?.keep(drills, &formats, &languages)
}

/// Everything there is, in one language: beside the record, or as new files in a folder.
///
/// # Errors
/// When a document cannot be made or kept.
pub fn all(
    context: &Context,
    drills: &Drills,
    record_id: &str,
    (language, folder): (Language, Option<&Path>),
) -> Result<Vec<PathBuf>, Failure> {
    const ALL: [Format; 4] = [Format::Pdf, Format::Docx, Format::Html, Format::Json];
    let source = Source::read(context, drills, record_id)?;
    let language = documents_language(language);
    let Some(folder) = folder else { return source.keep(drills, &ALL, &[language]) };
    let code = &source.record.drill.code;
    let id = record_id.get(..8).unwrap_or(record_id);
    let mut files = Vec::new();
    for format in ALL {
        let path = folder.join(format!("drill-{code}-{id}.{}", format.extension()));
        keep_new(&path, &source.made(format, language)?)?;
        files.push(path);
    }
    Ok(files)
}

const fn documents_language(language: Language) -> report::Language {
    match language {
        Language::Vi => report::Language::Vi,
        Language::En => report::Language::En,
    }
}

const fn told_language(language: report::Language) -> Language {
    match language {
        report::Language::Vi => Language::Vi,
        report::Language::En => Language::En,
    }
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// What a drill left.
struct Source {
    record: crate::drill::record::Record,
    bytes: Vec<u8>,
    closing: Option<crate::drill::record::Closing>,
    followed: Vec<crate::drill::follow::Followed>,
    /// Of the ledger when it was over.
    code: Option<String>,
    /// People of the plan by their ids.
    names: BTreeMap<String, String>,
}

impl Source {
    fn read(context: &Context, drills: &Drills, record_id: &str) -> Result<Self, Failure> {
        let (record, bytes) = drills.whole_record(record_id)?;
        let (closing, code) = (drills.closing(record_id)?, drills.code(record_id)?);
        let followed = drills.followed(record_id)?;
        let names = load::names(context);
        Ok(Self { record, bytes, closing, followed, code, names })
    }

    fn minutes(&self, language: report::Language) -> Result<Document, ReportError> {
        let input = Input {
            record: &self.record,
            closing: self.closing.as_ref(),
            followed: &self.followed,
            record_hash: &sha256(&self.bytes).to_string(),
            code: self.code.as_deref(),
            named: &|id| self.names.get(id).cloned(),
            told: &|text| heard::told_in(told_language(language), text),
        };
        minutes::compose(&input, language)
    }

    fn made(&self, format: Format, language: report::Language) -> Result<Vec<u8>, Failure> {
        let made = match format {
            Format::Json => return Ok(self.bytes.clone()),
            Format::Docx => self.minutes(language).and_then(|it| Ok(word::docx(&it)?)),
            Format::Html => self.minutes(language).map(|it| web::html(&it).into_bytes()),
            Format::Pdf => {
                let pdf = self.minutes(language).and_then(|it| Ok(paper::pdf(&it)?));
                pdf.map(|pdf| pdf.to_vec())
            }
        };
        made.map_err(|error: ReportError| {
            let message = texts::NO_DOCUMENT.with("detail", Said::heard(error));
            Failure::new(Exit::Failed, message, texts::USE_JSON)
        })
    }

    /// Beside the record; the record itself lies there already.
    fn keep(
        &self,
        drills: &Drills,
        formats: &[Format],
        languages: &[report::Language],
    ) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        for format in formats {
            if *format == Format::Json {
                files.push(drills.record_path(&self.record.record_id));
                continue;
            }
            for language in languages {
                let name = format!("minutes.{}.{}", language.tag(), format.extension());
                let made = self.made(*format, *language)?;
                files.push(drills.keep_document(&self.record.record_id, &name, &made)?);
            }
        }
        Ok(files)
    }
}

/// Writes a file that is not there yet; a failure leaves none.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn keep_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = texts::OUT.with("path", shown(path)).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::OTHER_OUT)
    };
    let mut file = local::private_file(path).map_err(failed)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _half_written = std::fs::remove_file(path);
        failed(error)
    })
}
