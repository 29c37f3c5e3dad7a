//! Where data is restored.
//!
//! What it is: a folder as the root of a restore, reached by handles only.
//! Never: joins path strings; follows a link beneath the root; writes outside it; replaces a file
//! unless told to. Platform code stands in `unix` only.
//! Invariants: a final name holds whole, verified content or does not exist.
//! Start reading at: `unix`.
