//! What services may not share.

use results::definition::{Definition, DefinitionError};
use results::read::Draft;
use results::setup::Setup;
use results::validate::independence::check;

use crate::common::Keys;
use crate::support::text;

fn said(change: &dyn Fn(String) -> String) -> Vec<String> {
    let text = change(text(&Keys::of(0), false));
    let definition = Definition::parse(text.as_bytes()).expect("a definition");
    assert_eq!(definition.to_string(), text, "one spelling");
    check(&definition).into_iter().map(|it| format!("{}: {}", it.code, it.message)).collect()
}

#[test]
fn the_made_up_election_stands_on_feet_of_its_own() {
    assert!(said(&|text| text).is_empty());
}

/// The results site and its substitute on one supplier: Prague, October 2017.
#[test]
fn two_channels_on_one_supplier_are_one() {
    let found = said(&|text| text.replace("mirror newspaper two", "mirror newspaper one"));
    assert_eq!(
        found,
        [
            "one-supplier: each of the log, channel `main`, channel `second` stands on machines of `one`: they fail together"
        ]
    );
    let found = said(&|text| text.replace("mirror newspaper two", "mirror authority two"));
    assert_eq!(
        found,
        ["one-operator: each of channel `main`, channel `second` is run by `authority`: they fail together"]
    );
}

#[test]
fn a_validator_of_the_log_s_operator_checks_itself() {
    let found = said(&|text| text.replace("validator v1 parties", "validator v1 authority"));
    assert_eq!(
        found,
        ["own-validator: validator `v1` is run by `authority`, who also runs what it is to check"]
    );
    let found = said(&|text| text.replace("validator v1 parties three", "validator v1 university four"));
    assert_eq!(
        found,
        [
            "one-operator: each of validator `v1`, validator `v2` is run by `university`: they fail together",
            "one-supplier: each of validator `v1`, validator `v2` stands on machines of `four`: they fail together"
        ]
    );
}

#[test]
fn networks_and_names_count_too() {
    let found = said(&|text| {
        text.replace("log authority one\n", "log authority one\nnetwork as64500\n")
            .replace("https://results.example\n", "https://results.example\nnetwork as64500\ndns names\n")
            .replace("https://mirror.example\n", "https://mirror.example\nnetwork as64501\ndns names\n")
    });
    assert_eq!(
        found,
        [
            "one-dns: each of channel `main`, channel `second` has its name answered by `names`: they fail together"
        ]
    );
    let one = said(&|text| {
        text.lines()
            .filter(|line| !line.starts_with("validator v2"))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    assert_eq!(one, ["one-validator: one validator alone can be silent or lie unnoticed"]);
}

#[test]
fn a_validator_s_key_is_of_its_own_kind_and_nobody_else_s() {
    let keys = Keys::of(0);
    let with = |key: &str| {
        let text = text(&keys, false).replace(&keys.text("v1"), key);
        Definition::parse(text.as_bytes()).expect_err("no definition")
    };
    assert!(matches!(with(&keys.text("x")), DefinitionError::ValidatorKeyKind(_)));
    for shared in ["v2", "w1"] {
        assert!(matches!(with(&keys.text(shared)), DefinitionError::SharedKey { .. }), "{shared}");
    }
    for (from, to) in [
        ("phone +38615550101", "phone 0038615550101"),
        ("phone +38615550101", "phone +3861"),
        ("log authority one", "log authority"),
        ("validator v1 parties three", "validator v1 parties"),
        ("validator v1", "validator v3"),
    ] {
        let text = text(&keys, false);
        assert!(text.contains(from));
        let error = Definition::parse(text.replace(from, to).as_bytes()).expect_err("no definition");
        assert!(matches!(error, DefinitionError::Line(_)), "{from}: {error}");
    }
}

/// A setup as an authority writes it, and what it makes of validators, phones and where things stand.
#[test]
fn a_setup_names_validators_phones_and_where_things_stand() {
    let keys = Keys::of(0);
    let load = |file: &str| match file {
        "policy" => Ok(format!("log {}\nquorum none\n", keys.text("log")).into_bytes()),
        name => Ok(keys.text(name).into_bytes()),
    };
    let toml = r#"
election = "made-up-2026"
title = "Made up"
day = "2026-03-22"
zone = "UTC"
closes = "2026-03-22T19:00:00Z"
policy = "policy"
log = { operator = "authority", supplier = "one", network = "as64500" }

[authority]
threshold = 1
keys = ["a1"]

[[channel]]
id = "main"
kind = "official"
operator = "authority"
supplier = "one"
address = "https://results.example"
dns = "names"

[[validator]]
id = "v1"
operator = "parties"
supplier = "three"
network = "as64501"
key = "v1"

[[unit]]
id = "d1"
kind = "polling-station"

[[contest]]
id = "council"
unit = "d1"

[[centre]]
id = "c1"
units = ["d1"]
phones = ["+38615550101"]
keys = ["c1"]
"#;
    let definition = |toml: &str| Setup::parse(toml).expect("TOML").definition(&Draft::default(), &load);
    let text = definition(toml).expect("a definition").to_string();
    let keys_free: Vec<&str> = text
        .lines()
        .filter(|line| {
            ["log", "netw", "chan", "dns", "vali", "phon"].iter().any(|word| line.starts_with(word))
        })
        .map(|line| line.split('+').next().unwrap_or_default())
        .collect();
    insta::assert_snapshot!(keys_free.join("\n"), @"
    log authority one
    network as64500
    channel main official authority one https://results.example
    dns names
    validator v1 parties three v1.example
    network as64501
    phone
    ");
    for (from, to) in [
        ("id = \"v1\"", "id = \"v 1\""),
        ("as64501", "as 64501"),
        ("\"three\"", "\"\""),
        ("+38615550101", "15550101"),
        ("key = \"v1\"", "key = \"c2\""),
    ] {
        assert!(definition(&toml.replacen(from, to, 1)).is_err(), "{from} to {to}");
    }
}
