//! The command line as its users meet it: the real program, its output, code and files.

mod scene;

mod dump;
mod keys;
mod options;
mod quickstart;
mod reading;
mod refusals;
mod round_trip;
