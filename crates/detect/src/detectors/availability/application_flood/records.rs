//! What the step `clients` puts out, as rows of numbers.
//!
//! All kinds of record share one table, because a step has one output. [`Word`]s are filled by position: the
//! first function of a pair writes what the second reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::engine::{Tables, column_i32, column_i64};

use super::gather::{CLIENTS, ClientKey};
use super::visits::{PAGES, Page, Visit, counted};

/// Numbers of a record.
pub(super) const WORDS: usize = 36;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// One client in one window.
    Client = 0,
    /// What became of the clients of one window in one partition.
    Kept = 1,
    /// How busy clients are on calm days: clients by number of requests.
    Busy = 2,
    /// How long they read: pauses by length.
    Pauses = 3,
    /// How often each sign is seen in calm clients.
    Signs = 4,
    /// Paths that were answered on calm days; those that had a query too come again, see [`queried`].
    Paths = 5,
    /// Agents of calm clients, each with the number of clients.
    Agents = 6,
    /// What calm clients have in common, see [`Common`].
    Common = 7,
}

/// One row: what it is, the asset, the window or the epoch, and the numbers.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) what: i32,
    pub(super) key: i64,
    /// Number of the window within the plan, or of the epoch within the asset.
    pub(super) at: i32,
    pub(super) words: [i64; WORDS],
}

static SCHEMA: std::sync::LazyLock<SchemaRef> = std::sync::LazyLock::new(|| {
    let mut fields = vec![
        Field::new("what", DataType::Int32, false),
        Field::new("key", DataType::Int64, false),
        Field::new("at", DataType::Int32, false),
    ];
    fields.extend((0..WORDS).map(|n| Field::new(format!("w{n}"), DataType::Int64, false)));
    Arc::new(Schema::new(fields))
});

pub(super) fn schema() -> SchemaRef {
    SCHEMA.clone()
}

/// Records as a batch.
pub(super) fn batch(records: &[Record]) -> RecordBatch {
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(records.iter().map(|record| record.what).collect::<Int32Array>()),
        Arc::new(records.iter().map(|record| record.key).collect::<Int64Array>()),
        Arc::new(records.iter().map(|record| record.at).collect::<Int32Array>()),
    ];
    for word in 0..WORDS {
        columns.push(Arc::new(records.iter().map(|record| record.words[word]).collect::<Int64Array>()));
    }
    RecordBatch::try_new(schema(), columns).expect("internal error: the columns follow the schema")
}

/// Three columns of one batch and all of its words.
type Columns<'a> = (&'a [i32], &'a [i64], &'a [i32], Vec<&'a [i64]>);

/// The kept table, by what its rows are.
pub(super) struct Kept<'a> {
    batches: Vec<Columns<'a>>,
    /// Batch and row of every client, by window.
    clients: BTreeMap<i32, Vec<(u32, u32)>>,
    /// All other rows.
    pub(super) others: Vec<Record>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        let mut kept = Self { batches: Vec::new(), clients: BTreeMap::new(), others: Vec::new() };
        for batch in tables.get(CLIENTS).into_iter().flatten() {
            let words = (0..WORDS).map(|word| column_i64(batch, &format!("w{word}"))).collect();
            let whats = column_i32(batch, "what");
            kept.batches.push((whats, column_i64(batch, "key"), column_i32(batch, "at"), words));
            let number = kept.batches.len() - 1;
            for row in 0..whats.len() {
                let record = kept.record(number, row);
                if record.what == What::Client as i32 {
                    kept.clients.entry(record.at).or_default().push((number as u32, row as u32));
                } else {
                    kept.others.push(record);
                }
            }
        }
        kept
    }

    fn record(&self, batch: usize, row: usize) -> Record {
        let (whats, keys, ats, columns) = &self.batches[batch];
        let mut words = [0; WORDS];
        words.iter_mut().zip(columns).for_each(|(word, column)| *word = column[row]);
        Record { what: whats[row], key: keys[row], at: ats[row], words }
    }

    /// The clients of a window, each weighing as many clients as it stands for; in order of their keys.
    pub(super) fn clients(&self, window: i32) -> Vec<Client> {
        let mut clients = Vec::new();
        for &(batch, row) in self.clients.get(&window).into_iter().flatten() {
            let words = self.record(batch as usize, row as usize).words;
            let mut client = Client::of(&words);
            client.weight = f64::from_bits(words[21] as u64);
            clients.push(client);
        }
        clients.sort_by_key(|client| client.key);
        clients
    }
}

/// What a client did in a window, in figures.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Did {
    pub(super) n: f64,
    pub(super) pages: f64,
    pub(super) assets: f64,
    pub(super) apis: f64,
    pub(super) not_found: f64,
    pub(super) overloaded: f64,
    pub(super) random: f64,
    pub(super) asked: f64,
    pub(super) bare: f64,
    pub(super) own: f64,
    pub(super) odd: f64,
    pub(super) other: f64,
    pub(super) embed: f64,
    /// Distinct agents, about.
    pub(super) agents: f64,
    /// Pauses between pages, and the mean of their logarithm (of seconds).
    pub(super) gaps: f64,
    pub(super) ln_gap: f64,
    /// Pages old enough to have brought their assets, and those that did.
    pub(super) ripe: f64,
    pub(super) followed: f64,
    /// Distinct random queries, about.
    pub(super) tokens: f64,
    /// Seconds from the first request to the last.
    pub(super) span: f64,
    /// The client had opened a page in the hour before.
    pub(super) opened: bool,
}

