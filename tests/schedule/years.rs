//! Whole years of a job, with sleep, power cuts and clocks that go wrong.

use std::time::Duration;

use lifeboat::schedule::local;
use lifeboat::schedule::plan::Due;
use lifeboat::schedule::plan::History;
use lifeboat::schedule::plan::Plan;
use lifeboat::schedule::plan::Timing;
use lifeboat::schedule::plan::next;
use lifeboat::schedule::plan::preview;
use lifeboat::schedule::plan::steady;
use lifeboat::units::Timestamp;
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn at(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_unix_ms(time.as_millisecond())
}

fn plan(cron: &str, zone: &str) -> Plan {
    Plan {
        cron: cron.parse().unwrap(),
        zone: local::zone(zone).unwrap(),
        delay: Duration::ZERO,
        catch_up: Duration::ZERO,
        window: None,
        deadline: None,
    }
}

fn later(time: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(time.unix_ms + ms)
}

#[test]
fn on_time_late_or_not_at_all() {
    let mut daily = plan("0 12 * * *", "Asia/Ho_Chi_Minh");
    daily.catch_up = Duration::from_secs(12 * 3600);
    daily.deadline = Some(Duration::from_secs(3600));
    let history = History::new(at("2026-11-20T00:00:00Z"));
    let noon = at("2026-11-20T05:00:00Z");
    assert_eq!(next(&daily, &history, history.since), Due::At { start: noon, slot: noon });
    let run = |timing, now| Due::Now { slot: noon, timing, stop_by: Some(later(now, HOUR)) };
    assert_eq!(next(&daily, &history, noon), run(Timing::OnTime, noon));
    let evening = later(noon, 11 * HOUR);
    assert_eq!(next(&daily, &history, evening), run(Timing::CatchUp, evening));
    let tomorrow = later(noon, DAY);
    let waits = Due::At { start: tomorrow, slot: tomorrow };
    assert_eq!(next(&daily, &history, later(noon, 13 * HOUR)), waits);
    assert_eq!(next(&daily, &history.and(noon), evening), waits);
    // A week asleep is one run.
    let week = later(noon, 7 * DAY + HOUR);
    let last = later(noon, 7 * DAY);
    let Due::Now { slot, timing: Timing::CatchUp, .. } = next(&daily, &history.and(noon), week)
    else {
        panic!("no catch-up")
    };
    assert_eq!(slot, last);
    let after = later(last, DAY);
    let due = next(&daily, &history.and(noon).and(last), week);
    assert_eq!(due, Due::At { start: after, slot: after });
}

#[test]
fn a_clock_that_goes_back_repeats_nothing_and_stops_nothing() {
    let mut hourly = plan("0 * * * *", "UTC");
    hourly.catch_up = Duration::from_secs(3600);
    let ten = at("2026-11-20T10:00:00Z");
    let history = History::new(at("2026-11-19T00:00:00Z")).and(ten);
    // Half an hour or half a day back: the next run is the one after ten o'clock.
    for back in [HOUR / 2, 12 * HOUR, 23 * HOUR] {
        let eleven = later(ten, HOUR);
        let due = next(&hourly, &history, later(ten, -back));
        assert_eq!(due, Due::At { start: eleven, slot: eleven }, "{back}");
    }
    // It was ten years ahead: the record of then holds nothing up.
    let ahead = history.and(later(ten, 3650 * DAY));
    let half = later(ten, HOUR / 2);
    let eleven = later(ten, HOUR);
    assert_eq!(next(&hourly, &ahead, half), Due::At { start: eleven, slot: eleven });
    assert!(matches!(next(&hourly, &ahead, eleven), Due::Now { slot, .. } if slot == eleven));
    let twelve = later(eleven, HOUR);
    let due = next(&hourly, &ahead.and(eleven), later(eleven, 1));
    assert_eq!(due, Due::At { start: twelve, slot: twelve });
    // An empty battery: 1970, where it runs by the clock, and back to today without a second run.
    let epoch = Timestamp::from_unix_ms(0);
    let lost = later(epoch, 10 * MINUTE);
    let one = later(epoch, HOUR);
    assert_eq!(next(&hourly, &history, lost), Due::At { start: one, slot: one });
    let back = history.and(one);
    assert_eq!(next(&hourly, &back, half), Due::At { start: eleven, slot: eleven });
}

