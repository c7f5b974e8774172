//! `latest.json`: what programs ask for every few seconds, small enough to be asked for by millions.

use results::lines::hex;
use results::tally::ListVotes;
use serde_json::{Map, Value, json};

use crate::Site;

/// The most bytes of `latest.json`. With headers it fits into one packet of most networks.
pub const MAX_LATEST_BYTES: usize = 1000;

/// Lists that are named for a contest.
const LISTS_SHOWN: usize = 5;

/// Fixed fields first; then as many contests, and of each the lists with the most votes, as there is room for.
pub(crate) fn json(site: &Site<'_>) -> String {
    let (election, checkpoint) = (site.election(), site.publication.checkpoint);
    let tops =
        election.definition.contests.iter().map(|(id, contest)| (id, (id.clone(), contest.unit.clone())));
    let sums: Vec<_> = tops.map(|(id, key)| (id, &site.totals[&key])).collect();
    let fixed = json!({
        "format": "scrutineer-latest v1",
        "election": election.definition.election.as_str(),
        "definition": hex(&election.fingerprint),
        "size": checkpoint.size,
        "root": checkpoint.root.to_base64(),
        "time": site.time(),
        "released": site.is_open(),
        "due": sums.iter().map(|(_, sum)| sum.due).sum::<u64>(),
        "counted": sums.iter().map(|(_, sum)| sum.counted).sum::<u64>(),
    });
    let write = |contests: &Map<String, Value>| {
        let mut value = fixed.clone();
        value["contests"] = Value::Object(contests.clone());
        value["whole"] = (contests.len() == sums.len()).into();
        format!("{value}\n")
    };
    let mut contests = Map::new();
    for (id, sum) in sums.iter().filter(|_| site.is_open()) {
        let mut lists: Vec<_> =
            sum.tally.lists.iter().map(|(id, list)| (ListVotes::votes(list), id)).collect();
        lists.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let lists: Vec<Value> =
            lists.iter().take(LISTS_SHOWN).map(|(votes, id)| json!([id.as_str(), votes.0])).collect();
        let value = json!({
            "due": sum.due, "counted": sum.counted, "votes": sum.tally.votes().0, "lists": lists,
        });
        contests.insert(id.to_string(), value);
        if write(&contests).len() > MAX_LATEST_BYTES {
            contests.remove(id.as_str());
            break;
        }
    }
    write(&contests)
}