impl Did {
    /// Shows what people show: a page that brought something along, or polls of a page that is open.
    pub(super) fn is_personal(&self) -> bool {
        self.followed > 0.0 || (self.apis > 0.0 && (self.pages > 0.0 || self.opened))
    }

    pub(super) fn of(visit: &Visit, until: i64) -> Self {
        let (ripe, followed) = visit.followed(until);
        Self {
            n: visit.n.into(),
            pages: visit.pages.into(),
            assets: visit.assets.into(),
            apis: visit.apis.into(),
            not_found: visit.not_found.into(),
            overloaded: visit.overloaded.into(),
            random: visit.random.into(),
            asked: visit.asked.into(),
            bare: visit.bare.into(),
            own: visit.own.into(),
            odd: visit.odd.into(),
            other: visit.other.into(),
            embed: visit.embed.into(),
            agents: visit.n_agents(),
            gaps: visit.gaps.into(),
            ln_gap: if visit.gaps > 0 { visit.ln_gaps / f64::from(visit.gaps) } else { 0.0 },
            ripe: ripe.into(),
            followed: followed.into(),
            tokens: counted(visit.token_bits),
            span: visit.last.saturating_sub(visit.first) as f64 / 1000.0,
            opened: visit.opened,
        }
    }
}

/// One client in one window, as the judge sees it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) key: ClientKey,
    pub(super) did: Did,
    /// The agent of most requests.
    pub(super) agent: i64,
    /// Requests with a query, bits of the queries by hash, the first path with one, and the low byte of its query.
    pub(super) queried: f64,
    pub(super) token_bits: u64,
    pub(super) query_path: i64,
    pub(super) query_token: u32,
    /// First request in the window, milliseconds.
    pub(super) first: i64,
    /// And last.
    pub(super) last: i64,
    pub(super) slots: Vec<Page>,
    /// When it first came on a calm day.
    pub(super) seen: Option<i64>,
    /// Agents that showed what people show, by hash: on calm days, and now too where that is shown now.
    pub(super) peoples_agents: u64,
    /// When anybody of its network came on a calm day.
    pub(super) net_seen: Option<i64>,
    /// Requests and clients of its /24 or /48, where these are many.
    pub(super) near_n: f64,
    pub(super) near_clients: f64,
    /// Clients that it stands for.
    pub(super) weight: f64,
}

/// Sums over calm clients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Common {
    /// By [`Sender`]: clients whose pages brought nothing along, and those whose pages did.
    pub(super) bare: [f64; Sender::ALL],
    pub(super) whole: [f64; Sender::ALL],
    /// Requests, and those of clients that show what people show.
    pub(super) requests: f64,
    pub(super) of_people: f64,
}

impl Common {
    /// Adds what one client did.
    pub(super) fn add(&mut self, did: &Did, weight: f64) {
        let sender = Sender::of(did) as usize;
        if did.followed > 0.0 {
            self.whole[sender] += weight;
        } else if did.ripe > 0.0 {
            self.bare[sender] += weight;
        }
        self.requests += did.n * weight;
        self.of_people += if did.is_personal() { did.n * weight } else { 0.0 };
    }

    /// As numbers of a record, which are added up.
    pub(super) fn words(&self) -> [i64; WORDS] {
        let mut words = [0; WORDS];
        let all = self.bare.iter().chain(&self.whole).chain([&self.requests, &self.of_people]);
        words.iter_mut().zip(all).for_each(|(word, sum)| *word = *sum as i64);
        words
    }

    /// The other way.
    pub(super) fn merge(&mut self, words: &[i64; WORDS]) {
        let sums = self.bare.iter_mut().chain(&mut self.whole);
        sums.chain([&mut self.requests, &mut self.of_people])
            .zip(words)
            .for_each(|(sum, word)| *sum += *word as f64);
    }
}

/// Where most of a client's requests say that they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The log does not say.
    Unknown,
    /// Nowhere.
    Nowhere,
    /// The site itself.
    Here,
    /// Elsewhere.
    Elsewhere,
}

impl Sender {
    /// How many there are.
    pub(super) const ALL: usize = 4;

    pub(super) fn of(did: &Did) -> Self {
        if did.asked == 0.0 {
            Self::Unknown
        } else if did.bare >= 0.5 * did.asked {
            Self::Nowhere
        } else if did.own >= 0.5 * did.asked {
            Self::Here
        } else {
            Self::Elsewhere
        }
    }
}

/// See `Client::peoples_agents`.
fn peoples_agents(words: &[i64; WORDS], did: &Did) -> u64 {
    words[20] as u64 | if did.is_personal() { words[35] as u64 } else { 0 }
}

