//! A definition as text.

use std::fmt;

use super::{Contest, DEFINITION, Definition, List, Reach};
use crate::id::ContestId;

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{DEFINITION}")?;
        writeln!(f, "election {}", self.election)?;
        writeln!(f, "title {}", self.title)?;
        writeln!(f, "day {}", self.day)?;
        writeln!(f, "zone {}", self.zone)?;
        writeln!(f, "closes {}", self.closes)?;
        match &self.embargo {
            None => writeln!(f, "embargo none")?,
            Some(it) => {
                writeln!(f, "embargo {} {} {} {}", it.publish_from, it.first_slot, it.every, it.slots)?;
            }
        }
        writeln!(f, "least-cast {}", self.least_cast)?;
        writeln!(f, "fresh-for {}", self.fresh_for)?;
        writeln!(f, "threshold {}", self.authority_threshold)?;
        self.authority.iter().try_for_each(|key| writeln!(f, "authority {key}"))?;
        self.release.iter().try_for_each(|key| writeln!(f, "release {key}"))?;
        self.policy_lines.iter().try_for_each(|line| writeln!(f, "policy {line}"))?;
        if let Some(log) = &self.log {
            writeln!(f, "log {} {}", log.operator, log.supplier)?;
            write_reach(f, &log.reach)?;
        }
        for channel in &self.channels {
            let (id, kind) = (&channel.id, channel.kind.name());
            writeln!(f, "channel {id} {kind} {} {} {}", channel.operator, channel.supplier, channel.address)?;
            write_reach(f, &channel.reach)?;
        }
        for (id, validator) in &self.validators {
            let standing = &validator.standing;
            writeln!(f, "validator {id} {} {} {}", standing.operator, standing.supplier, validator.key)?;
            write_reach(f, &standing.reach)?;
        }
        for (id, unit) in &self.units {
            let parent = unit.parent.as_ref().map_or("-", |parent| parent.as_str());
            write!(f, "unit {id} {} {parent} ", unit.kind.name())?;
            match unit.eligible {
                Some(eligible) => writeln!(f, "{eligible} {}", unit.name)?,
                None => writeln!(f, "- {}", unit.name)?,
            }
        }
        self.merged.iter().try_for_each(|unit| writeln!(f, "merged {unit}"))?;
        for (id, contest) in &self.contests {
            self.write_contest(f, id, contest)?;
        }
        for (id, centre) in &self.centres {
            writeln!(f, "centre {id} {}", centre.name)?;
            centre.units.iter().try_for_each(|unit| writeln!(f, "may {unit}"))?;
            centre.phones.iter().try_for_each(|phone| writeln!(f, "phone {phone}"))?;
            centre.keys.iter().try_for_each(|key| writeln!(f, "key {key}"))?;
        }
        Ok(())
    }
}

impl Definition {
    fn write_contest(&self, f: &mut fmt::Formatter<'_>, id: &ContestId, contest: &Contest) -> fmt::Result {
        writeln!(
            f,
            "contest {id} {} {} {} {} {} {}",
            contest.unit,
            contest.method.name(),
            contest.seats,
            contest.threshold,
            contest.votes_per_ballot,
            contest.title
        )?;
        for unit in self.scopes.get(id).into_iter().flatten() {
            writeln!(f, "scope {unit}")?;
        }
        for (id, list) in &contest.lists {
            writeln!(f, "list {id} {}", list.name)?;
            let List { connection, sub_connection, candidates, .. } = list;
            if let Some(connection) = connection {
                writeln!(f, "connection {connection}")?;
            }
            if let Some(sub_connection) = sub_connection {
                writeln!(f, "sub-connection {sub_connection}")?;
            }
            for (number, name) in candidates {
                writeln!(f, "candidate {number} {name}")?;
            }
        }
        Ok(())
    }
}

fn write_reach(f: &mut fmt::Formatter<'_>, reach: &Reach) -> fmt::Result {
    if let Some(network) = &reach.network {
        writeln!(f, "network {network}")?;
    }
    if let Some(dns) = &reach.dns {
        writeln!(f, "dns {dns}")?;
    }
    Ok(())
}

/// A name from elsewhere in the form in which documents hold names: one line, single spaces, no control characters.
/// Where nothing is left it is `-`.
pub fn tidy(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split(' ').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}
