#![cfg(test)]
#![expect(unreachable_pub, reason = "a test binary has no users; `pub` marks what a module offers")]
//! Every integration test of the crate, in one binary.

#[macro_use]
mod forward;

mod architecture;
mod canary;
mod catalogue;
#[cfg(target_os = "linux")]
mod clean_root;
mod cli;
mod config;
#[cfg(target_os = "linux")]
mod daemon;
mod damage;
#[cfg(unix)]
mod databases;
#[cfg(target_os = "linux")]
mod deploy;
#[cfg(unix)]
mod drill;
mod evidence;
mod formats;
mod fuzz;
mod harness;
mod house;
mod kill;
#[cfg(target_os = "linux")]
mod limits;
mod model;
mod notify;
mod pages;
mod power;
mod protocol;
mod races;
mod reader;
#[cfg(target_os = "linux")]
mod s3;
mod schedule;
#[cfg(target_os = "linux")]
mod sftp;
mod stack;
mod support;
mod tidy;
mod torture;
mod world;
