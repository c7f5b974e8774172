//! A site that nobody recorded, for tests that must run without recordings.

use traffic::request::{Method, Request, Resource};
use traffic::{Address, Seed, Texts};

use super::learn::{AGENTS, HOST, Learnt};
use crate::random::Random;

const PAGES: usize = 40;
const VISITS: usize = 900;

/// What a made-up log of a results site teaches. Its visits are simpler than people's; figures for an
/// evaluation need a recorded log.
pub fn invented(seed: Seed) -> Learnt {
    let mut random = Random::new(0x1_517e, 0);
    let mut texts = Texts::default();
    let mut text = |text: &str| {
        let id = seed.text(text.as_bytes());
        texts.keep(id, text.as_bytes());
        id
    };
    let host = text(HOST);
    let (search, search_path) = (text("search.example"), text("/"));
    let agents: Vec<i64> = AGENTS.iter().map(|agent| text(agent)).collect();
    let pages: Vec<i64> = (0..PAGES)
        .map(|n| text(&if n == 0 { "/".to_owned() } else { format!("/districts/{n}.html") }))
        .collect();
    let common = [text("/static/site.css"), text("/static/site.js"), text("/static/logo.svg")];
    let own: Vec<i64> = (0..PAGES).map(|n| text(&format!("/static/map-{n}.png"))).collect();
    let mut rows = Vec::new();
    for visit in 0..VISITS {
        let address = Address::v4(0xcb00_7100 + visit as u32);
        let agent = agents[random.zipf(agents.len())];
        let warm = random.chance(0.2);
        let mut time = 1000 * random.below(40_000) as i64;
        let mut from = if random.chance(0.6) { (search, search_path) } else { (-1, -1) };
        for _ in 0..=random.exponential(2.0) as usize {
            let page = random.zipf(PAGES);
            let row = Request {
                peer_hi: address.hi,
                peer_lo: address.lo,
                time,
                method: Method::Get.code(),
                path: pages[page],
                referer_host: from.0,
                referer_path: from.1,
                agent,
                status: 200,
                bytes: 4_000 + page as i64 * 100,
                ..Request::EMPTY
            };
            rows.push(row);
            from = (host, pages[page]);
            for asset in common.iter().chain([&own[page]]).filter(|_| !warm) {
                rows.push(Request {
                    time: time + random.below(3) as i64 * 1000,
                    path: *asset,
                    resource: Resource::Asset.code(),
                    referer_host: from.0,
                    referer_path: from.1,
                    ..row
                });
            }
            time += 1000 * (4.0 + random.exponential(60.0)) as i64;
        }
    }
    Learnt::new(&rows, &texts, seed).expect("internal error: each visit asks for a page")
}
