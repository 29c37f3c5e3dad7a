//! Records of keys, and shares.

use lifeboat::crypto::blind;
use lifeboat::crypto::blind::Place;
use lifeboat::crypto::sealed::hpke::Binding;
use lifeboat::crypto::sealed::shares;
use lifeboat::crypto::sealed::shares::Share;
use lifeboat::crypto::sealed::slot;
use lifeboat::crypto::sealed::slot::Argon2Parameters;
use lifeboat::crypto::sealed::slot::SlotSecret;
use lifeboat::crypto::sealed::slot::Stretch;
use lifeboat::crypto::sign::Purpose;
use lifeboat::format::config::ConfigRecord;
use lifeboat::format::config::Parameters;
use lifeboat::format::keyring::Envelope;
use lifeboat::format::keyring::KeyringRecord;
use lifeboat::format::keyring::KeyringSecrets;
use lifeboat::format::keyset::AgentKeysetRecord;
use lifeboat::format::keyset::DomainEntry;
use lifeboat::format::keyset::PinnedRecipient;
use lifeboat::format::keyset::RestoreKeysetRecord;
use lifeboat::format::keyset::StoreEntry;
use lifeboat::format::machine::CustodyRecord;
use lifeboat::format::machine::MachineRecord;
use lifeboat::format::machine::MachineState;
use lifeboat::format::recipients::AdminEntry;
use lifeboat::format::recipients::RecipientEntry;
use lifeboat::format::recipients::RecipientsRecord;
use lifeboat::format::recipients::Role;
use lifeboat::format::record;
use lifeboat::format::slot::SlotKind;
use lifeboat::format::slot::SlotPublic;
use lifeboat::format::slot::SlotRecord;
use lifeboat::secret::Secret32;
use lifeboat::secret::SecretBytes;

use super::Example;
use super::values;

fn config() -> Example {
    let config = ConfigRecord {
        repository: values::REPOSITORY,
        format_version: 1,
        suite: 1,
        created: values::TIME,
        root: *values::root().verifying_key().as_bytes(),
        parameters: Parameters::DEFAULT,
    };
    let made = values::signed(&config, Purpose::Config, &values::root());
    Example::same("config", made, move |bytes| {
        values::assert_signed(bytes, &config, (Purpose::Config, &values::root()));
    })
}

fn store() -> StoreEntry {
    StoreEntry { generation: 1, secret: values::store_key() }
}

fn domain() -> DomainEntry {
    DomainEntry { domain: values::DOMAIN, generation: 1, secret: values::domain_secret() }
}

fn restore_keyset() -> RestoreKeysetRecord {
    RestoreKeysetRecord {
        repository: values::REPOSITORY,
        restore_suite: 1,
        restore: values::restore().secret().clone(),
        recovery_suite: 1,
        recovery: Some(values::recovery().secret().clone()),
        domains: vec![domain()],
        store: vec![store()],
        admin: values::admin().seed(),
        root: Some(values::root().seed()),
        root_public: *values::root().verifying_key().as_bytes(),
        retired: None,
    }
}

fn slot_record(kind: SlotKind, secret: &SlotSecret, how: &Stretch) -> SlotRecord {
    let public = SlotPublic {
        repository: values::REPOSITORY,
        slot: values::SLOT,
        created: values::TIME,
        label: "office safe".to_owned(),
        kind,
    };
    let encoded = record::to_cbor(&public);
    let keyset = SecretBytes::new(record::encode(&restore_keyset()).to_vec());
    let sealed = slot::wrap(secret, how, (values::REPOSITORY, &encoded), &keyset).unwrap();
    SlotRecord { public, sealed }
}

fn slots() -> Vec<Example> {
    let argon2 = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };
    let salt = values::SALT;
    let passphrase = SlotSecret::Passphrase(SecretBytes::new(values::PASSPHRASE.to_vec()));
    let key_file = SlotSecret::KeyFile(SecretBytes::new(vec![0xa7; 32]));
    let by_passphrase = (
        SlotKind::Passphrase { memory_kib: 8, passes: 1, lanes: 1, salt },
        passphrase,
        Stretch::Passphrase { argon2, salt },
    );
    let by_file = (SlotKind::KeyFile { salt }, key_file, Stretch::KeyFile { salt });
    let of = |name, (kind, secret, how): (SlotKind, SlotSecret, Stretch)| {
        let made = slot_record(kind, &secret, &how);
        let encoded = record::encode(&made).to_vec();
        Example::random(name, encoded, move |bytes| {
            let found: SlotRecord = record::decode(bytes).unwrap();
            assert_eq!(found.public, made.public);
            let public = record::to_cbor(&found.public);
            let place = (values::REPOSITORY, public.as_slice());
            let opened = slot::unwrap(&secret, &how, place, &found.sealed).unwrap();
            let keyset: RestoreKeysetRecord = record::decode(opened.expose()).unwrap();
            assert_eq!(keyset, restore_keyset());
        })
    };
    vec![of("slot", by_passphrase), of("slot-key-file", by_file)]
}

