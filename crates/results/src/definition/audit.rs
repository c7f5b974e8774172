//! What the parts of a definition say about each other.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use tlog::VerifierKey;
use tlog::key::KeyKind;
use tlog::policy::PolicyError;

use super::{Definition, MAX_DEFINITION_BYTES, MAX_DEPTH};
use crate::lines::DocumentError;

/// Why a text is no definition.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DefinitionError {
    #[error("the definition has more than {MAX_DEFINITION_BYTES} bytes")]
    TooLarge,
    #[error("the definition is not UTF-8")]
    NotUtf8,
    #[error(transparent)]
    Line(#[from] DocumentError),
    #[error("the policy's {0}")]
    Policy(PolicyError),
    #[error("the policy names {0} logs; an election has one")]
    Logs(usize),
    #[error("key `{name}` is that of {first} and of {second}; each kind of statement has a key of its own")]
    SharedKey { name: String, first: String, second: String },
    #[error("key `{0}` is not of the kind that signs documents (Ed25519, type 1)")]
    KeyKind(String),
    #[error("key `{0}` of a validator is not of the kind that cosigns (Ed25519, type 4)")]
    ValidatorKeyKind(String),
    #[error("the threshold of {needs} cannot be reached by {has} authority keys")]
    Threshold { needs: usize, has: usize },
    #[error("an embargo needs two release keys, of two people; there are {0}")]
    ReleaseKeys(usize),
    #[error("{what} names unit `{unit}`, which is not defined")]
    UnknownUnit { what: String, unit: String },
    #[error("unit `{0}` lies more than {MAX_DEPTH} levels below the top, or below itself")]
    TooDeep(String),
    #[error("no centre may report unit `{0}`")]
    NoCentre(String),
    #[error("centre `{0}` has no key")]
    NoKey(String),
    #[error("merged unit `{0}` has no units below it")]
    EmptyMerge(String),
}

impl Definition {
    /// Checks what one line alone cannot show.
    pub(super) fn audit(&self) -> Result<(), DefinitionError> {
        self.audit_keys()?;
        self.audit_units()?;
        for (id, contest) in &self.contests {
            self.known(&format!("contest `{id}`"), &contest.unit)?;
            for unit in self.scopes.get(id).into_iter().flatten() {
                self.known(&format!("the scope of contest `{id}`"), unit)?;
            }
        }
        for (id, centre) in &self.centres {
            centre.units.iter().try_for_each(|unit| self.known(&format!("centre `{id}`"), unit))?;
            if centre.keys.is_empty() {
                return Err(DefinitionError::NoKey(id.to_string()));
            }
        }
        let reported: BTreeSet<_> = self.centres.values().flat_map(|centre| &centre.units).collect();
        for unit in self.reporting_units() {
            if !self.upwards(unit).any(|each| reported.contains(each)) {
                return Err(DefinitionError::NoCentre(unit.to_string()));
            }
        }
        Ok(())
    }

    fn known(&self, what: &str, unit: &crate::id::UnitId) -> Result<(), DefinitionError> {
        if self.units.contains_key(unit) {
            return Ok(());
        }
        Err(DefinitionError::UnknownUnit { what: what.to_owned(), unit: unit.to_string() })
    }

    fn audit_units(&self) -> Result<(), DefinitionError> {
        for (id, unit) in &self.units {
            if let Some(parent) = &unit.parent {
                self.known(&format!("unit `{id}`"), parent)?;
            }
            if self.upwards(id).count() > MAX_DEPTH {
                return Err(DefinitionError::TooDeep(id.to_string()));
            }
        }
        for unit in &self.merged {
            self.known("`merged`", unit)?;
            if !self.has_children(unit) {
                return Err(DefinitionError::EmptyMerge(unit.to_string()));
            }
        }
        Ok(())
    }

    /// Authority, release, log, witness, validator and centre keys are distinct: whoever holds one of them can say one kind of thing.
    fn audit_keys(&self) -> Result<(), DefinitionError> {
        let logs = self.policy.logs();
        if logs.len() != 1 {
            return Err(DefinitionError::Logs(logs.len()));
        }
        if self.authority_threshold == 0 || self.authority_threshold > self.authority.len() {
            let (needs, has) = (self.authority_threshold, self.authority.len());
            return Err(DefinitionError::Threshold { needs, has });
        }
        if self.embargo.is_some() && self.release.len() < 2 {
            return Err(DefinitionError::ReleaseKeys(self.release.len()));
        }
        for validator in self.validators.values() {
            if validator.key.kind() != KeyKind::CosignatureV1 {
                return Err(DefinitionError::ValidatorKeyKind(validator.key.name().to_owned()));
            }
        }
        let mut owners: BTreeMap<&[u8], String> = BTreeMap::new();
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        for (owner, key, signs) in self.all_keys() {
            if signs && key.kind() != KeyKind::Ed25519 {
                return Err(DefinitionError::KeyKind(key.name().to_owned()));
            }
            let shared = |first: String| DefinitionError::SharedKey {
                name: key.name().to_owned(),
                first,
                second: owner.clone(),
            };
            if let Some(first) = owners.insert(key.public_bytes(), owner.clone()) {
                return Err(shared(first));
            }
            // One name for two keys would let one be taken for the other in a list of signers.
            if let Some(first) = names.insert(key.name(), owner.clone()) {
                return Err(shared(first));
            }
        }
        Ok(())
    }

    /// Every key with its owner, and whether it signs documents.
    fn all_keys(&self) -> impl Iterator<Item = (String, &VerifierKey, bool)> {
        let authority = self.authority.iter().map(|key| ("the authority".to_owned(), key, true));
        let release = self.release.iter().map(|key| ("those who release".to_owned(), key, true));
        let log = self.policy.logs().iter().map(|log| ("the log".to_owned(), &log.key, true));
        let witnesses = self
            .policy
            .witnesses()
            .iter()
            .map(|party| (format!("witness `{}`", party.name), &party.key, false));
        let centres = self.centres.iter().flat_map(|(id, centre)| {
            centre.keys.iter().map(move |key| (format!("centre `{id}`"), key, true))
        });
        let validators = self.validators.iter().map(|(id, it)| (format!("validator `{id}`"), &it.key, false));
        authority.chain(release).chain(log).chain(witnesses).chain(validators).chain(centres)
    }
}
