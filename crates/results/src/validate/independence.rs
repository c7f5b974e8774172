//! Whether those who publish, confirm and witness an election fail together.
//!
//! In October 2017, while the votes of the Czech parliamentary election were counted, the results site and the substitute that
//! stood ready for just that both went down under one flood: they stood with one supplier, whose lines were full. The
//! count itself was never touched. A substitute on the same supplier is no substitute, whatever it is called; nor is a
//! validator that the log's operator runs, because it would compare a word with itself.

use std::collections::BTreeMap;

use crate::definition::{ChannelKind, Definition};

/// Something that two services share and should not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// The word for machines.
    pub code: &'static str,
    /// The services, in the order of the definition.
    pub services: Vec<String>,
    /// What they share: the id.
    pub what: String,
    /// A whole sentence.
    pub message: String,
}

/// What a service is, for what it may share with others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Log,
    Official,
    Channel,
    Validator,
}

struct Service<'d> {
    role: Role,
    name: String,
    operator: &'d str,
    supplier: &'d str,
    network: Option<&'d str>,
    dns: Option<&'d str>,
}

/// Looks for what services share, in the order of the codes, then of the services. The log and the official channel may stand
/// together: one party's two services, neither of which stands in for the other.
pub fn check(definition: &Definition) -> Vec<Shared> {
    let services = services(definition);
    let mut found = Vec::new();
    found.extend(validators_of_the_log(&services));
    found.extend(shared(
        &services,
        "one-operator",
        "is run by",
        |it| Some(it.operator),
        |a, b| {
            [a, b].iter().all(|it| it.role == Role::Validator)
                || [a, b].iter().all(|it| it.role == Role::Channel)
                || [a, b].iter().all(|it| matches!(it.role, Role::Official | Role::Channel))
        },
    ));
    let both = |a: &Service<'_>, b: &Service<'_>| {
        let is_own = |it: &Service<'_>| matches!(it.role, Role::Log | Role::Official);
        !(is_own(a) && is_own(b))
    };
    found.extend(shared(&services, "one-supplier", "stands on machines of", |it| Some(it.supplier), both));
    found.extend(shared(&services, "one-network", "is reached through network", |it| it.network, both));
    found.extend(shared(&services, "one-dns", "has its name answered by", |it| it.dns, both));
    let n = services.iter().filter(|it| it.role == Role::Validator).count();
    if n == 1 {
        let name = services.iter().find(|it| it.role == Role::Validator).map(|it| it.name.clone());
        found.push(Shared {
            code: "one-validator",
            services: name.into_iter().collect(),
            what: "-".to_owned(),
            message: "one validator alone can be silent or lie unnoticed".to_owned(),
        });
    }
    found
}

fn services(definition: &Definition) -> Vec<Service<'_>> {
    let log = definition
        .log
        .iter()
        .map(|it| (Role::Log, "the log".to_owned(), it.operator.as_str(), it.supplier.as_str(), &it.reach));
    let channels = definition.channels.iter().map(|it| {
        let role = match it.kind {
            ChannelKind::Official => Role::Official,
            ChannelKind::Mirror | ChannelKind::Validator | ChannelKind::Broadcast => Role::Channel,
        };
        (role, format!("channel `{}`", it.id), it.operator.as_str(), it.supplier.as_str(), &it.reach)
    });
    let validators = definition.validators.iter().map(|(id, it)| {
        let standing = &it.standing;
        (
            Role::Validator,
            format!("validator `{id}`"),
            standing.operator.as_str(),
            standing.supplier.as_str(),
            &standing.reach,
        )
    });
    log.chain(channels)
        .chain(validators)
        .map(|(role, name, operator, supplier, reach)| Service {
            role,
            name,
            operator,
            supplier,
            network: reach.network.as_deref(),
            dns: reach.dns.as_deref(),
        })
        .collect()
}

/// Validators that are run by who runs the log or the official channel.
fn validators_of_the_log(services: &[Service<'_>]) -> Vec<Shared> {
    let own: Vec<&Service<'_>> =
        services.iter().filter(|it| matches!(it.role, Role::Log | Role::Official)).collect();
    let of_own =
        |it: &&Service<'_>| it.role == Role::Validator && own.iter().any(|own| own.operator == it.operator);
    services
        .iter()
        .filter(of_own)
        .map(|it| Shared {
            code: "own-validator",
            services: vec![it.name.clone()],
            what: it.operator.to_owned(),
            message: format!("{} is run by `{}`, who also runs what it is to check", it.name, it.operator),
        })
        .collect()
}

/// Services that share one thing, among those of which two may not share it.
fn shared<'d>(
    services: &[Service<'d>],
    code: &'static str,
    words: &str,
    get: impl Fn(&Service<'d>) -> Option<&'d str>,
    may_not: impl Fn(&Service<'d>, &Service<'d>) -> bool,
) -> Vec<Shared> {
    let mut by_what: BTreeMap<&str, Vec<&Service<'d>>> = BTreeMap::new();
    for service in services {
        if let Some(what) = get(service) {
            by_what.entry(what).or_default().push(service);
        }
    }
    let mut found = Vec::new();
    for (what, those) in by_what {
        let meets =
            |it: &&&Service<'d>| those.iter().any(|other| !std::ptr::eq(**it, *other) && may_not(it, other));
        let names: Vec<String> = those.iter().filter(meets).map(|it| it.name.clone()).collect();
        if names.len() > 1 {
            let message = format!("each of {} {words} `{what}`: they fail together", names.join(", "));
            found.push(Shared { code, services: names, what: what.to_owned(), message });
        }
    }
    found
}
