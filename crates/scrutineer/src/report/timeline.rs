//! The picture of bursts: one lane per shared object, a dot per share, seconds from left to right.

use std::collections::BTreeMap;

use domain::{Sample, SharedObject};
use maud::{Markup, html};

use super::scale::{Axis, lag, px, round_up};
use crate::words::{counted, percent, seconds, shown, thousands};

/// Lanes that a reader will follow.
const LANES: usize = 24;

/// Width of the slots into which shares are gathered, in pixels: closer dots could not be told apart.
const SLOT: f64 = 14.0;

/// The figure with its heading and its caption. Objects are in order of time.
pub(super) fn figure(objects: &[SharedObject], samples: &[Sample], window_s: Option<u64>) -> Markup {
    let lanes = lanes(objects, samples);
    let dots: u64 = lanes.iter().map(|lane| lane.lags.len() as u64).sum();
    let shares: u64 = lanes.iter().map(|lane| u64::from(lane.object.in_step)).sum();
    let reach = lanes.iter().map(|lane| lag(lane.object.span_s)).fold(0.0, f64::max);
    // The window belongs on the axis unless it would squeeze the bursts against its left end.
    let window = window_s.map(|w| w as f64).filter(|w| *w <= 6.0 * reach.max(1.0));
    let end = Axis {
        max_s: round_up(reach.max(window.unwrap_or(0.0))),
        // One late straggler would squeeze all other bursts into a point.
        stretched: reach > 6.0 * window_s.map_or(reach, |w| w as f64),
        from: 0.0,
        to: 0.0,
    };
    let alternative = alternative(&lanes);
    html! {
        figure {
            h3 { "How close together" }
            figcaption {
                p {
                    "One row per shared object, the earliest on top. Time runs from the first share in step; the band "
                    "reaches to the last one in step. A dot is a share, a larger dot is several at nearly the same moment."
                    @if end.stretched { " Seconds near zero get more room." }
                    @if objects.len() > LANES {
                        " Drawn are the " (LANES) " objects with most members in step, of " (thousands(objects.len() as u64)) "."
                    }
                    @if dots < shares {
                        " Dots are drawn for the rows that were kept: " (thousands(dots)) " of " (thousands(shares)) "."
                    }
                    @if let (Some(w), None) = (window_s, window) { " The window of " (seconds(w as f64)) " is wider than the picture." }
                }
            }
            (picture(&lanes, end, window, &WIDE, &alternative))
            (picture(&lanes, end, window, &NARROW, &alternative))
        }
    }
}

/// One object with the lags of its sample rows, in seconds.
struct Lane<'a> {
    number: usize,
    object: &'a SharedObject,
    lags: Vec<f64>,
}

/// The measures of one of the two drawings, in CSS pixels.
struct Sheet {
    class: &'static str,
    width: f64,
    /// Where the axis begins and ends.
    axis: [f64; 2],
    /// Height of a lane, with its words where they stand above it.
    lane: f64,
    /// Distance from the top of a lane to the middle of its band.
    middle: f64,
    /// Letters of a name that fit.
    letters: usize,
}

const WIDE: Sheet =
    Sheet { class: "wide", width: 912.0, axis: [312.0, 690.0], lane: 36.0, middle: 18.0, letters: 34 };
const NARROW: Sheet =
    Sheet { class: "narrow", width: 356.0, axis: [12.0, 340.0], lane: 76.0, middle: 54.0, letters: 40 };

/// The objects with most members in step, in order of time.
fn lanes<'a>(objects: &'a [SharedObject], samples: &[Sample]) -> Vec<Lane<'a>> {
    let mut lags: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        lags.entry(&sample.object).or_default().push(lag(sample.lag_s));
    }
    for lags in lags.values_mut() {
        // A member may have shared the object long before the burst. Only the burst is drawn.
        let first = lags.iter().copied().fold(f64::INFINITY, f64::min);
        for lag in lags {
            *lag -= first;
        }
    }
    let mut chosen: Vec<usize> = (0..objects.len()).collect();
    chosen.sort_by_key(|&i| (std::cmp::Reverse(objects[i].in_step), i));
    chosen.truncate(LANES);
    chosen.sort_unstable();
    chosen
        .into_iter()
        .map(|i| Lane {
            number: i + 1,
            object: &objects[i],
            lags: lags.get(objects[i].object.as_str()).cloned().unwrap_or_default(),
        })
        .collect()
}

