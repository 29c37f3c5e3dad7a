//! How much of the machine and its lines is taken.

use serde::Serialize;

use crate::config::table::Table;

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Limits {
    pub upload_bytes_per_s: Option<u64>,
    pub download_bytes_per_s: Option<u64>,
    pub on_battery: OnBattery,
}

/// What jobs do while the machine runs on its battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBattery {
    #[default]
    Run,
    /// None starts by itself until power is back.
    Wait,
}

/// What the processes of one job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct JobLimits {
    /// 0 to 19: the greater, the more it stands back.
    pub nice: Option<u32>,
    pub io: Option<Io>,
    pub memory_bytes: Option<u64>,
    /// Of one core.
    pub cpu_percent: Option<u32>,
}

impl JobLimits {
    /// Whether only a control group can hold them.
    #[must_use]
    pub const fn need_group(&self) -> bool {
        self.memory_bytes.is_some() || self.cpu_percent.is_some()
    }
}

/// How a job stands among others who want the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Io {
    /// Like all others, the last among them.
    Low,
    /// Only when nobody else wants it.
    Idle,
}

const ON_BATTERY: [(&str, OnBattery); 2] = [("run", OnBattery::Run), ("wait", OnBattery::Wait)];
const IO: [(&str, Io); 2] = [("low", Io::Low), ("idle", Io::Idle)];
const NICE_MAX: u32 = 19;
/// Of what is less nothing would come to its end.
const MEMORY_BYTES_MIN: u64 = 64 * 1024 * 1024;
const CPU_PERCENT_MAX: u32 = 100_000;

pub(in crate::config) fn read(mut table: Table<'_>) -> Limits {
    let upload_bytes_per_s = table.rate("upload");
    let download_bytes_per_s = table.rate("download");
    let on_battery = table.choice("on_battery", &ON_BATTERY).unwrap_or_default();
    table.default("on_battery", "run");
    table.finish();
    Limits { upload_bytes_per_s, download_bytes_per_s, on_battery }
}

pub(super) fn of_job(mut table: Table<'_>) -> JobLimits {
    let nice = table.count("nice", NICE_MAX);
    let io = table.choice("io", &IO);
    let memory_bytes = table.size("memory");
    if memory_bytes.is_some_and(|bytes| bytes < MEMORY_BYTES_MIN) {
        table.wrong("memory", "expected at least 64MiB: no job comes to its end with less");
    }
    let cpu_percent = table.parse("cpu", cpu);
    table.finish();
    JobLimits { nice, io, memory_bytes, cpu_percent }
}

/// `50%` is half a core, `200%` are two.
fn cpu(text: &str) -> Result<u32, &'static str> {
    let percent = text.strip_suffix('%').and_then(|digits| digits.trim_end().parse().ok());
    percent
        .filter(|percent| (1..=CPU_PERCENT_MAX).contains(percent))
        .ok_or("expected a share of one core, such as \"50%\", or \"200%\" for two")
}