fn keyring() -> Vec<Example> {
    let secrets = KeyringSecrets {
        store: vec![store()],
        domains: vec![domain()],
        restore_suite: 1,
        restore: values::restore().secret().clone(),
        admin: values::admin().seed(),
        root: Some(values::root().seed()),
        retired: None,
    };
    let message = record::encode(&secrets).to_vec();
    let binding = Binding::Keyring { repository: values::REPOSITORY, generation: 1 };
    let public = values::recovery().public();
    let sealed = public.seal(binding, &message).unwrap();
    let keyring = KeyringRecord {
        repository: values::REPOSITORY,
        generation: 1,
        created: values::TIME,
        envelopes: vec![Envelope { recipient: public.key_id(), sealed }],
        newest: None,
    };
    let made = values::signed(&keyring, Purpose::Keyring, &values::admin());
    let expected = message.clone();
    vec![
        Example::same("keyring-content", message, move |bytes| {
            assert_eq!(record::decode::<KeyringSecrets>(bytes).unwrap(), secrets);
        }),
        Example::random("keyring", made, move |bytes| {
            let (found, signed) = record::decode_signed::<KeyringRecord>(bytes).unwrap();
            let admin = values::admin().verifying_key();
            admin.verify(Purpose::Keyring, &signed.payload, &signed.signature).unwrap();
            let [envelope] = found.envelopes.as_slice() else { panic!("one envelope") };
            assert_eq!(envelope.recipient, values::recovery().public().key_id());
            let opened = values::recovery().open(binding, &envelope.sealed).unwrap();
            assert_eq!(opened.expose(), expected);
        }),
    ]
}

fn keysets() -> Vec<Example> {
    let agent = AgentKeysetRecord {
        repository: values::REPOSITORY,
        machine: values::MACHINE,
        domain: domain(),
        store: vec![store()],
        root_public: *values::root().verifying_key().as_bytes(),
        recipients_version: 1,
        recipients: vec![PinnedRecipient {
            suite: 1,
            public: values::restore().public().as_bytes().to_vec(),
        }],
        signing: values::machine().seed(),
        sources: None,
    };
    let restore = restore_keyset();
    vec![
        Example::same("restore-keyset", record::encode(&restore).to_vec(), move |bytes| {
            assert_eq!(record::decode::<RestoreKeysetRecord>(bytes).unwrap(), restore);
        }),
        Example::same("agent-keyset", record::encode(&agent).to_vec(), move |bytes| {
            assert_eq!(record::decode::<AgentKeysetRecord>(bytes).unwrap(), agent);
        }),
    ]
}

fn recipients() -> Example {
    let entry = |role, public: &[u8]| RecipientEntry { role, suite: 1, public: public.to_vec() };
    let list = RecipientsRecord {
        repository: values::REPOSITORY,
        version: 1,
        created: values::TIME,
        recipients: vec![
            entry(Role::Restore, values::restore().public().as_bytes()),
            entry(Role::Recovery, values::recovery().public().as_bytes()),
        ],
        admins: vec![AdminEntry {
            public: *values::admin().verifying_key().as_bytes(),
            name: "Ann".to_owned(),
        }],
    };
    let made = values::signed(&list, Purpose::Recipients, &values::root());
    Example::same("recipients", made, move |bytes| {
        values::assert_signed(bytes, &list, (Purpose::Recipients, &values::root()));
    })
}

fn machine() -> Example {
    let name = values::MACHINE;
    let place =
        Place { kind: "machine label", repository: values::REPOSITORY, name: name.as_bytes() };
    let record = MachineRecord {
        repository: values::REPOSITORY,
        machine: values::MACHINE,
        version: 1,
        created: values::TIME,
        state: MachineState::Active,
        signing: *values::machine().verifying_key().as_bytes(),
        domain: values::DOMAIN,
        label_generation: 1,
        label: blind::seal_box(&values::store_key(), place, b"desk").unwrap(),
        suspicion: None,
    };
    let made = values::signed(&record, Purpose::Machine, &values::admin());
    Example::random("machine", made, move |bytes| {
        let (found, signed) = record::decode_signed::<MachineRecord>(bytes).unwrap();
        let admin = values::admin().verifying_key();
        admin.verify(Purpose::Machine, &signed.payload, &signed.signature).unwrap();
        let label = blind::open_box(&values::store_key(), place_of(&name), &found.label).unwrap();
        assert_eq!(label, b"desk");
        let found = MachineRecord { label: Vec::new(), ..found };
        assert_eq!(found, MachineRecord { label: Vec::new(), ..record.clone() });
    })
}

const fn place_of(machine: &lifeboat::ids::MachineId) -> Place<'_> {
    Place {
        kind: "machine label",
        repository: values::REPOSITORY,
        name: machine.as_bytes().as_slice(),
    }
}

fn custody() -> Example {
    let record = CustodyRecord {
        repository: values::REPOSITORY,
        checked: values::TIME,
        recovery: values::recovery().public().key_id(),
        k: 2,
        n: 3,
        indices: vec![1, 3],
    };
    let made = values::signed(&record, Purpose::Custody, &values::admin());
    Example::same("custody", made, move |bytes| {
        values::assert_signed(bytes, &record, (Purpose::Custody, &values::admin()));
    })
}

/// Share 1 of a 2-of-3 set of the recovery key, of which every coefficient is 5; share 2 with it
/// gives the key back.
fn share() -> Example {
    let set_id = shares::set_id(&values::root().verifying_key(), &values::recovery().public());
    let of =
        move |index, byte| Share { k: 2, n: 3, index, set_id, value: Secret32::new([byte; 32]) };
    let one = of(1, 0xa4 ^ 5);
    Example::same("share", one.encode().expose().to_vec(), move |bytes| {
        let found = Share::decode(bytes).unwrap();
        assert_eq!(found, one);
        let joined = shares::join(&[found, of(2, 0xa4 ^ 10)]).unwrap();
        assert_eq!(joined, *values::recovery().secret());
    })
}

pub fn examples() -> Vec<Example> {
    let mut all = vec![config()];
    all.extend(slots());
    all.extend(keyring());
    all.extend(keysets());
    all.push(recipients());
    all.push(machine());
    all.push(custody());
    all.push(share());
    all
}
