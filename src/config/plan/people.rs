//! People, places, exceptions and contacts of a plan.

use std::collections::BTreeMap;

use crate::config::plan::Contact;
use crate::config::plan::Exception;
use crate::config::plan::Hold;
use crate::config::plan::Medium;
use crate::config::plan::Person;
use crate::config::plan::Place;
use crate::config::plan::Role;
use crate::config::plan::value;
use crate::config::read::Named;
use crate::config::read::Noun;
use crate::config::table::Flag;
use crate::config::table::Table;
use crate::schedule::work::Period;

const ROLES: [(&str, Role); 8] = [
    ("chair", Role::Chair),
    ("secretary", Role::Secretary),
    ("operator", Role::Operator),
    ("substitute", Role::Substitute),
    ("owner", Role::Owner),
    ("share_holder", Role::ShareHolder),
    ("witness", Role::Witness),
    ("auditor", Role::Auditor),
];
const MEDIA: [(&str, Medium); 4] = [
    ("disk", Medium::Disk),
    ("remote", Medium::Remote),
    ("removable", Medium::Removable),
    ("tape", Medium::Tape),
];
const REVIEW: Period = Period::Months(12);

impl Role {
    /// As it stands in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        ROLES.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| *word)
    }
}

pub(super) fn people(table: &mut Table<'_>) -> BTreeMap<String, Person> {
    let mut people = BTreeMap::new();
    for (id, mut table) in table.named_tables("people", Noun::Person) {
        let name = table.text("name");
        let name = table.needs("name", name);
        let title = table.text("title");
        let roles = roles(&mut table);
        let phones = table.texts("phones").unwrap_or_default();
        table.finish();
        people.extend(name.map(|name| (id, Person { name, title, roles, phones })));
    }
    people
}

fn roles(table: &mut Table<'_>) -> Vec<Role> {
    const KEY: &str = "roles";
    let words: Vec<(&'static str, &'static str)> = ROLES.iter().map(|it| (it.0, it.0)).collect();
    let found = table.choices(KEY, &words);
    let found = table.needs(KEY, found).unwrap_or_default();
    let roles = found.iter().filter_map(|word| ROLES.iter().find(|it| it.0 == *word));
    let roles: Vec<Role> = roles.map(|it| it.1).collect();
    for (at, role) in roles.iter().enumerate() {
        if roles.iter().take(at).any(|earlier| earlier == role) {
            table.wrong(KEY, format!("`{}` stands here twice", role.word()));
        }
    }
    roles
}

pub(super) fn places(table: &mut Table<'_>) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    for (id, mut table) in table.named_tables("storage", Noun::Own) {
        let named = Named {
            noun: Noun::ConfiguredStorage,
            name: id.clone(),
            key: table.key.clone(),
            at: table.at,
        };
        table.reader.named.borrow_mut().push(named);
        let medium = table.choice("medium", &MEDIA);
        let medium = table.needs("medium", medium);
        let domain = table.name("failure_domain");
        let domain = table.needs("failure_domain", domain);
        let append_only = table.flag("append_only", Flag::No);
        let offline = table.flag("offline", Flag::No);
        let rotate = value::period(&mut table, "rotate");
        table.finish();
        let hold = match (offline, append_only) {
            (Flag::Yes, _) => Hold::Offline,
            (Flag::No, Flag::Yes) => Hold::AppendOnly,
            (Flag::No, Flag::No) => Hold::Open,
        };
        let place = |(medium, failure_domain)| Place { medium, failure_domain, hold, rotate };
        places.extend(medium.zip(domain).map(|found| (id, place(found))));
    }
    places
}

pub(super) fn exceptions(table: &mut Table<'_>) -> BTreeMap<String, Exception> {
    let mut exceptions = BTreeMap::new();
    for (id, mut table) in table.named_tables("unprotected", Noun::Own) {
        let reason = table.text("reason");
        let reason = table.needs("reason", reason);
        let approved_by = table.named("approved_by", Noun::Person);
        let approved_on = value::date(&mut table, "approved_on");
        let review = value::period(&mut table, "review").unwrap_or(REVIEW);
        table.default("review", REVIEW.to_string());
        table.finish();
        let exception = |reason| Exception { reason, approved_by, approved_on, review };
        exceptions.extend(reason.map(|reason| (id, exception(reason))));
    }
    exceptions
}

pub(super) fn contacts(table: &mut Table<'_>) -> BTreeMap<String, Contact> {
    let mut contacts = BTreeMap::new();
    for (id, mut table) in table.named_tables("contacts", Noun::Own) {
        let name = table.text("name");
        let name = table.needs("name", name);
        let phone = table.text("phone");
        let verified_on = value::date(&mut table, "verified_on");
        table.finish();
        contacts.extend(name.map(|name| (id, Contact { name, phone, verified_on })));
    }
    contacts
}
