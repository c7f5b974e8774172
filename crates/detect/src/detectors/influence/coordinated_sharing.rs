//! *Reports* groups of accounts that share the same objects in step, again and again, more often
//! than the objects' own rates, the accounts' habits and their activity explain.

mod evidence;
mod gather;
mod groups;
mod index;
mod rates;
mod sets;

use crate::engine::{Gather, Tables, column_i32};
use crate::stats::fdr;

use evidence::{Examiner, Partners};
use groups::Group;
use index::Index;
use rates::Rates;
use sets::{Activity, Family};
use traffic::{AccountNames, ObjectNames};

/// See `gather`.
pub fn gather() -> Gather {
    gather::gather()
}

/// False-discovery rate of findings.
const ALPHA: f64 = 0.01;

/// Evidence below which a set cannot be rejected in any family of a hundred sets.
const LEAST: f64 = 9.2;

/// Groups found, as lists of account ids, for one trace after the other. (development)
pub fn judge_raw(tables: &Tables, accounts: &AccountNames, objects: &ObjectNames, threads: usize) -> Vec<Vec<i32>> {
    let mut out = Vec::new();
    let debug = std::env::var("SCRUT_DEBUG").is_ok();
    let t0 = std::time::Instant::now();
    for index in Index::build(&tables[gather::ENTRIES], accounts, objects) {
        if debug { eprintln!("index {:?} {} multi {} objects", t0.elapsed(), index.accounts.len(), index.objects.len()); }
        let partners = partners(&index, tables);
        let rates = Rates::learn(&index);
        if debug { eprintln!("rates {:?}", t0.elapsed()); }
        let activity = Activity::learn(&index);
        let family = test_all(&index, &rates, &partners, &activity, threads);
        let log_e: Vec<f64> = family.tested.iter().map(|t| t.evidence.combined()).collect();
        let q = fdr::e_bh(&log_e, family.size);
        let rejected: Vec<_> = family.tested.iter().zip(q).filter(|(_, q)| *q <= ALPHA).collect();
        if debug {
            let mut top: Vec<f64> = log_e.clone(); top.sort_by(|a, b| b.total_cmp(a)); top.truncate(8);
            eprintln!("tests {:?} family {} tested {} rejected {} top {top:.1?}", t0.elapsed(), family.size, family.tested.len(), rejected.len());
        }
        if std::env::var("SCRUT_SETS").is_ok() {
            for (t, q) in rejected.iter().step_by(rejected.len() / 40 + 1) {
                eprintln!("set {} obj {:?} log_e {:.1?} hits {:?} exp {:.1?} q {q:.1e}", t.set.len(), t.object.map(|o| (index.objects[o as usize], index.n_accounts[o as usize])), t.evidence.log_e, t.evidence.hits, t.evidence.expected);
            }
        }
        let mut examiner = Examiner::new(&index, &rates, &partners);
        let groups = groups::assemble(&index, &mut examiner, &rejected);
        if debug { eprintln!("groups {:?} {}", t0.elapsed(), groups.len()); }
        for Group { members, .. } in &groups {
            out.push(members.iter().map(|m| index.accounts[m.account as usize]).collect());
        }
    }
    out
}

fn partners(index: &Index, tables: &Tables) -> Partners {
    let mut rank = std::collections::HashMap::new();
    for (r, &id) in index.accounts.iter().enumerate() { rank.insert(id, r as u32); }
    let mut list: Vec<(u32, u32, u32)> = Vec::new();
    for batch in &tables[gather::REPEAT] {
        let (a, b, n) = (column_i32(batch, "a"), column_i32(batch, "b"), column_i32(batch, "objects"));
        let traces = column_i32(batch, "trace");
        for i in 0..a.len() {
            if traces[i] != index.trace.code() { continue; }
            if let (Some(&x), Some(&y)) = (rank.get(&a[i]), rank.get(&b[i])) {
                list.push((x, y, n[i] as u32));
                list.push((y, x, n[i] as u32));
            }
        }
    }
    list.sort_unstable();
    let mut starts = vec![0_u32; index.accounts.len() + 1];
    for (a, ..) in &list { starts[*a as usize + 1] += 1; }
    for i in 0..index.accounts.len() { starts[i + 1] += starts[i]; }
    Partners { starts, others: list.iter().map(|x| x.1).collect(), objects: list.iter().map(|x| x.2).collect() }
}

fn test_all(index: &Index, rates: &Rates, partners: &Partners, activity: &Activity, threads: usize) -> Family {
    let next = std::sync::atomic::AtomicUsize::new(0);
    const BLOCK: usize = 64;
    let n_objects = index.objects.len();
    let n_accounts = index.accounts.len();
    let object_blocks = n_objects.div_ceil(BLOCK);
    let blocks = object_blocks + n_accounts.div_ceil(BLOCK);
    let results = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut examiner = Examiner::new(index, rates, partners);
                loop {
                    let block = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if block >= blocks { break; }
                    let mut family = Family { tested: Vec::new(), size: 0 };
                    if block < object_blocks {
                        for object in block * BLOCK..n_objects.min((block + 1) * BLOCK) {
                            sets::moments(index, object as u32, |set| {
                                sets::consider(&mut examiner, index, activity, set, Some(object as u32), LEAST, &mut family);
                            });
                        }
                    } else {
                        let from = (block - object_blocks) * BLOCK;
                        for account in from..n_accounts.min(from + BLOCK) {
                            if let Some(set) = sets::repeat_audience(index, partners, activity, account as u32) {
                                sets::consider(&mut examiner, index, activity, set, None, LEAST, &mut family);
                            }
                        }
                    }
                    results.lock().expect("x").push((block, family));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("x");
    results.sort_by_key(|r| r.0);
    let mut all = Family { tested: Vec::new(), size: 0 };
    for (_, f) in results { all.size += f.size; all.tested.extend(f.tested); }
    all
}
