//! Lists within sub-connections within connections, and how seats go down that tree.

use std::collections::{BTreeMap, BTreeSet};

use super::distribute::{Shares, distribute};
use super::{Award, Claimant, Standing, Tie};
use crate::definition::Method;
use crate::id::ListId;

/// A list, or a group of them that is counted as one first.
#[derive(Debug)]
pub(super) struct Node {
    /// Who this is.
    pub(super) claimant: Claimant,
    /// Its votes, or those of all its members.
    pub(super) votes: u64,
    /// None for a list.
    pub(super) members: Vec<Node>,
}

/// What the lists below one node get.
#[derive(Debug, Default)]
pub(super) struct Below {
    pub(super) certain: BTreeMap<ListId, u32>,
    pub(super) ties: Vec<Tie>,
    pub(super) awards: Vec<Award>,
    pub(super) unfilled: u32,
}

/// The tree of all lists that take part, in the order of their ids; a group stands where its first list does.
pub(super) fn grow(lists: &[(&ListId, &Standing)]) -> Vec<Node> {
    let mut top: Vec<Node> = Vec::new();
    for &(id, standing) in lists {
        let mut members = &mut top;
        for path in paths(standing) {
            let at = position(members, &Claimant::Connection(path));
            members[at].votes += standing.votes;
            members = &mut members[at].members;
        }
        members.push(Node {
            claimant: Claimant::List(id.clone()),
            votes: standing.votes,
            members: Vec::new(),
        });
    }
    top
}

/// Gives `seats` to the members of one group, and what each group gets to its own members.
pub(super) fn descend(method: Method, members: &[Node], within: &[String], seats: u32) -> Below {
    let shares = distribute(method, &votes_of(members), seats);
    let mut below = Below { unfilled: shares.unfilled, ..Below::default() };
    below.awards = awards(&shares, members, within);
    let tied: &[usize] = shares.tie.as_ref().map_or(&[], |tie| &tie.among);
    let mut open = Open { seats: shares.tie.as_ref().map_or(0, |tie| tie.seats), ..Open::default() };
    for (i, (node, &held)) in members.iter().zip(&shares.certain).enumerate() {
        match (&node.claimant, tied.contains(&i)) {
            (Claimant::List(id), in_tie) => {
                below.certain.insert(id.clone(), held);
                if in_tie {
                    open.among.insert(id.clone());
                }
            }
            (Claimant::Connection(path), false) => below.add(descend(method, &node.members, path, held)),
            (Claimant::Connection(path), true) => {
                open.connections.push(path.clone());
                open.add(&mut below, method, node, path, held);
            }
        }
    }
    if open.seats > 0 {
        below.ties.insert(0, open.told());
    }
    below
}

/// The votes of each.
pub(super) fn votes_of(members: &[Node]) -> Vec<u64> {
    members.iter().map(|node| node.votes).collect()
}

impl Below {
    fn add(&mut self, mut other: Self) {
        self.certain.append(&mut other.certain);
        self.ties.append(&mut other.ties);
        self.awards.append(&mut other.awards);
    }
}

/// A tie as it is put together from the entrants that share it.
#[derive(Default)]
struct Open {
    seats: u32,
    among: BTreeSet<ListId>,
    connections: Vec<Vec<String>>,
}

impl Open {
    /// Adds a group that has `held` seats or one more. What its lists have in both cases is certain; the rest is open
    /// together with the tie, for a list that has a seat of `held` need not keep it with one more.
    fn add(&mut self, below: &mut Below, method: Method, node: &Node, path: &[String], held: u32) {
        let fewer = descend(method, &node.members, path, held);
        let more = descend(method, &node.members, path, held + 1);
        let mut certain_seats = 0;
        for (id, &few) in &fewer.certain {
            let many = more.certain[id];
            let certain = few.min(many);
            certain_seats += certain;
            if few.max(many) > certain {
                self.among.insert(id.clone());
            }
            below.certain.insert(id.clone(), certain);
        }
        for tie in fewer.ties.iter().chain(&more.ties) {
            self.among.extend(tie.among.iter().cloned());
        }
        self.seats += held - certain_seats;
    }

    fn told(self) -> Tie {
        Tie { seats: self.seats, among: self.among.into_iter().collect(), connections: self.connections }
    }
}

/// The groups that a list is in, the outermost first.
fn paths(standing: &Standing) -> Vec<Vec<String>> {
    let Some(connection) = &standing.connection else {
        return Vec::new();
    };
    let mut paths = vec![vec![connection.clone()]];
    if let Some(sub) = &standing.sub_connection {
        paths.push(vec![connection.clone(), sub.clone()]);
    }
    paths
}

fn position(members: &mut Vec<Node>, claimant: &Claimant) -> usize {
    if let Some(at) = members.iter().position(|node| node.claimant == *claimant) {
        return at;
    }
    members.push(Node { claimant: claimant.clone(), votes: 0, members: Vec::new() });
    members.len() - 1
}

fn awards(shares: &Shares, members: &[Node], within: &[String]) -> Vec<Award> {
    let numbered = (1..).zip(&shares.awards);
    numbered
        .map(|(seat, award)| Award {
            within: within.to_vec(),
            seat,
            to: members[award.to].claimant.clone(),
            claim: award.claim,
            by: award.by,
        })
        .collect()
}
