//! What a rise may be instead, the likeliest first.

use domain::{BenignCause, ExpectedEvent, Verdict};

use crate::case::Case;

use super::verdict::Event;
use super::weights::Sign;

/// Share of requests with machine evidence from which a sign is worth a word.
const WORTH: f64 = 0.2;

pub(super) fn ranked(case: &Case<'_>, event: &Event) -> Vec<BenignCause> {
    let seen = event.strongest();
    let shares = super::score::reasons(&seen.look);
    let shown = |sign: Sign| shares.iter().find(|(one, _)| *one == sign).map_or(0.0, |(_, share)| *share);
    let planned = case.settings.site.events_in(event.from, event.until, None).next();
    let mut causes: Vec<(f64, &str, String)> = Vec::new();
    let people = match event.verdict {
        Verdict::FlashCrowd => 3.0,
        Verdict::Unsure => 2.0,
        Verdict::Mixed => 1.0,
        Verdict::Attack => 0.2,
    };
    let why = match planned {
        Some(event) => format!("The calendar has \"{}\" at that time.", event.name),
        None => "Nothing is in the calendar; news spreads without it.".to_owned(),
    };
    causes.push((people + if planned.is_some() { 0.5 } else { 0.0 }, "flash-crowd", why));
    let polls = shown(Sign::PollSlow) + shown(Sign::PollFast);
    if polls >= WORTH {
        let embeds = case.settings.site.embeds.len();
        causes.push((
            1.5 * polls,
            "new-app-or-embed",
            format!(
                "{:.0} % of the requests with machine evidence poll data without a page, as a new app or an embedding \
                 site does; {embeds} embeds are declared.",
                100.0 * polls
            ),
        ));
    }
    let many = shown(Sign::ManyRequests);
    causes.push((
        0.6 * many + 0.1,
        "monitors-and-newsrooms",
        "Programs of newsrooms, monitors and authorities are busy on such nights; declare them, and they are spared."
            .to_owned(),
    ));
    let bare = shown(Sign::BareTwo) + shown(Sign::BareFour) + shown(Sign::BareOne);
    if bare >= WORTH {
        causes.push((
            0.3 * bare,
            "assets-moved",
            "Pages without pictures and styles also come about when those have just moved to another host."
                .to_owned(),
        ));
    }
    if shown(Sign::NotFoundFew) + shown(Sign::NotFoundMany) >= WORTH {
        causes.push((
            0.5,
            "broken-link",
            "A broken link on a busy page sends many people to what does not exist; they would all ask for the same."
                .to_owned(),
        ));
    }
    causes.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    causes.into_iter().map(|(_, name, why)| BenignCause { name: name.to_owned(), why }).collect()
}

/// Of a series of counts.
pub(super) fn of_counts(event: Option<&ExpectedEvent>) -> Vec<BenignCause> {
    let why = match event {
        Some(event) => format!("The calendar has \"{}\" at that time.", event.name),
        None => "People come in bursts, and counts do not show who came.".to_owned(),
    };
    vec![
        BenignCause { name: "flash-crowd".to_owned(), why },
        BenignCause {
            name: "crawler".to_owned(),
            why: "One busy program is enough at a site with few requests.".to_owned(),
        },
    ]
}
