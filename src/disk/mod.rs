//! The seam to local files.
