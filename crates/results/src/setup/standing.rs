//! Who runs the log and the validators, and on what they stand.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Load, SetupError, keys, value};
use crate::definition::{Reach, Standing, Validator};
use crate::id::is_id;

/// On what the log stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StandingSetup {
    operator: String,
    supplier: String,
    network: Option<String>,
    dns: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidatorSetup {
    id: String,
    operator: String,
    supplier: String,
    network: Option<String>,
    dns: Option<String>,
    /// File with its verifier key.
    key: String,
}

pub(super) fn validators(
    all: &[ValidatorSetup],
    load: &Load<'_>,
) -> Result<BTreeMap<String, Validator>, SetupError> {
    let mut validators = BTreeMap::new();
    for it in all {
        if !is_id(&it.id) {
            return Err(value("validator.id", "is no id"));
        }
        let reach = reach("validator", it.network.as_ref(), it.dns.as_ref())?;
        let standing = standing("validator", &it.operator, &it.supplier, reach)?;
        let key = keys(load, std::slice::from_ref(&it.key))?.remove(0);
        validators.insert(it.id.clone(), Validator { standing, key });
    }
    Ok(validators)
}

impl StandingSetup {
    pub(super) fn read(&self) -> Result<Standing, SetupError> {
        let reach = reach("log", self.network.as_ref(), self.dns.as_ref())?;
        standing("log", &self.operator, &self.supplier, reach)
    }
}

fn standing(key: &str, operator: &str, supplier: &str, reach: Reach) -> Result<Standing, SetupError> {
    if !is_id(operator) || !is_id(supplier) {
        return Err(value(key, "operator and supplier are ids"));
    }
    Ok(Standing { operator: operator.to_owned(), supplier: supplier.to_owned(), reach })
}

pub(super) fn reach(key: &str, network: Option<&String>, dns: Option<&String>) -> Result<Reach, SetupError> {
    if network.into_iter().chain(dns).any(|id| !is_id(id)) {
        return Err(value(key, "network and dns are ids"));
    }
    Ok(Reach { network: network.cloned(), dns: dns.cloned() })
}
