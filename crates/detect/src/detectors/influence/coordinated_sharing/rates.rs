//! How often two strangers share the same object close in time: the prior rate by size of audience.
//!
//! Strangers are two accounts with no other object in common, and with no third account that shares
//! two objects with each of them. They cannot be a group that acts together more than once, nor two
//! of a group that takes turns, so their closeness is what virality, daily rhythm and chance make
//! of an audience of that size.

use super::evidence::Partners;
use super::index::{Index, ONE_OFF};

/// Windows in seconds, shortest first. All bounds are inclusive.
pub(super) const WINDOWS_S: [i64; 4] = [10, 60, 600, 3600];

/// The next wider window for each, which steadies the rate of a window that few outsiders hit.
const WIDER_S: [i64; 4] = [60, 600, 6000, 36_000];

/// Every distance that is counted, in milliseconds, ascending.
pub(super) const DISTANCES_MS: [i64; 6] = [10_000, 60_000, 600_000, 3_600_000, 6_000_000, 36_000_000];

/// Place in [`DISTANCES_MS`] of each window, and of its wider one.
pub(super) const AT: [usize; 4] = [0, 1, 2, 3];
pub(super) const WIDER_AT: [usize; 4] = [1, 2, 4, 5];

/// Audience sizes that begin a class.
const CLASSES: [u32; 11] = [2, 3, 4, 6, 11, 21, 51, 101, 201, 501, 1001];

/// Pairs of an object that are looked at: all of them up to this audience, else a sample.
const ALL_PAIRS_UP_TO: usize = 64;
const SAMPLED_PAIRS: usize = 2_000;

/// Weight of the rate over all classes in the rate of one class, in pairs.
const PSEUDO_PAIRS: f64 = 20.0;

/// Pairs that rates must rest on before a wider notion of strangers is taken: with a thousand, a
/// rate of one in a hundred is known to a third.
const ENOUGH_PAIRS: f64 = 1_000.0;

/// Who counts as strangers.
#[derive(Clone, Copy, PartialEq)]
enum Strangers {
    /// No other object in common, and no third account that shares two with each.
    NoFriends,
    /// No other object in common.
    OneObject,
    /// Any two.
    Anybody,
}

/// Rates of one trace.
pub(super) struct Rates {
    /// By class and window: P(two strangers share within the window).
    q: [[f64; 4]; CLASSES.len()],
    /// By class and window: P(within the window | within the wider one), at least the ratio of lengths.
    rho: [[f64; 4]; CLASSES.len()],
    /// By account and window: how much more often than others it is close to strangers, at least 1.
    factor: Vec<[f32; 4]>,
}

impl Rates {
    pub(super) fn learn(index: &Index, partners: &Partners) -> Self {
        let enough = |rates: &(Self, f64)| rates.1 >= ENOUGH_PAIRS;
        let strict = Self::learn_from(index, partners, Strangers::NoFriends);
        if enough(&strict) {
            return strict.0;
        }
        let loose = Self::learn_from(index, partners, Strangers::OneObject);
        if enough(&loose) { loose.0 } else { Self::learn_from(index, partners, Strangers::Anybody).0 }
    }

