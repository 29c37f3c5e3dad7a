//! Every context string of key derivation and signing, in one place: no two uses share one.

/// Object keys from a domain secret.
pub const OBJECT_KEY: &str = "lifeboat 1 domain secret to object key secret";
/// Gear table of the chunker from a domain secret.
pub const GEAR_TABLE: &str = "lifeboat 1 domain secret to gear table";
/// Cuts of the entry tree from a domain secret.
pub const TREE_CUT: &str = "lifeboat 1 domain secret to tree cut key";
/// Local cache from a domain secret.
pub const LOCAL_CACHE: &str = "lifeboat 1 domain secret to local cache key";
/// Ids of sources from a domain secret.
pub const SOURCE_ID: &str = "lifeboat 1 domain secret to source id key";
/// One message's key and commitment from a long-lived key and a salt.
pub const BOX_KEY: &str = "lifeboat 1 long-lived key to box key";
pub const BOX_COMMITMENT: &str = "lifeboat 1 long-lived key to box commitment";
/// Salt of a deterministic box.
pub const BOX_SALT: &str = "lifeboat 1 long-lived key to deterministic salt";
/// Fingerprints of public keys.
pub const KEY_ID: &str = "lifeboat 1 public key to key id";
