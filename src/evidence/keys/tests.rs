use super::*;
use crate::secret::Secret32;
use crate::units::Timestamp;

const ORIGIN: &str = "lifeboat-ledger/test";

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&Secret32::new([n; 32]))
}

fn public(n: u8) -> VerifyingKey {
    key(n).verifying_key()
}

fn since() -> LedgerTime {
    LedgerTime { at: Timestamp::from_unix_ms(0), offset_minutes: 420 }
}

/// Founded by key 1, under root key 9.
fn founded() -> Keyring {
    let mut keys = Keyring::default();
    let event = KeyEvent::found(ORIGIN, &public(1), (&public(9), Some(&key(9))));
    keys.apply((ORIGIN, 1), OFFICE, &event).unwrap();
    keys
}

#[test]
fn the_office_founds_and_lets_others_in() {
    let mut keys = founded();
    assert!(keys.active(OFFICE).unwrap().may(Right::Write));
    assert!(keys.at(OFFICE, 1).is_none());
    let add = KeyEvent::add("cntt-1", &public(2), &[Right::Operator]);
    keys.apply((ORIGIN, 2), OFFICE, &add).unwrap();
    assert_eq!(keys.active("cntt-1").unwrap().key, public(2));
    assert!(keys.at("cntt-1", 2).is_none());
    assert!(keys.at("cntt-1", 3).is_some());
    // Nobody else lets anybody in; no holder has two keys, no key two holders.
    for (author, event, why) in [
        ("cntt-1", KeyEvent::add("x", &public(3), &[Right::Owner]), KeyRefused::NoRight),
        ("nobody", KeyEvent::add("x", &public(3), &[Right::Owner]), KeyRefused::NoRight),
        (OFFICE, KeyEvent::add("cntt-1", &public(3), &[Right::Owner]), KeyRefused::Holder),
        (OFFICE, KeyEvent::add("x", &public(2), &[Right::Owner]), KeyRefused::BadKey),
        (OFFICE, KeyEvent::add("x", &public(9), &[Right::Owner]), KeyRefused::BadKey),
        (OFFICE, KeyEvent::add("x", &public(3), &[]), KeyRefused::Holder),
        (OFFICE, KeyEvent::add("root", &public(3), &[Right::Owner]), KeyRefused::Holder),
        (OFFICE, KeyEvent::add("a b", &public(3), &[Right::Owner]), KeyRefused::Holder),
        (OFFICE, KeyEvent::found(ORIGIN, &public(3), (&public(8), None)), KeyRefused::Founding),
    ] {
        assert_eq!(keys.apply((ORIGIN, 3), author, &event), Err(why), "{event:?}");
    }
}

#[test]
fn a_founding_is_the_first_entry_and_root_has_signed_it_or_not() {
    let mut keys = Keyring::default();
    let add = KeyEvent::add("x", &public(3), &[Right::Owner]);
    assert_eq!(keys.apply((ORIGIN, 1), OFFICE, &add), Err(KeyRefused::Founding));
    let event = KeyEvent::found(ORIGIN, &public(1), (&public(9), Some(&key(9))));
    assert_eq!(keys.apply((ORIGIN, 2), OFFICE, &event), Err(KeyRefused::Founding));
    // Made for another repository: the root key's word is worth nothing here.
    assert_eq!(keys.apply(("other", 1), OFFICE, &event), Err(KeyRefused::Proof));
    let unproven = KeyEvent::found(ORIGIN, &public(1), (&public(9), None));
    keys.apply((ORIGIN, 1), OFFICE, &unproven).unwrap();
    assert_eq!(keys.proven_root(), None);
    let paper = |n| Anchor::parse(&fingerprint(&public(n)).to_string()).unwrap();
    assert!(keys.is_anchored(&paper(1)));
    assert!(!keys.is_anchored(&paper(9)));
    assert!(founded().is_anchored(&paper(9)));
    let code = Code::of(&fingerprint(&public(1))).to_string();
    assert!(keys.is_anchored(&Anchor::parse(&code.to_lowercase()).unwrap()));
    assert_eq!(Anchor::parse("12"), None);
}