    /// The rates, and the number of pairs that they rest on.
    fn learn_from(index: &Index, partners: &Partners, strangers: Strangers) -> (Self, f64) {
        let mut hits = [[0.0; DISTANCES_MS.len()]; CLASSES.len()];
        let mut pairs = [0.0; CLASSES.len()];
        let mut of_account: Vec<[f32; 4]> = vec![[0.0; 4]; index.accounts.len()];
        let mut pairs_of_account: Vec<Vec<(u8, u32)>> = vec![Vec::new(); index.accounts.len()];
        for object in 0..index.objects.len() as u32 {
            let class = class_of(index.n_accounts[object as usize]);
            for_strangers(index, partners, strangers, object, |a, b, gap| {
                pairs[class] += 1.0;
                for (hit, distance) in hits[class].iter_mut().zip(DISTANCES_MS) {
                    *hit += f64::from(u8::from(gap <= distance));
                }
                for account in [a, b] {
                    if account == ONE_OFF {
                        continue;
                    }
                    let own = &mut of_account[account as usize];
                    for (hit, at) in own.iter_mut().zip(AT) {
                        *hit += f32::from(u8::from(gap <= DISTANCES_MS[at]));
                    }
                    let classes = &mut pairs_of_account[account as usize];
                    match classes.iter_mut().find(|(c, _)| usize::from(*c) == class) {
                        Some((_, n)) => *n += 1,
                        None => classes.push((class as u8, 1)),
                    }
                }
            });
        }
        let all_pairs: f64 = pairs.iter().sum();
        let overall = |at: usize| (hits.iter().map(|h| h[at]).sum::<f64>() + 1.0) / (all_pairs + 1.0);
        let mut q = [[0.0; 4]; CLASSES.len()];
        let mut rho = q;
        for class in 0..CLASSES.len() {
            for w in 0..4 {
                let (at, wider) = (AT[w], WIDER_AT[w]);
                let (g, g_wider) = (overall(at), overall(wider));
                q[class][w] = (hits[class][at] + PSEUDO_PAIRS * g) / (pairs[class] + PSEUDO_PAIRS);
                let share =
                    (hits[class][at] + PSEUDO_PAIRS * g / g_wider) / (hits[class][wider] + PSEUDO_PAIRS);
                rho[class][w] = share.max(WINDOWS_S[w] as f64 / WIDER_S[w] as f64).min(1.0);
            }
        }
        let factor = of_account
            .iter()
            .zip(&pairs_of_account)
            .map(|(own, classes)| {
                std::array::from_fn(|w| {
                    let expected: f64 =
                        classes.iter().map(|&(c, n)| f64::from(n) * q[usize::from(c)][w]).sum();
                    ((f64::from(own[w]) + 3.0) / (expected + 3.0)).max(1.0) as f32
                })
            })
            .collect();
        (Self { q, rho, factor }, all_pairs)
    }

    /// Rate for an audience of so many accounts.
    pub(super) fn q(&self, n_accounts: u32, window: usize) -> f64 {
        self.q[class_of(n_accounts)][window]
    }

    pub(super) fn rho(&self, n_accounts: u32, window: usize) -> f64 {
        self.rho[class_of(n_accounts)][window]
    }

    pub(super) fn factor(&self, account: u32, window: usize) -> f64 {
        f64::from(self.factor[account as usize][window])
    }
}

fn class_of(n_accounts: u32) -> usize {
    CLASSES.partition_point(|&from| from <= n_accounts).saturating_sub(1)
}

/// Gives pairs of strangers of one object with the time between their shares, where each has one.
fn for_strangers(
    index: &Index,
    partners: &Partners,
    kind: Strangers,
    object: u32,
    mut take: impl FnMut(u32, u32, i64),
) {
    let (accounts, times) = index.entries(object);
    let mut see = |i: usize, j: usize| {
        let (a, b) = (accounts[i], accounts[j]);
        if a != b || a == ONE_OFF {
            if !single(index, a, object)
                || !single(index, b, object)
                || !strangers(index, partners, kind, a, b)
            {
                return;
            }
            take(a, b, (times[i] - times[j]).abs());
        }
    };
    if accounts.len() <= ALL_PAIRS_UP_TO {
        for i in 0..accounts.len() {
            for j in 0..i {
                see(i, j);
            }
        }
        return;
    }
    // A fixed sequence (Knuth's MMIX generator), seeded by the object's rank.
    let mut state = u64::from(object) ^ 0x5851_f42d_4c95_7f2d;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(state) * accounts.len() as u128) >> 64) as usize
    };
    for _ in 0..SAMPLED_PAIRS {
        let (i, j) = (draw(), draw());
        if i != j {
            see(i, j);
        }
    }
}

/// One-off accounts count as having one share: repeated ones are rare and only raise the rate.
fn single(index: &Index, account: u32, object: u32) -> bool {
    account == ONE_OFF || index.visit(account, object).is_some_and(|visit| index.times(visit).len() == 1)
}

/// See the module.
fn strangers(index: &Index, partners: &Partners, kind: Strangers, a: u32, b: u32) -> bool {
    if kind == Strangers::Anybody || a == ONE_OFF || b == ONE_OFF {
        return true;
    }
    let objects = common(index.visits(a).iter().map(|v| v.object), index.visits(b).iter().map(|v| v.object));
    if objects.take(2).count() >= 2 {
        return false;
    }
    let friends = common(partners.of(a).iter().copied(), partners.of(b).iter().copied());
    kind == Strangers::OneObject || friends.take(1).count() == 0
}

/// What two ascending lists have in common.
fn common(a: impl Iterator<Item = u32>, b: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || {
        loop {
            match a.peek()?.cmp(b.peek()?) {
                std::cmp::Ordering::Less => drop(a.next()),
                std::cmp::Ordering::Greater => drop(b.next()),
                std::cmp::Ordering::Equal => {
                    b.next();
                    return a.next();
                }
            }
        }
    })
}