#[test]
fn a_window_holds_back_and_gives_up() {
    let mut daily = plan("0 12 * * *", "Asia/Ho_Chi_Minh");
    daily.window = Some("20:00-06:00".parse().unwrap());
    let history = History::new(at("2026-11-20T00:00:00Z"));
    // Without catch-up a run at noon never starts at night.
    assert_eq!(next(&daily, &history, history.since), Due::Never);
    daily.catch_up = Duration::from_secs(12 * 3600);
    let noon = at("2026-11-20T05:00:00Z");
    let evening = at("2026-11-20T13:00:00Z");
    let waits = Due::At { start: evening, slot: noon };
    assert_eq!(next(&daily, &history, history.since), waits);
    assert_eq!(next(&daily, &history, noon), waits);
    assert!(matches!(next(&daily, &history, evening), Due::Now { slot, .. } if slot == noon));
    for text in ["", "20:00", "20:00-20:00", "25:00-06:00", "8:00-9:00", "a-b", "20:00-06:00-1"] {
        let window = text.parse::<lifeboat::schedule::window::Window>();
        assert!(window.is_err(), "{text}");
    }
}

#[test]
fn jitter_is_steady_and_spread() {
    let hour = Duration::from_secs(3600);
    let of = |job: &str, machine: u8| steady(hour, job, &[machine; 16]);
    assert_eq!(of("shared-files", 1), of("shared-files", 1));
    let all: Vec<Duration> = (0..200).map(|n| of("shared-files", n)).collect();
    assert!(all.iter().all(|delay| *delay < hour));
    for quarter in 0..4 {
        let part = (quarter * 900)..(quarter * 900 + 900);
        let count = all.iter().filter(|delay| part.contains(&delay.as_secs())).count();
        assert!((25..=75).contains(&count), "{count} of 200 in quarter {quarter}");
    }
    assert_ne!(of("a", 1), of("b", 1));
    assert_eq!(steady(Duration::ZERO, "a", &[1]), Duration::ZERO);
}

#[test]
fn a_preview_is_what_will_happen() {
    let mut twice = plan("0 12,22 * * *", "Asia/Ho_Chi_Minh");
    twice.delay = Duration::from_secs(300);
    let coming = preview(&twice, at("2026-11-26T00:00:00Z"), 3);
    let starts: Vec<String> = coming.iter().map(|run| run.start.to_rfc3339()).collect();
    let expected =
        ["2026-11-26T05:05:00.000Z", "2026-11-26T15:05:00.000Z", "2026-11-27T05:05:00.000Z"];
    assert_eq!(starts, expected);
}

/// What happens to a machine.
#[derive(Debug, Clone)]
enum Event {
    /// The daemon sleeps as it is told, wakes and does what is due; so many times.
    Work(u32),
    /// Asleep or off, in minutes.
    Off(i64),
    /// The clock jumps, in minutes, in no time.
    Jump(i64),
    /// The power goes in the middle of the next run.
    Cut,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..60_u32).prop_map(Event::Work),
        3 => (1..20_000_i64).prop_map(Event::Off),
        1 => (-700..700_i64).prop_map(Event::Jump),
        1 => Just(Event::Cut),
    ]
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let crons =
        ["30 * * * *", "0 12,22 * * *", "@daily", "30 2 * * *", "0 3 * * 0", "*/20 * * * *"];
    let zones = ["Asia/Ho_Chi_Minh", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"];
    let windows = [None, None, None, Some("20:00-06:00"), Some("01:00-04:00")];
    let hours = prop_oneof![Just(0), 1..30_u64];
    (0..crons.len(), 0..zones.len(), 0..windows.len(), hours, 0..3600_u64).prop_map(
        move |(cron, zone, window, hours, delay)| Plan {
            delay: Duration::from_secs(delay),
            catch_up: Duration::from_secs(hours * 3600),
            window: windows[window].map(|text| text.parse().unwrap()),
            ..plan(crons[cron], zones[zone])
        },
    )
}

struct Life {
    plan: Plan,
    history: History,
    now: Timestamp,
    runs: Vec<(Timestamp, Timestamp, Timing)>,
    cut: bool,
}