#[test]
fn a_key_is_exchanged_under_the_old_and_the_new_one() {
    let mut keys = founded();
    let add = KeyEvent::add("cntt-1", &public(2), &[Right::Operator]);
    keys.apply((ORIGIN, 2), OFFICE, &add).unwrap();
    let rotate = KeyEvent::rotate(ORIGIN, "cntt-1", &public(2), &key(3));
    assert_eq!(keys.apply((ORIGIN, 3), OFFICE, &rotate), Err(KeyRefused::NoRight));
    let unproven = KeyEvent { proof: None, ..rotate.clone() };
    assert_eq!(keys.apply((ORIGIN, 3), "cntt-1", &unproven), Err(KeyRefused::Proof));
    let other = KeyEvent::rotate(ORIGIN, "cntt-1", &public(4), &key(3));
    assert_eq!(keys.apply((ORIGIN, 3), "cntt-1", &other), Err(KeyRefused::Holder));
    keys.apply((ORIGIN, 3), "cntt-1", &rotate).unwrap();
    // Entry 3 was signed by the old key, what follows by the new one.
    assert_eq!(keys.at("cntt-1", 3).unwrap().key, public(2));
    assert_eq!(keys.at("cntt-1", 4).unwrap().key, public(3));
    assert!(keys.active("cntt-1").unwrap().may(Right::Operator));
    let back = KeyEvent::rotate(ORIGIN, "cntt-1", &public(3), &key(2));
    assert_eq!(keys.apply((ORIGIN, 4), "cntt-1", &back), Err(KeyRefused::BadKey));
}

#[test]
fn a_lost_key_is_replaced_with_a_reason_and_the_time_is_flagged() {
    let mut keys = founded();
    let add = KeyEvent::add("cntt-1", &public(2), &[Right::Operator]);
    keys.apply((ORIGIN, 2), OFFICE, &add).unwrap();
    let replace = |reason| KeyEvent::replace("cntt-1", (&public(2), &public(3)), (reason, since()));
    let other = KeyEvent::replace("cntt-1", (&public(5), &public(3)), ("stolen", since()));
    assert_eq!(keys.apply((ORIGIN, 3), OFFICE, &other), Err(KeyRefused::Holder));
    assert_eq!(keys.apply((ORIGIN, 3), "cntt-1", &replace("x")), Err(KeyRefused::NoRight));
    assert_eq!(keys.apply((ORIGIN, 3), OFFICE, &replace(" ")), Err(KeyRefused::Fields));
    keys.apply((ORIGIN, 3), OFFICE, &replace("stolen")).unwrap();
    let old = keys.all().iter().find(|it| it.key == public(2)).unwrap();
    assert_eq!((old.until_seq, old.suspect_since), (Some(3), Some(since())));
    // The office's own key: by root alone.
    let own = KeyEvent::replace(OFFICE, (&public(1), &public(4)), ("lost", since()));
    assert_eq!(keys.apply((ORIGIN, 4), OFFICE, &own), Err(KeyRefused::NoRight));
    keys.apply((ORIGIN, 4), ROOT, &own).unwrap();
    assert_eq!(keys.active(OFFICE).unwrap().key, public(4));
}

#[test]
fn a_key_is_retired_by_its_holder_or_the_office() {
    let mut keys = founded();
    for (seq, holder, n) in [(2, "a", 2), (3, "b", 3)] {
        let add = KeyEvent::add(holder, &public(n), &[Right::Owner]);
        keys.apply((ORIGIN, seq), OFFICE, &add).unwrap();
    }
    let retire = |holder, n| KeyEvent::new(Action::Retire, holder, &public(n));
    assert_eq!(keys.apply((ORIGIN, 4), "b", &retire("a", 2)), Err(KeyRefused::NoRight));
    assert_eq!(keys.apply((ORIGIN, 4), "a", &retire("a", 3)), Err(KeyRefused::Holder));
    keys.apply((ORIGIN, 4), "a", &retire("a", 2)).unwrap();
    keys.apply((ORIGIN, 5), OFFICE, &retire("b", 3)).unwrap();
    assert!(keys.active("a").is_none() && keys.active("b").is_none());
    // Somebody has to be able to let others in.
    assert_eq!(keys.apply((ORIGIN, 6), OFFICE, &retire(OFFICE, 1)), Err(KeyRefused::Holder));
}
