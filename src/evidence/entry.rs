//! An entry of the ledger, `lifeboat/ledger-entry/1`: one line of canonical JSON.

use serde_json::Value;
use serde_json::json;

use crate::evidence::canonical;
use crate::evidence::canonical::CanonicalError;
use crate::format::ledger::LEDGER_SEQ_MAX;
use crate::ids::LedgerHash;
use crate::units::Timestamp;

/// The schema of an entry.
pub const ENTRY_SCHEMA: &str = "lifeboat/ledger-entry/1";
/// Most bytes of an entry.
pub const ENTRY_BYTES_MAX: usize = 1024;
/// Most bytes of a subject or an actor.
pub const NAME_BYTES_MAX: usize = 64;
/// `prev` of the first entry.
pub const NO_PREV: LedgerHash = LedgerHash::new([0; 32]);

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Plan,
    Programme,
    Pool,
    Draw,
    Order,
    Transition,
    Record,
    Closing,
    Signature,
    Refusal,
    Missed,
    Deferred,
    Restore,
    Action,
    Key,
    Custody,
    Retention,
}

impl Kind {
    /// Every kind, its name, and the schema of its document.
    pub const ALL: [(Self, &'static str, &'static str); 17] = [
        (Self::Plan, "plan", "lifeboat/continuity-plan/1"),
        (Self::Programme, "programme", "lifeboat/drill-programme/1"),
        (Self::Pool, "pool", "lifeboat/drill-pool/1"),
        (Self::Draw, "draw", "lifeboat/drill-draw/1"),
        (Self::Order, "order", "lifeboat/drill-order/1"),
        (Self::Transition, "transition", "lifeboat/drill-transition/1"),
        (Self::Record, "record", "lifeboat/drill-record/1"),
        (Self::Closing, "closing", "lifeboat/drill-closing/1"),
        (Self::Signature, "signature", "lifeboat/drill-signature/1"),
        (Self::Refusal, "refusal", "lifeboat/drill-signature/1"),
        (Self::Missed, "missed", "lifeboat/drill-missed/1"),
        (Self::Deferred, "deferred", "lifeboat/drill-deferred/1"),
        (Self::Restore, "restore", "lifeboat/drill-record/1"),
        (Self::Action, "action", "lifeboat/corrective-action/1"),
        (Self::Key, "key", "lifeboat/ledger-key/1"),
        (Self::Custody, "custody", "lifeboat/custody/1"),
        (Self::Retention, "retention", "lifeboat/retention/1"),
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The schema that a document of this kind names.
    #[must_use]
    pub fn schema(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

/// A point in time with the offset it is told in, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerTime {
    pub at: Timestamp,
    pub offset_minutes: i16,
}

/// Of Vietnam, whole year.
pub const OFFSET_MINUTES_DEFAULT: i16 = 7 * 60;

impl LedgerTime {
    /// RFC 3339, such as `2026-12-01T09:00:00.000+07:00`; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn text(self) -> Option<String> {
        let offset = self.offset()?;
        let at = jiff::Timestamp::from_millisecond(self.at.unix_ms).ok()?;
        let local = offset.to_datetime(at);
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let (hours, minutes) =
            (self.offset_minutes.unsigned_abs() / 60, self.offset_minutes.unsigned_abs() % 60);
        let is_plain = (1..=9999).contains(&local.year());
        is_plain.then(|| format!("{local:.3}{sign}{hours:02}:{minutes:02}"))
    }

    /// The inverse of [`Self::text`]; no other form is taken.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, offset) = text.split_at_checked(23)?;
        let (sign, offset) = offset.split_at_checked(1)?;
        let (hours, minutes) = offset.split_once(':')?;
        let minutes =
            hours.parse::<i16>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?);
        let offset_minutes = if sign == "-" { minutes?.checked_neg()? } else { minutes? };
        let local: jiff::civil::DateTime = local.parse().ok()?;
        let unread = Self { at: Timestamp::default(), offset_minutes };
        let at = unread.offset()?.to_timestamp(local).ok()?;
        let time = Self { at: Timestamp::from_unix_ms(at.as_millisecond()), offset_minutes };
        (time.text()? == text).then_some(time)
    }

    fn offset(self) -> Option<jiff::tz::Offset> {
        jiff::tz::Offset::from_seconds(i32::from(self.offset_minutes) * 60).ok()
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub seq: u64,
    pub time: LedgerTime,
    /// How far the clock was off, where somebody knew.
    pub ntp_offset_ms: Option<i64>,
    pub kind: Kind,
    /// A drill, a dataset, a key's holder: an id, never a person's name.
    pub subject: String,
    /// Whose key signed the entry.
    pub actor: String,
    /// SHA-256 of the document.
    pub document: LedgerHash,
    /// SHA-256 of the entry before.
    pub prev: LedgerHash,
}

