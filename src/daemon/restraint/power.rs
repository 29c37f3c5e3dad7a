//! Whether the machine runs on its battery.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Where the kernel tells it.
pub const SUPPLIES: &str = "/sys/class/power_supply";
/// While jobs wait for power it is looked at so often; the kernel wakes nobody for it.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// One source of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// A plug with power in it.
    Plug,
    /// A battery of the machine that is being emptied.
    Draining,
    Other,
}

/// Whether a battery is being emptied and no plug has power. A machine that tells nothing of it has
/// none.
#[must_use]
pub fn is_on_battery(supplies: &Path) -> bool {
    let Ok(folders) = std::fs::read_dir(supplies) else { return false };
    let all: Vec<Supply> =
        folders.filter_map(Result::ok).map(|folder| look(folder.path())).collect();
    all.contains(&Supply::Draining) && !all.contains(&Supply::Plug)
}

fn look(folder: PathBuf) -> Supply {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let is = |name: &str, word: &str| read(name).trim() == word;
    match read("type").trim() {
        // That of a mouse or a headset says nothing of the machine.
        "Battery" if is("scope", "Device") => Supply::Other,
        "Battery" if is("status", "Discharging") => Supply::Draining,
        "Mains" | "USB" | "Wireless" if is("online", "1") => Supply::Plug,
        _ => Supply::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(at: &Path, name: &str, files: &[(&str, &str)]) {
        let folder = at.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            let mut file = options.open(folder.join(name)).unwrap();
            std::io::Write::write_all(&mut file, format!("{content}\n").as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_battery_that_is_emptied_without_a_plug() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        assert!(!is_on_battery(&at.join("none")) && !is_on_battery(at));
        supply(at, "mouse", &[("type", "Battery"), ("scope", "Device"), ("status", "Discharging")]);
        assert!(!is_on_battery(at));
        supply(at, "AC", &[("type", "Mains"), ("online", "0")]);
        supply(at, "BAT0", &[("type", "Battery"), ("status", "Full")]);
        assert!(!is_on_battery(at), "full, and nothing draws from it");
        supply(at, "BAT0", &[("status", "Discharging")]);
        assert!(is_on_battery(at));
        supply(at, "usb", &[("type", "USB"), ("online", "1")]);
        assert!(!is_on_battery(at), "a weak plug is one");
        supply(at, "usb", &[("online", "0")]);
        supply(at, "AC", &[("online", "1")]);
        assert!(!is_on_battery(at));
    }
}