/// What stands for a path with a query, among paths.
pub(super) fn queried(path: i64) -> i64 {
    path | 1 << 62
}

fn pair(high: u32, low: u32) -> i64 {
    (u64::from(high) << 32 | u64::from(low)) as i64
}

fn halves(word: i64) -> (f64, f64) {
    (f64::from((word as u64 >> 32) as u32), f64::from(word as u32))
}

/// The numbers of a client. What only the end of the partition tells is filled in by [`complete`].
pub(super) fn client(
    key: ClientKey,
    visit: &Visit,
    until: i64,
    seen: Option<i64>,
    agents: u64,
) -> [i64; WORDS] {
    let mut words = [0; WORDS];
    let (ripe, followed) = visit.followed(until);
    let (agent, agent_n) = visit.agent_of_most();
    words[0] = key.net;
    words[1] = key.rest;
    words[2] = pair(visit.n, visit.pages);
    words[3] = pair(visit.assets, visit.apis);
    words[4] = pair(visit.not_found, visit.overloaded);
    words[5] = pair(visit.random, visit.asked);
    words[6] = pair(visit.bare, visit.own);
    words[7] = pair(visit.odd, visit.other);
    words[8] = pair(visit.embed, visit.gaps);
    words[9] = (visit.ln_gaps * 1e6).round() as i64;
    words[10] = pair((visit.n_agents() * 16.0).round() as u32, agent_n);
    words[11] = agent;
    words[12] = visit.token_bits as i64;
    words[13] = visit.first;
    words[14] = visit.last;
    words[15] = pair(ripe, followed);
    words[16] = pair(visit.beyond, visit.n_slots);
    words[32] = visit.query_path;
    words[33] = pair(visit.queried, visit.query_token);
    words[34] = i64::from(visit.opened);
    words[20] = agents as i64;
    words[35] = visit.agent_bits as i64;
    words[17] = seen.unwrap_or(i64::MIN);
    words[18] = i64::MIN;
    for (slot, word) in visit.slots[..visit.n_slots as usize].iter().zip(&mut words[22..]) {
        let marks = u64::from(slot.followed) | u64::from(slot.api) << 1 | u64::from(slot.not_found) << 2;
        *word = ((slot.path as u64) << 16 | u64::from(slot.n.min(4095)) << 4 | marks) as i64;
    }
    words
}

/// Requests of a client, from its numbers.
pub(super) fn requests(words: &[i64; WORDS]) -> u32 {
    (words[2] as u64 >> 32) as u32
}

/// Adds what only the end of the partition tells.
pub(super) fn complete(words: &mut [i64; WORDS], net_seen: Option<i64>, near: (u32, u32), weight: f64) {
    words[18] = net_seen.unwrap_or(i64::MIN);
    words[19] = pair(near.0, near.1);
    words[21] = weight.to_bits() as i64;
}

impl Client {
    pub(super) fn of(words: &[i64; WORDS]) -> Self {
        let two = |at: usize| halves(words[at]);
        let time = |at: usize| (words[at] != i64::MIN).then_some(words[at]);
        let (n, pages) = two(2);
        let (assets, apis) = two(3);
        let (not_found, overloaded) = two(4);
        let (random, asked) = two(5);
        let (bare, own) = two(6);
        let (odd, other) = two(7);
        let (embed, gaps) = two(8);
        let (agents, _) = two(10);
        let (ripe, followed) = two(15);
        let (_, n_slots) = two(16);
        let (near_n, near_clients) = two(19);
        let (queried, query_token) = two(33);
        let slots = words[22..22 + (n_slots as usize).min(PAGES)].iter().map(|&word| {
            let word = word as u64;
            Page {
                path: (word >> 16) as i64,
                n: (word >> 4 & 0xfff) as u32,
                followed: word & 1 != 0,
                api: word & 2 != 0,
                not_found: word & 4 != 0,
                ..Page::default()
            }
        });
        let mut client = Self {
            key: ClientKey { net: words[0], rest: words[1] },
            did: Did {
                n,
                pages,
                assets,
                apis,
                not_found,
                overloaded,
                random,
                asked,
                bare,
                own,
                odd,
                other,
                embed,
                agents: agents / 16.0,
                gaps,
                ln_gap: if gaps > 0.0 { words[9] as f64 / 1e6 / gaps } else { 0.0 },
                ripe,
                followed,
                tokens: counted(words[12] as u64),
                span: words[14].saturating_sub(words[13]) as f64 / 1000.0,
                opened: words[34] != 0,
            },
            agent: words[11],
            queried,
            token_bits: words[12] as u64,
            query_path: words[32],
            query_token: query_token as u32,
            first: words[13],
            last: words[14],
            slots: slots.collect(),
            seen: time(17),
            peoples_agents: 0,
            net_seen: time(18),
            near_n,
            near_clients,
            weight: 1.0,
        };
        client.peoples_agents = peoples_agents(words, &client.did);
        client
    }
}
