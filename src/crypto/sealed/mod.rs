//! What only the edges may use: content keys, key slots, recipients and shares. The vault never
//! names this room.

pub mod content;
pub mod hpke;
pub mod keyset;
pub mod shares;
pub mod slot;
pub mod verifier;
