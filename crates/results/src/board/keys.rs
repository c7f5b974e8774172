//! Which keys are believed, for what, and from where to where in the log.

use std::collections::BTreeMap;

use tlog::note::Signature;
use tlog::{Note, VerifierKey};

use super::{Admission, Refusal};
use crate::definition::Definition;
use crate::id::CentreId;

/// What a key may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the election is.
    Authority,
    /// That numbers may be public.
    Release,
    /// What a centre has counted.
    Centre(CentreId),
}

impl Role {
    /// Who has such a key, for messages.
    pub fn name(&self) -> String {
        match self {
            Self::Authority => "the authority".to_owned(),
            Self::Release => "those who release".to_owned(),
            Self::Centre(centre) => format!("centre `{centre}`"),
        }
    }
}

/// A key and its life.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// What it may sign.
    pub role: Role,
    /// The key.
    pub key: VerifierKey,
    /// The entry that added it; 0 for those of the definition.
    pub since: u64,
    /// The entry that revoked it.
    pub revoked: Option<u64>,
}

/// All keys of documents, by name. The log's key and those of witnesses stand in the policy, those of
/// validators beside it; they sign no documents of the log.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_name: BTreeMap<String, KeyState>,
    reserved: Vec<VerifierKey>,
}

impl Keys {
    /// Those of a definition, whose audit has seen to it that no two share a name.
    pub(super) fn of(definition: &Definition) -> Self {
        let mut keys = Self::default();
        for key in &definition.authority {
            keys.add(Role::Authority, key.clone(), 0);
        }
        for key in &definition.release {
            keys.add(Role::Release, key.clone(), 0);
        }
        for (id, centre) in &definition.centres {
            for key in &centre.keys {
                keys.add(Role::Centre(id.clone()), key.clone(), 0);
            }
        }
        let parties = definition.policy.logs().iter().chain(definition.policy.witnesses());
        let validators = definition.validators.values().map(|validator| &validator.key);
        keys.reserved = parties.map(|party| &party.key).chain(validators).cloned().collect();
        keys
    }

    pub(super) fn add(&mut self, role: Role, key: VerifierKey, since: u64) {
        self.by_name.insert(key.name().to_owned(), KeyState { role, key, since, revoked: None });
    }

    pub(super) fn revoke(&mut self, name: &str, index: u64) {
        if let Some(state) = self.by_name.get_mut(name) {
            state.revoked.get_or_insert(index);
        }
    }

    /// Whether a key has that name.
    pub fn is_known(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Whether neither its name nor its bytes were ever a key of this election.
    pub(super) fn is_new(&self, key: &VerifierKey) -> bool {
        let all = self.by_name.values().map(|state| &state.key).chain(&self.reserved);
        key.kind() == tlog::key::KeyKind::Ed25519
            && all
                .into_iter()
                .all(|known| known.name() != key.name() && known.public_bytes() != key.public_bytes())
    }

    /// All keys, by name.
    pub fn iter(&self) -> impl Iterator<Item = &KeyState> {
        self.by_name.values()
    }

    /// Whether every signature of a note is of a known key, and holds.
    pub(super) fn are_of(&self, note: &Note) -> bool {
        let holds = |signature: &Signature| {
            let known = self.by_name.get(&signature.name).filter(|state| signature.is_of(&state.key));
            known.is_some_and(|state| note.verify(std::slice::from_ref(&state.key)).is_ok())
        };
        !note.signatures().is_empty() && note.signatures().iter().all(holds)
    }

    /// The believed key of a signature line.
    pub(super) fn find(&self, signature: &Signature) -> Result<&KeyState, Refusal> {
        let found = self.by_name.get(&signature.name).filter(|state| signature.is_of(&state.key));
        let Some(state) = found else { return Err(Refusal::UnknownKey(signature.name.clone())) };
        match state.revoked {
            Some(at) => Err(Refusal::Revoked { key: signature.name.clone(), at }),
            None => Ok(state),
        }
    }

    /// The keys of all signature lines, ascending by name, if each may sign this.
    pub(super) fn signers(
        &self,
        note: &Note,
        may: impl Fn(&Role) -> bool,
    ) -> Result<Vec<VerifierKey>, Refusal> {
        let mut signers: Vec<VerifierKey> = Vec::new();
        for signature in note.signatures() {
            let state = self.find(signature)?;
            if !may(&state.role) {
                return Err(Refusal::WrongRole { key: signature.name.clone(), role: state.role.name() });
            }
            if signers.last().is_some_and(|last| last.name() >= state.key.name()) {
                return Err(Refusal::Signatures(note.signatures().len()));
            }
            signers.push(state.key.clone());
        }
        Ok(signers)
    }
}

/// Whether so many have signed.
pub(super) fn enough(signers: Vec<VerifierKey>, needs: usize) -> Result<Admission, Refusal> {
    if signers.len() < needs {
        return Err(Refusal::TooFew { has: signers.len(), needs });
    }
    Ok(Admission { keys: signers })
}
