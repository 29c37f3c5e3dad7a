//! What becomes of a document: pages of paper, a page of the web.

pub mod paper;
pub mod web;
