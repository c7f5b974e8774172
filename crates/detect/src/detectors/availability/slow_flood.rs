//! *Reports* many connections that are held open while hardly anything is sent (slow headers, slow
//! bodies, slow reads, idle connections), and logs full of requests that timed out.
//!
//! *Why it matters.* A server has a limited number of connections. A few hundred that never end keep all visitors
//! out at a few bytes a second, which no limit of rates or bandwidth notices.
//!
//! *Needs* flows in both directions with durations, or an access log (better one with the time each request
//! took).
//!
//! *How.* Two views, each enough by itself.
//!
//! 1. Flows of TCP that were accepted, last 10 s or longer, and carry at most two packets and 200 bytes a second
//!    in either direction, by server and port; ports of services whose connections
//!    idle by nature (SSH, mail boxes, databases, queues, directories, shared files) are left out. At least 100 must be open at the same
//!    time, eight spreads above what is usual, and they must have been *begun* in the recording. Four in five must
//!    wait in the middle of a request or an answer: fewer than 100 bytes of data came back, or twelve packets and
//!    more were sent with fewer than 100 bytes each, or fifteen came back like that. (A visitor's or a proxy's
//!    connection idles as long, but after it was served.) And either each client
//!    holds ten or more on average and nine in ten got less than 4,096 bytes of data back; or, of many clients,
//!    nine in ten got less than 1,500 bytes and four in five sent less than that.
//! 2. Requests, by host and five minutes, that ended with 408, or lasted 20 s or longer and ended with 400, 499 or fewer than 1,000
//!    bytes: at least 100, eight spreads above what is usual, and three in ten of all requests.
//!
//! *Benign causes and blind spots.* Long polling and server-sent events hold connections on purpose: they are
//! usual every day, and a cold start does not know that; declare who polls. Mobile clients on a bad network time out, but not by the hundred.
//! Browsers open a connection in advance and log 408, a few for each client. Silent: fewer than 100 at a time (small
//! pools), slow attacks inside TLS on a server that is seen from flows only if more than 1,500 bytes of
//! certificates were sent before and each client holds few.
//!
//! *Next step for the operator.* Lower the time-outs for headers and bodies, set a least rate, and limit
//! connections for each client; put a proxy in front that holds slow clients itself.

mod flows;
mod requests;

use std::sync::Arc;

use domain::{BenignCause, Finding, Technique};

use crate::case::Case;
use crate::catalogue::Detector;
use crate::engine::{Gather, Input, MakeKernel, Step, folding};

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "slow-flood",
    summary: "many connections or requests that are held open while hardly anything is sent",
    gather,
    judge,
};

/// Fewest at a time, or in five minutes: the smallest pools of common servers have some 150 places.
const LEAST: i64 = 100;
/// Spreads above the median.
const SPREADS: f64 = 8.0;

fn gather(settings: &crate::Settings) -> Gather {
    let seed = settings.seed;
    let step = |name, from, by, order, kernel: Arc<dyn MakeKernel>| Step {
        name,
        from,
        by,
        order,
        combine: None,
        kernel,
        small: false,
        keep: true,
        partitions: 64,
    };
    let flows = step(
        flows::HELD,
        vec![Input::mapped(traffic::Kind::Flow, flows::held)],
        &["dst_hi", "dst_lo", "port"],
        &["time"],
        folding(move || flows::Held::new(seed)),
    );
    let requests = step(
        requests::SLOW,
        vec![Input::mapped(traffic::Kind::Request, requests::slow)],
        &["host", "window"],
        &["slow", "client_hi", "client_lo"],
        folding(move || requests::Slow::new(seed)),
    );
    Gather { name: DETECTOR.name, reach_ms: i64::MAX, steps: vec![flows, requests] }
}

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = flows::judge(case);
    findings.extend(requests::judge(case));
    findings
}

fn benign_causes() -> Vec<BenignCause> {
    let cause = |name: &str, why: &str| BenignCause { name: name.to_owned(), why: why.to_owned() };
    vec![
        cause(
            "long-polling",
            "Pages that wait for news hold connections on purpose; ask whether such a page went on the air.",
        ),
        cause("slow-network", "Clients behind one bad line time out together, and come from one network."),
    ]
}

fn next_step() -> String {
    "Lower the time-outs for headers and bodies, demand a least rate, and limit connections for each client; a proxy in \
     front that takes whole requests before it passes them on is the cure."
        .to_owned()
}

fn techniques() -> Vec<Technique> {
    vec![Technique("ATTACK:T1499.002".to_owned())]
}