/// Bytes that are no entry, or an entry that has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    #[error("schema `{found}`, expected `{ENTRY_SCHEMA}`")]
    Schema { found: String },
    #[error("field `{field}` is missing or not as it must be")]
    Field { field: &'static str },
    #[error("field `{found}` is unknown")]
    Unknown { found: String },
}

/// Whether a text may be a subject or an actor.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    first && text.len() <= NAME_BYTES_MAX && text.bytes().all(rest)
}

impl Entry {
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let time = self.time.text().ok_or(EntryError::Field { field: "time" })?;
        let mut value = json!({
            "schema": ENTRY_SCHEMA,
            "seq": self.seq,
            "time": time,
            "kind": self.kind.name(),
            "subject": self.subject,
            "actor": self.actor,
            "document": self.document.to_string(),
            "prev": self.prev.to_string(),
        });
        if let (Some(ms), Some(fields)) = (self.ntp_offset_ms, value.as_object_mut()) {
            fields.insert("ntp_offset_ms".to_owned(), ms.into());
        }
        Self::check(self)?;
        Ok(canonical::write(&value)?)
    }

    /// Takes what [`Self::encode`] gives and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let value = canonical::read(bytes, ENTRY_BYTES_MAX)?;
        let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
        if found != ENTRY_SCHEMA {
            return Err(EntryError::Schema { found: found.chars().take(80).collect() });
        }
        let fields = value.as_object().ok_or(CanonicalError::NotAnObject)?;
        if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            return Err(EntryError::Unknown { found: unknown.chars().take(80).collect() });
        }
        let text = |field: &'static str| {
            value.get(field).and_then(Value::as_str).ok_or(EntryError::Field { field })
        };
        let wrong = |field| EntryError::Field { field };
        let hash = |field| text(field)?.parse().map_err(|_| wrong(field));
        let entry = Self {
            seq: value.get("seq").and_then(Value::as_u64).ok_or(wrong("seq"))?,
            time: LedgerTime::parse(text("time")?).ok_or(wrong("time"))?,
            ntp_offset_ms: match value.get("ntp_offset_ms") {
                None => None,
                Some(ms) => Some(ms.as_i64().ok_or(wrong("ntp_offset_ms"))?),
            },
            kind: Kind::named(text("kind")?).ok_or(wrong("kind"))?,
            subject: text("subject")?.to_owned(),
            actor: text("actor")?.to_owned(),
            document: hash("document")?,
            prev: hash("prev")?,
        };
        entry.check()?;
        Ok(entry)
    }

    fn check(&self) -> Result<(), EntryError> {
        let wrong = |field| Err(EntryError::Field { field });
        if !(1..=LEDGER_SEQ_MAX).contains(&self.seq) {
            return wrong("seq");
        }
        if !is_name(&self.subject) {
            return wrong("subject");
        }
        if !is_name(&self.actor) {
            return wrong("actor");
        }
        Ok(())
    }
}

