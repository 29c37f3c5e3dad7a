//! When a job is due: a pure calendar.
//!
//! What it is: cron expressions in a time zone, and from a plan, what has run and the time of day:
//! run now, or wait until then; working hours and days of an office.
//! Never: reads a clock, waits, starts anything; draws lots: jitter follows from names.
//! Invariants: a moment that a clock skips becomes the first one after it, one that a clock shows
//! twice is its first; any number of missed runs is caught up by one; a clock that goes back by a
//! day or less repeats nothing; one that goes further stops a job for no longer than its period.
//! Start reading at: [`plan::next`], then [`cron::Cron`] and [`work::WorkCalendar`].

pub mod cron;
pub mod local;
pub mod plan;
pub mod window;
pub mod work;
