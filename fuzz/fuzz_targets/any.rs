//! Every target is this file under another name; the bodies are those of the tests.
#![no_main]

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (targets::named(env!("CARGO_BIN_NAME")).body)(input);
});