impl Life {
    /// Wakes once: runs what is due, then sleeps until the next.
    fn wake(&mut self) -> Result<(), TestCaseError> {
        // A run that is cut off comes again.
        let most = 2 + u32::from(self.cut);
        for round in 0.. {
            prop_assert!(round < most, "two runs at one moment: {:?}", self.runs);
            match next(&self.plan, &self.history, self.now) {
                Due::Now { slot, timing, .. } => self.run(slot, timing)?,
                Due::At { start, slot } => {
                    prop_assert!(start > self.now, "{start:?} is no time to wait for");
                    prop_assert!(slot <= start);
                    self.now = start;
                    return Ok(());
                }
                Due::Never => {
                    self.now = later(self.now, DAY);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn run(&mut self, slot: Timestamp, timing: Timing) -> Result<(), TestCaseError> {
        let planned = later(slot, i64::try_from(self.plan.delay.as_millis()).unwrap());
        let late = self.now.ms_since(planned);
        let late_max = i64::try_from(self.plan.catch_up.as_millis()).unwrap().max(MINUTE);
        prop_assert!((0..=late_max).contains(&late), "{late} ms late for {slot:?}");
        prop_assert_eq!(timing == Timing::CatchUp, late > MINUTE);
        let zone = &self.plan.zone;
        let at = |time: Timestamp| jiff::Timestamp::from_millisecond(time.unix_ms).unwrap();
        // It is a slot, and there is none later that has come.
        let reached = later(self.now, -i64::try_from(self.plan.delay.as_millis()).unwrap());
        prop_assert_eq!(local::latest(&self.plan.cron, zone, at(reached)), Some(at(slot)));
        if let Some(window) = &self.plan.window {
            prop_assert_eq!(window.from(zone, at(self.now)), Some(at(self.now)));
        }
        if std::mem::take(&mut self.cut) {
            // Nothing of it is on record; the machine is back ten minutes later.
            self.now = later(self.now, 10 * MINUTE);
            return Ok(());
        }
        self.runs.push((slot, self.now, timing));
        self.history = self.history.and(slot);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_year_with_sleep_power_cuts_and_jumps(
        plan in any_plan(),
        events in prop::collection::vec(any_event(), 1..60),
    ) {
        let now = at("2026-01-01T00:00:00Z");
        let mut life =
            Life { plan, history: History::new(now), now, runs: Vec::new(), cut: false };
        for event in &events {
            match event {
                Event::Work(times) => {
                    for _ in 0..*times {
                        life.wake()?;
                    }
                }
                Event::Off(minutes) => life.now = later(life.now, minutes * MINUTE),
                Event::Jump(minutes) => {
                    // Less than a day behind the last run: further back no record is believed.
                    let last = life.runs.iter().map(|(_, started, _)| *started).max();
                    let least = last.map_or(life.now, |last| later(last, -23 * HOUR));
                    life.now = later(life.now, minutes * MINUTE).max(least.min(life.now));
                }
                Event::Cut => life.cut = true,
            }
        }
        let slots: Vec<Timestamp> = life.runs.iter().map(|(slot, ..)| *slot).collect();
        // Each slot once at most, and never an earlier one after a later one.
        prop_assert!(slots.windows(2).all(|two| two[0] < two[1]), "{:?}", life.runs);
    }

    /// What was missed is made up by one run as soon as the machine is back, if it is not too old.
    #[test]
    fn what_was_missed_is_made_up_once(
        plan in any_plan(),
        off in 1..40_000_i64,
        start in 0..9_000_i64,
    ) {
        let begun = later(at("2026-01-01T00:00:00Z"), start * 53 * MINUTE);
        let mut life = Life {
            plan: Plan { window: None, ..plan },
            history: History::new(begun),
            now: begun,
            runs: Vec::new(),
            cut: false,
        };
        life.wake()?;
        life.wake()?;
        let known = life.runs.len();
        let asleep = later(life.now, -1);
        life.now = later(life.now, off * MINUTE);
        let back = life.now;
        life.wake()?;
        let delay = i64::try_from(life.plan.delay.as_millis()).unwrap();
        let ms = |time: jiff::Timestamp| Timestamp::from_unix_ms(time.as_millisecond());
        let reached = jiff::Timestamp::from_millisecond(back.unix_ms - delay).unwrap();
        let last = ms(local::latest(&life.plan.cron, &life.plan.zone, reached).unwrap());
        let late = back.ms_since(last) - delay;
        let late_max = i64::try_from(life.plan.catch_up.as_millis()).unwrap().max(MINUTE);
        let is_due = later(last, delay) > asleep && late <= late_max;
        let made = &life.runs[known..];
        prop_assert_eq!(made.len(), usize::from(is_due), "{:?} at {:?}", made, back);
        if is_due {
            prop_assert_eq!((made[0].0, made[0].1), (last, back));
        }
    }
}