fn picture(lanes: &[Lane<'_>], end: Axis, window: Option<f64>, sheet: &Sheet, alternative: &str) -> Markup {
    let axis = Axis { from: sheet.axis[0], to: sheet.axis[1], ..end };
    let top = 24.0;
    let bottom = top + sheet.lane * lanes.len() as f64 + 4.0;
    let marks = axis.marks(48.0);
    html! {
        svg class=(sheet.class) viewBox={ "0 0 " (px(sheet.width)) " " (px(bottom + 44.0)) } role="img" aria-label=(alternative) {
            @for mark in &marks {
                @let x = px(axis.at(*mark));
                line.axis x1=(x) x2=(x) y1=(px(top)) y2=(px(bottom)) {}
                text x=(x) y=(px(bottom + 18.0)) text-anchor="middle" { (seconds(*mark)) }
            }
            text x=(px(axis.from)) y=(px(bottom + 38.0)) { "after the first share in step" }
            @if let Some(window) = window {
                @let x = axis.at(window);
                line.limit x1=(px(x)) x2=(px(x)) y1=(px(top - 4.0)) y2=(px(bottom)) {}
                text x=(px(x)) y=(px(top - 10.0)) text-anchor=(if x < 100.0 { "start" } else { "end" }) { "window " (seconds(window)) }
            }
            @for (n, lane) in lanes.iter().enumerate() {
                (burst(lane, &axis, top + sheet.lane * n as f64, sheet))
            }
        }
    }
}

fn burst(lane: &Lane<'_>, axis: &Axis, top: f64, sheet: &Sheet) -> Markup {
    let object = lane.object;
    let middle = top + sheet.middle;
    let band = (axis.at(object.span_s) - axis.from).max(0.0) + 12.0;
    let name = format!("{}  {}", lane.number, tail(&object.object, sheet.letters));
    let counts = format!(
        "{} of {} in step, {}",
        thousands(object.in_step.into()),
        thousands(object.members.into()),
        counted(object.others.into(), "other", "others")
    );
    html! {
        @if is_narrow(sheet) {
            text.name.halo x="0" y=(px(top + 16.0)) { (name) }
            text.halo x="0" y=(px(top + 34.0)) { (counts) }
        } @else {
            text.name x="0" y=(px(middle + 5.0)) { (name) }
            text x=(px(sheet.width)) y=(px(middle + 5.0)) text-anchor="end" { (counts) }
        }
        rect.band x=(px(axis.from - 6.0)) y=(px(middle - 10.0)) width=(px(band)) height="20" rx="10" {}
        @for (seconds_after, count) in slots(&lane.lags, axis) {
            @let (x, r) = (px(axis.at(seconds_after)), radius(count));
            circle.dot cx=(x) cy=(px(middle)) r=(px(r)) {
                @if !is_narrow(sheet) { title { (counted(count, "share", "shares")) " " (seconds(seconds_after)) " after the first" } }
            }
            @if count >= 6 {
                text.in x=(x) y=(px(middle + 5.0)) text-anchor="middle" { (count) }
            }
        }
        @let later = lane.lags.iter().filter(|s| **s > axis.max_s).count() as u64;
        @if later > 0 {
            text.later x=(px(axis.to + 6.0)) y=(px(middle - 9.0)) text-anchor="end" { (later) " later →" }
        }
    }
}

/// Shares gathered by slot: the mean lag and the number of each. Later ones than the axis holds are
/// left to the caller.
fn slots(lags: &[f64], axis: &Axis) -> Vec<(f64, u64)> {
    let mut slots: BTreeMap<i64, (f64, u64)> = BTreeMap::new();
    for &lag in lags.iter().filter(|s| **s <= axis.max_s) {
        let slot = slots.entry(((axis.at(lag) - axis.from) / SLOT).round() as i64).or_default();
        slot.0 += lag;
        slot.1 += 1;
    }
    slots.into_values().map(|(sum, count)| (sum / count as f64, count)).collect()
}

/// Area in proportion to the number, up to what the lane holds; the number itself is then written.
fn radius(count: u64) -> f64 {
    (4.0 * (count as f64).sqrt()).min(9.5)
}

fn is_narrow(sheet: &Sheet) -> bool {
    sheet.class == NARROW.class
}

/// A name cut in the middle: the end of a URL tells more than its start. The scheme is left out.
fn tail(name: &str, letters: usize) -> String {
    let bare = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    let count = bare.chars().count();
    if count <= letters {
        return shown(bare, 4 * letters);
    }
    let (start, end) = (letters / 2, letters - letters / 2 - 1);
    let head: String = bare.chars().take(start).collect();
    let last: String = bare.chars().skip(count - end).collect();
    // A hostile character is written in eight letters; the cut keeps even a name full of them short.
    shown(&format!("{}…{}", shown(&head, letters), shown(&last, letters)), letters + 16)
}

/// The picture in words, for those who do not see it.
fn alternative(lanes: &[Lane<'_>]) -> String {
    let spans = lanes.iter().map(|lane| lag(lane.object.span_s));
    let (shortest, longest) = (spans.clone().fold(f64::INFINITY, f64::min), spans.fold(0.0, f64::max));
    let most =
        lanes.iter().map(|lane| lane.object.expected_rate).filter(|r| r.is_finite()).fold(0.0, f64::max);
    format!(
        "Timeline of {}. Members in step were done within {} to {} of the first share; the objects’ own popularity \
         would bring at most {} of members in step. The table below has the figures.",
        counted(lanes.len() as u64, "object", "objects"),
        seconds(shortest),
        seconds(longest),
        percent(most),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_share_is_drawn_or_counted() {
        let evidence = sample::finding(12).evidence;
        let axis = Axis { from: 0.0, to: 400.0, max_s: 10.0, stretched: false };
        for lane in lanes(&evidence.objects, &evidence.samples) {
            let drawn: u64 = slots(&lane.lags, &axis).iter().map(|slot| slot.1).sum();
            let later = lane.lags.iter().filter(|s| **s > axis.max_s).count() as u64;
            assert_eq!(drawn + later, u64::from(lane.object.in_step));
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let evidence = sample::finding(80).evidence;
        let objects: Vec<SharedObject> = evidence.objects.iter().cycle().take(30).cloned().collect();
        let drawn = figure(&objects, &evidence.samples[..20], Some(20)).into_string();
        assert!(drawn.contains("the 24 objects with most members in step, of 30."));
        assert!(drawn.contains("Dots are drawn for the rows that were kept"));
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(tail("https://example.org/a", 34), "example.org/a");
        assert_eq!(tail("https://example.org/politik/2021/wahl", 16), "example.…21/wahl");
    }
}
