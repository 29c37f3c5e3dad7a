use super::*;

const REPOSITORY: RepositoryId = RepositoryId::new([1; 16]);
const TINY: Argon2Parameters = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };

fn passphrase(text: &str) -> SlotSecret {
    SlotSecret::Passphrase(SecretBytes::new(text.as_bytes().to_vec()))
}

#[test]
fn a_slot_opens_with_its_secret_only_and_a_wrong_one_is_told_apart() {
    let how = Stretch::Passphrase { argon2: TINY, salt: [3; 32] };
    let keyset = SecretBytes::new(b"keyset".to_vec());
    let sealed = wrap(&passphrase("right"), &how, (REPOSITORY, b"public"), &keyset).unwrap();
    let open = |secret: &SlotSecret, public: &[u8], sealed: &[u8]| {
        unwrap(secret, &how, (REPOSITORY, public), sealed)
    };
    assert_eq!(open(&passphrase("right"), b"public", &sealed), Ok(keyset));
    assert_eq!(open(&passphrase("wrong"), b"public", &sealed), Err(SlotError::WrongSecret));
    assert_eq!(open(&passphrase("right"), b"publid", &sealed), Err(SlotError::WrongSecret));
    let file = SlotSecret::KeyFile(SecretBytes::new(vec![1; 32]));
    assert_eq!(open(&file, b"public", &sealed), Err(SlotError::OtherKind));
    for cut in 0..sealed.len() {
        assert!(open(&passphrase("right"), b"public", &sealed[..cut]).is_err());
    }
    for bit in 0..sealed.len() * 8 {
        let mut bad = sealed.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&passphrase("right"), b"public", &bad).is_err(), "bit {bit}");
    }
}

/// `Tiếng Việt` composed, half composed (as some keyboards write it) and decomposed.
const FORMS: [&str; 3] = [
    "Ti\u{1ebf}ng Vi\u{1ec7}t",
    "Ti\u{ea}\u{301}ng Vi\u{1eb9}\u{302}t",
    "Tie\u{302}\u{301}ng\u{a0}Vie\u{323}\u{302}t",
];

#[test]
fn every_way_to_type_a_passphrase_opens_the_slot() {
    let how = Stretch::Passphrase { argon2: TINY, salt: [3; 32] };
    let keyset = SecretBytes::new(b"keyset".to_vec());
    for made in FORMS {
        let sealed = wrap(&passphrase(made), &how, (REPOSITORY, b""), &keyset).unwrap();
        for typed in FORMS {
            let opened = unwrap(&passphrase(typed), &how, (REPOSITORY, b""), &sealed);
            assert_eq!(opened, Ok(keyset.clone()), "{made} {typed}");
        }
        for other in ["Tieng Viet", "ti\u{1ebf}ng vi\u{1ec7}t", "Ti\u{1ebf}ng  Vi\u{1ec7}t"] {
            let refused = unwrap(&passphrase(other), &how, (REPOSITORY, b""), &sealed);
            assert_eq!(refused, Err(SlotError::WrongSecret));
        }
    }
}

#[test]
fn a_slot_that_was_made_from_the_bytes_as_typed_opens_with_them() {
    let how = Stretch::Passphrase { argon2: TINY, salt: [3; 32] };
    for typed in FORMS {
        let key = passphrase(typed).stretch(&how).unwrap();
        let sealed = blind::seal_box(&key, place(REPOSITORY, b""), b"keyset").unwrap();
        assert!(unwrap(&passphrase(typed), &how, (REPOSITORY, b""), &sealed).is_ok());
    }
}

#[test]
fn bytes_that_are_not_utf8_are_taken_as_they_are() {
    let raw = SecretBytes::new(b"e\xcc\x81\xff".to_vec());
    assert_eq!(prepared(&raw), None);
    assert_eq!(prepared(&SecretBytes::new(FORMS[0].as_bytes().to_vec())), None);
    let longest = "\u{1d160}".repeat(1000);
    assert!(prepared(&SecretBytes::new(longest.into_bytes())).unwrap().expose().len() <= 12_000);
}

#[test]
fn a_key_file_opens_its_slot_and_short_ones_are_refused() {
    let how = Stretch::KeyFile { salt: [3; 32] };
    let keyset = SecretBytes::new(b"keyset".to_vec());
    let file = |len| SlotSecret::KeyFile(SecretBytes::new(vec![1; len]));
    let sealed = wrap(&file(32), &how, (REPOSITORY, b""), &keyset).unwrap();
    assert_eq!(unwrap(&file(32), &how, (REPOSITORY, b""), &sealed), Ok(keyset.clone()));
    let other = unwrap(&file(33), &how, (REPOSITORY, b""), &sealed);
    assert_eq!(other, Err(SlotError::WrongSecret));
    for found_bytes in [0, 31, SECRET_BYTES_MAX + 1] {
        let refused = wrap(&file(found_bytes), &how, (REPOSITORY, b""), &keyset);
        assert_eq!(refused, Err(SlotError::SecretLength { found_bytes }));
    }
    assert_eq!(passphrase("").check(), Err(SlotError::EmptyPassphrase));
}

#[test]
fn absurd_parameters_are_refused_before_memory_is_taken() {
    let cases = [
        (u32::MAX, 1, 1),
        (MEMORY_KIB_MAX + 1, 1, 1),
        (8, PASSES_MAX + 1, 1),
        (8, 0, 1),
        (8, 1, 0),
        (7, 1, 1),
        (0, 3, 4),
        (MEMORY_KIB_MAX, 1, u32::MAX),
    ];
    for (memory_kib, passes, lanes) in cases {
        let absurd = Argon2Parameters { memory_kib, passes, lanes };
        let how = Stretch::Passphrase { argon2: absurd, salt: [0; 32] };
        let refused = unwrap(&passphrase("x"), &how, (REPOSITORY, b""), &[0; 200]);
        assert_eq!(refused, Err(SlotError::AbsurdParameters(absurd)));
    }
    Argon2Parameters::DEFAULT.check_new().unwrap();
}

/// RFC 9106, 5.3: Argon2id with secret and associated data, which slots do not use.
#[test]
fn rfc_9106_known_answer() {
    let params = argon2::ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let argon2 =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(crate::ids::parse_hex::<32>(expected).unwrap(), tag);
}

#[test]
fn known_answer() {
    assert!(known_answer_holds());
}
