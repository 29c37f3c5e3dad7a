//! When a job is due: against a slow oracle over zones and their transitions, against another
//! crate, and over years with sleep, power cuts and wrong clocks.

mod expressions;
mod museum;
mod oracle;
mod years;
mod zones;