const FIELDS: [&str; 9] =
    ["schema", "seq", "time", "ntp_offset_ms", "kind", "subject", "actor", "document", "prev"];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::any;

    fn sample() -> Entry {
        Entry {
            seq: 7,
            time: LedgerTime {
                at: Timestamp::from_unix_ms(1_796_090_400_123),
                offset_minutes: OFFSET_MINUTES_DEFAULT,
            },
            ntp_offset_ms: Some(-12),
            kind: Kind::Record,
            subject: "D2-2026-12-01".to_owned(),
            actor: "runner".to_owned(),
            document: LedgerHash::new([1; 32]),
            prev: LedgerHash::new([2; 32]),
        }
    }

    #[test]
    fn an_entry_is_one_line_that_a_person_can_read() {
        let text = format!(
            "{{\"actor\":\"runner\",\"document\":\"{}\",\"kind\":\"record\",\"ntp_offset_ms\":-12,\
             \"prev\":\"{}\",\"schema\":\"lifeboat/ledger-entry/1\",\"seq\":7,\
             \"subject\":\"D2-2026-12-01\",\"time\":\"2026-12-01T09:00:00.123+07:00\"}}",
            "01".repeat(32),
            "02".repeat(32)
        );
        let bytes = sample().encode().unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
        assert_eq!(Entry::decode(&bytes), Ok(sample()));
    }

    #[test]
    fn other_entries_are_refused() {
        let text = String::from_utf8(sample().encode().unwrap()).unwrap();
        for (from, to) in [
            ("entry/1", "entry/2"),
            ("\"seq\":7", "\"seq\":0"),
            ("\"seq\":7", "\"seq\":-7"),
            ("\"seq\":7", "\"seq\":7,\"spare\":1"),
            ("\"seq\":7", "\"seq\":10000000000"),
            ("record", "recorded"),
            ("D2-2026-12-01", ""),
            ("D2-2026-12-01", "a b"),
            ("D2-2026-12-01", "Nguyễn"),
            ("+07:00", "+7:00"),
            ("+07:00", "-07:60"),
            ("+07:00", "Z"),
            (".123", ""),
            ("2026-12-01T", "2026-13-01T"),
            ("2026-12-01T", "2026-12-01 "),
            ("-12", "\"x\""),
            ("0101", "0A01"),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            assert!(Entry::decode(other.as_bytes()).is_err(), "{to}");
        }
        for seq in [0, LEDGER_SEQ_MAX + 1] {
            assert!(Entry { seq, ..sample() }.encode().is_err());
        }
    }

    #[test]
    fn offsets_of_zero_and_west_have_one_form() {
        for (offset_minutes, end) in [(0, "+00:00"), (-210, "-03:30"), (420, "+07:00")] {
            let time = LedgerTime { at: Timestamp::from_unix_ms(0), offset_minutes };
            let text = time.text().unwrap();
            assert!(text.ends_with(end), "{text}");
            assert_eq!(LedgerTime::parse(&text), Some(time));
        }
        assert_eq!(LedgerTime::parse("1970-01-01T00:00:00.000-00:00"), None);
        let far = LedgerTime { at: Timestamp::from_unix_ms(i64::MAX), offset_minutes: 0 };
        assert_eq!(far.text(), None);
    }

    proptest::proptest! {
        #[test]
        fn entries_are_read_as_written(
            seq in 1..=LEDGER_SEQ_MAX, unix_ms in -1_000_000_000_000_i64..4_000_000_000_000,
            offset_minutes in -720_i16..=840, kind in 0..Kind::ALL.len(),
            ntp_offset_ms in proptest::option::of(-10_000_i64..10_000),
            subject in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", document in any::<[u8; 32]>(),
        ) {
            let time = LedgerTime { at: Timestamp::from_unix_ms(unix_ms), offset_minutes };
            let entry = Entry {
                seq, time, ntp_offset_ms, kind: Kind::ALL[kind].0, subject,
                document: LedgerHash::new(document), ..sample()
            };
            let bytes = entry.encode().unwrap();
            proptest::prop_assert!(bytes.len() <= ENTRY_BYTES_MAX);
            proptest::prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
        }
    }
}
