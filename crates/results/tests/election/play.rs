//! Honest nights that differ: returns, corrections, retractions, new keys, revocations, and numbers that are sealed first.

use std::collections::BTreeMap;

use oorandom::Rand64;
use results::CentreId;
use results::statement::Revocation;
use tlog::Hash;

use crate::common::{DUE, Keys, Night, centre_of};

/// What is done after every step: the night, and what a reader must find unrevealed in it.
pub(crate) type After<'a> = dyn FnMut(&mut Night, bool) + 'a;

/// Plays a night of about so many steps.
pub(crate) fn play(seed: u128, n_steps: u32, after: &mut After<'_>) -> Night {
    let mut random = Rand64::new(seed);
    let has_embargo = random.rand_range(0..5) == 0;
    let mut night = Night::adopted(Keys::of(seed as u64 % 4), has_embargo);
    after(&mut night, false);
    let mut signers = BTreeMap::from([("c1", "c1".to_owned()), ("c2", "c2".to_owned())]);
    if has_embargo {
        reveal(&mut night, &mut random, after);
    }
    for _ in 0..n_steps {
        step(&mut night, &mut random, &mut signers);
        after(&mut night, false);
    }
    night
}

fn votes(contest: &str, random: &mut Rand64) -> Vec<u64> {
    (0..if contest == "mayor" { 2 } else { 3 }).map(|_| random.rand_range(5..300)).collect()
}

fn place(random: &mut Rand64) -> (&'static str, &'static str) {
    match random.rand_range(0..3) {
        0 => ("mayor", DUE[random.rand_range(0..4) as usize]),
        _ => ("council", DUE[random.rand_range(0..6) as usize]),
    }
}

fn step(night: &mut Night, random: &mut Rand64, signers: &mut BTreeMap<&'static str, String>) {
    let (contest, unit) = place(random);
    let signer = signers[centre_of(unit)].clone();
    let next = night.next(contest, unit, &votes(contest, random));
    match random.rand_range(0..12) {
        0 if next.revision > 1 => {
            let retraction = night.retraction(contest, unit);
            let bytes = night.signed(&retraction, &[&signer]);
            night.admit(&bytes);
        }
        1 => replace_key(night, random, signers, centre_of(unit)),
        2 => {
            let mut change = night.change();
            change.eligible.insert(next.tally.unit, random.rand_range(100..1000));
            let bytes = night.signed(&change, &["a1", "a2", "a3"]);
            night.admit(&bytes);
        }
        _ => {
            let bytes = night.signed(&next, &[&signer]);
            // An honest operator refuses what would tell too much of the hamlets.
            if let Err(refusal) = night.try_admit(&bytes) {
                assert_eq!((refusal.code(), unit), ("small-change", "d1/small"), "{refusal}");
            }
        }
    }
}

/// Another key for a centre, and the end of its present one: what it signed stands, or its last entries are in question.
fn replace_key(
    night: &mut Night,
    random: &mut Rand64,
    signers: &mut BTreeMap<&'static str, String>,
    centre: &'static str,
) {
    let old = signers[centre].clone();
    let mut change = night.change();
    let new = format!("{centre}-{}", change.number);
    let key = night.keys.signer(&new).verifier().clone();
    change.centre_keys.insert(key.name().to_owned(), (CentreId::new(centre).expect("an id"), key));
    let distrust_from = night.board.size() - random.rand_range(0..3);
    change.revoked.insert(format!("{old}.example"), Revocation { distrust_from });
    let bytes = night.signed(&change, &["a2", "a3"]);
    night.admit(&bytes);
    signers.insert(centre, new);
}

/// What a centre keeps to itself until it opens a commitment.
struct Sealed {
    centre: &'static str,
    commitment: Hash,
    salt: [u8; 32],
    returns: Vec<Vec<u8>>,
}

/// Centres commit in three slots, two people release, centres open and log what they had sealed.
fn reveal(night: &mut Night, random: &mut Rand64, after: &mut After<'_>) {
    let mut units: Vec<&str> = DUE.to_vec();
    let mut sealed: Vec<Sealed> = Vec::new();
    for slot in 0..3 {
        for centre in ["c1", "c2"] {
            let mut returns = Vec::new();
            while random.rand_range(0..3) == 0 {
                let Some(at) = units.iter().position(|unit| centre_of(unit) == centre) else { break };
                let it = night.next("council", units.remove(at), &votes("council", random));
                returns.push(night.signed(&it, &[centre]));
            }
            let salt = tlog::hash::sha256(&random.rand_u64().to_be_bytes()).0;
            let leaves: Vec<Hash> = returns.iter().map(|it| Hash::leaf(it)).collect();
            let commitment = night.signed(&night.commitment(slot, &salt, &leaves), &[centre]);
            let leaf = night.admit(&commitment);
            after(night, false);
            sealed.push(Sealed { centre, commitment: leaf, salt, returns });
        }
    }
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    while !sealed.is_empty() {
        after(night, true);
        let at = random.rand_range(0..sealed.len() as u64) as usize;
        let Sealed { centre, commitment, salt, returns } = sealed.remove(at);
        let leaves: Vec<Hash> = returns.iter().map(|it| Hash::leaf(it)).collect();
        let opening = night.signed(&night.opening(commitment, salt, leaves), &[centre]);
        night.admit(&opening);
        for bytes in returns {
            after(night, true);
            night.admit(&bytes);
        }
    }
    after(night, false);
}
