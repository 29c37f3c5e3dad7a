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
/// Key of a snapshot's notes from its snapshot key.
pub const NOTE_KEY: &str = "lifeboat 1 snapshot key to note key";
/// Slot key from a key file.
pub const SLOT_KEY_FILE: &str = "lifeboat 1 key file to slot key";
/// Signing key of a machine that the holder of an administrator's key enrols for himself.
pub const MACHINE_SIGNING: &str = "lifeboat 1 administrator key to own machine signing key";
/// Id of a set of recovery shares.
pub const SHARE_SET: &str = "lifeboat 1 root and recovery public keys to share set id";
/// What stands for a passphrase in volatile memory, from a machine's keyset.
pub const VERIFIER: &str = "lifeboat 1 machine keyset to passphrase verifier";
/// Prefixes of what is signed, and what an HPKE envelope is made for.
pub const SIGN_CONFIG: &str = "lifeboat 1 signature of the config";
pub const SIGN_RECIPIENTS: &str = "lifeboat 1 signature of a recipients list";
pub const SIGN_KEYRING: &str = "lifeboat 1 signature of a keyring";
pub const SIGN_MACHINE: &str = "lifeboat 1 signature of an enrolled machine";
pub const SIGN_CUSTODY: &str = "lifeboat 1 signature of a custody check";
pub const SIGN_MANIFEST: &str = "lifeboat 1 signature of a manifest";
pub const SIGN_TOMBSTONE: &str = "lifeboat 1 signature of a tombstone";
pub const SIGN_NOTE: &str = "lifeboat 1 signature of a note";
pub const SIGN_REPAIR: &str = "lifeboat 1 signature of a repair";
pub const HPKE_SNAPSHOT: &str = "lifeboat 1 envelope of a snapshot key";
pub const HPKE_KEYRING: &str = "lifeboat 1 envelope of a keyring";
pub const HPKE_LEDGER: &str = "lifeboat 1 envelope of a document of the ledger";
