//! The picture of a group: who leads, how close the others follow, who is tied to whom.
//!
//! Left to right is time: the median lag behind the group's first share. Up and down means nothing
//! and only keeps nodes apart. The layout is arithmetic without chance, so the same group always
//! looks the same. It is drawn twice, for wide and for narrow screens; the style sheet shows one.

use std::collections::BTreeMap;

use domain::{Member, Tie};
use maud::{Markup, html};

use super::scale::{Axis, lag, px};
use crate::words::{counted, figure as number, seconds, shown, thousands};

/// Nodes that can still be told apart.
const NODES: usize = 60;

/// Ties that can still be told apart.
const TIES: usize = 300;

/// The figure with its heading and its caption. Takes members surest first and ties strongest first.
pub(super) fn figure(members: &[Member], ties: &[Tie]) -> Markup {
    let drawn = &members[..members.len().min(NODES)];
    let places: BTreeMap<&str, usize> =
        drawn.iter().enumerate().map(|(i, member)| (member.account.as_str(), i)).collect();
    let among: Vec<Line> = ties
        .iter()
        .filter_map(|tie| {
            let (a, b) = (*places.get(tie.a.as_str())?, *places.get(tie.b.as_str())?);
            Some(Line { a, b, tie })
        })
        .collect();
    let lines = &among[..among.len().min(TIES)];
    let alternative = alternative(drawn, lines);
    html! {
        figure {
            h3 { "Who leads, who follows" }
            figcaption {
                p {
                    "Each circle is an account, with its number in the table of members. The further left, the sooner it "
                    "shares; seconds near zero get more room. The larger, the more objects on which it was in step. "
                    "The wider a line, the more objects two accounts shared in step."
                    @if members.len() > NODES { " Drawn are the " (NODES) " surest of " (thousands(members.len() as u64)) " accounts." }
                    @if among.len() > TIES { " Drawn are the " (TIES) " strongest of " (thousands(among.len() as u64)) " ties among them." }
                }
            }
            (picture(drawn, lines, &WIDE, &alternative))
            (picture(drawn, lines, &NARROW, &alternative))
        }
    }
}

/// A tie between two drawn members, by their places.
struct Line<'a> {
    a: usize,
    b: usize,
    tie: &'a Tie,
}

/// The measures of one of the two drawings, in CSS pixels.
struct Sheet {
    class: &'static str,
    /// Words for a pointer that rests: the narrow drawing is for fingers, which have no such.
    hints: bool,
    width: f64,
    /// Groups up to this size get names beside the circles.
    named: usize,
    /// Height that each node adds.
    per_node: f64,
    /// Least distance of two marks on the axis.
    mark_gap: f64,
}

const WIDE: Sheet =
    Sheet { class: "wide", hints: true, width: 912.0, named: 20, per_node: 12.0, mark_gap: 52.0 };
const NARROW: Sheet =
    Sheet { class: "narrow", hints: false, width: 356.0, named: 12, per_node: 18.0, mark_gap: 44.0 };

/// Room above the nodes, and beside them.
const MARGIN: f64 = 20.0;

/// Room for the axis below the nodes.
const FOOT: f64 = 44.0;

/// A member's circle.
struct Node {
    x: f64,
    y: f64,
    r: f64,
    /// Where the words beside it begin or, on the left, end.
    label_x: f64,
    on_left: bool,
}

fn picture(members: &[Member], lines: &[Line<'_>], sheet: &Sheet, alternative: &str) -> Markup {
    let axis = axis(members, sheet);
    let (nodes, bottom) = place(members, &axis, sheet);
    let height = bottom + FOOT;
    let marks = axis.marks(sheet.mark_gap);
    let named = members.len() <= sheet.named;
    html! {
        svg class=(sheet.class) viewBox={ "0 0 " (px(sheet.width)) " " (px(height)) } role="img" aria-label=(alternative) {
            @for mark in &marks {
                @let x = px(axis.at(*mark));
                line.axis x1=(x) x2=(x) y1="4" y2=(px(bottom + 4.0)) {}
                text x=(x) y=(px(bottom + 20.0)) text-anchor="middle" { (seconds(*mark)) }
            }
            text x=(px(axis.from)) y=(px(bottom + 40.0)) { "median lag behind the group’s first share" }
            (ties(lines, &nodes, sheet))
            @for (n, (member, node)) in members.iter().zip(&nodes).enumerate() {
                g {
                    @if sheet.hints { title {
                        (n + 1) ": " (shown(&member.account, 48)) ", in step on " (counted(member.in_step.into(), "object", "objects"))
                        ", " (number(member.expected)) " expected, lag " (seconds(member.median_lag_s))
                    } }
                    circle.node cx=(px(node.x)) cy=(px(node.y)) r=(px(node.r)) {}
                    @if named {
                        text.in x=(px(node.x)) y=(px(node.y + 5.0)) text-anchor="middle" { (n + 1) }
                    }
                    text.name.halo x=(px(node.label_x)) y=(px(node.y + 5.0)) text-anchor=[node.on_left.then_some("end")] {
                        (label(n, member, named))
                    }
                }
            }
        }
    }
}

fn label(n: usize, member: &Member, named: bool) -> String {
    if named { shown(&member.account, 10) } else { (n + 1).to_string() }
}

fn axis(members: &[Member], sheet: &Sheet) -> Axis {
    let slowest = members.iter().map(|m| lag(m.median_lag_s)).fold(0.0, f64::max);
    Axis { from: MARGIN + 4.0, to: sheet.width - MARGIN - 16.0, max_s: slowest.max(1.0), stretched: true }
}

/// Puts each node at its time, and up or down where it covers neither a node nor a label. Gives the
/// nodes in the order of the members, and the lowest point that is used.
fn place(members: &[Member], axis: &Axis, sheet: &Sheet) -> (Vec<Node>, f64) {
    let named = members.len() <= sheet.named;
    let height = (120.0 + sheet.per_node * members.len() as f64).min(640.0);
    let most = members.iter().map(|m| m.in_step).max().unwrap_or(1).max(1);
    let (least_r, most_r) = if named { (11.0, 17.0) } else { (5.0, 10.0) };

    // Neighbours in time are sent to different heights, so that the ties between them can be seen.
    let mut in_time: Vec<usize> = (0..members.len()).collect();
    in_time.sort_by(|a, b| {
        lag(members[*a].median_lag_s).total_cmp(&lag(members[*b].median_lag_s)).then(a.cmp(b))
    });
    let mut wish = vec![0.0; members.len()];
    for (turn, member) in in_time.into_iter().enumerate() {
        wish[member] = MARGIN + spread(turn) * (height - 2.0 * MARGIN);
    }

    let mut taken: Vec<[f64; 4]> = Vec::new();
    let mut nodes = Vec::with_capacity(members.len());
    for (n, member) in members.iter().enumerate() {
        let share = f64::from(member.in_step) / f64::from(most);
        let r = least_r + (most_r - least_r) * share.sqrt();
        let x = axis.at(member.median_lag_s);
        let words = 8.2 * label(n, member, named).chars().count() as f64 + 6.0;
        let on_left = x + r + words > sheet.width;
        let (left, right) = if on_left { (x - r - words, x + r) } else { (x - r, x + r + words) };
        let half = r.max(9.0) + 1.5;
        let free = |y: f64| {
            taken.iter().all(|[l, t, w, b]| right < *l || left > *w || y + half < *t || y - half > *b)
        };
        let y = nearest_free(wish[n], MARGIN, height - MARGIN, free);
        taken.push([left, y - half, right, y + half]);
        nodes.push(Node { x, y, r, label_x: if on_left { x - r - 4.0 } else { x + r + 4.0 }, on_left });
    }
    let bottom = nodes.iter().map(|node| node.y + node.r.max(9.0) + 8.0).fold(60.0, f64::max);
    (nodes, bottom)
}

/// The free height nearest to the wish: between top and bottom where there is one, else below.
fn nearest_free(wish: f64, top: f64, bottom: f64, free: impl Fn(f64) -> bool) -> f64 {
    let reach = ((bottom - top) / 4.0) as u32;
    let within = (0..=reach).flat_map(|step| {
        let away = 4.0 * f64::from(step);
        [wish + away, wish - away]
    });
    within
        .filter(|y| (top..=bottom).contains(y))
        .chain((1..10_000_u32).map(|step| bottom + 4.0 * f64::from(step)))
        .find(|y| free(*y))
        .unwrap_or(wish)
}

/// The van der Corput sequence to base 2: 1/2, 1/4, 3/4, 1/8, … Each new point falls into a widest gap.
fn spread(turn: usize) -> f64 {
    let (mut n, mut share, mut place) = (turn + 1, 0.5, 0.0);
    while n > 0 {
        if n % 2 == 1 {
            place += share;
        }
        n /= 2;
        share /= 2.0;
    }
    place
}

/// Arcs, the strongest on top. They bend, and the more the steeper they are, so that ties in one
/// column do not hide each other.
fn ties(lines: &[Line<'_>], nodes: &[Node], sheet: &Sheet) -> Markup {
    let most = lines.iter().map(|line| line.tie.objects).max().unwrap_or(1).max(1);
    let opacity = (24.0 / lines.len().max(1) as f64).clamp(0.16, 0.5);
    html! {
        g stroke-opacity=(format!("{opacity:.2}")) {
            @for line in lines.iter().rev() {
                @let width = 0.8 + 5.2 * f64::from(line.tie.objects) / f64::from(most);
                path.tie d=(arc(&nodes[line.a], &nodes[line.b])) stroke-width=(px(width)) {
                    @if sheet.hints { title {
                        (line.a + 1) " and " (line.b + 1) ": " (counted(line.tie.objects.into(), "object", "objects"))
                        " in step, " (number(line.tie.expected)) " expected, median gap " (seconds(line.tie.median_gap_s))
                    } }
                }
            }
        }
    }
}

fn arc(a: &Node, b: &Node) -> String {
    let (a, b) = if (a.y, a.x) <= (b.y, b.x) { (a, b) } else { (b, a) };
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let bend = 0.1 + 0.22 * (1.0 - dx.abs() / length);
    let (x, y) = (f64::midpoint(a.x, b.x) + dy * bend, f64::midpoint(a.y, b.y) - dx * bend);
    format!("M{} {}Q{} {} {} {}", px(a.x), px(a.y), px(x), px(y), px(b.x), px(b.y))
}

/// The picture in words, for those who do not see it.
fn alternative(members: &[Member], lines: &[Line<'_>]) -> String {
    let lags = members.iter().map(|m| lag(m.median_lag_s));
    let (soonest, latest) = (lags.clone().fold(f64::INFINITY, f64::min), lags.fold(0.0, f64::max));
    let leads = members.iter().enumerate().max_by_key(|(n, m)| (m.led, std::cmp::Reverse(*n)));
    let mut words = format!(
        "Network of {} joined by {}. Median lags run from {} to {}.",
        counted(members.len() as u64, "account", "accounts"),
        counted(lines.len() as u64, "tie", "ties"),
        seconds(soonest),
        seconds(latest),
    );
    if let Some((n, leader)) = leads.filter(|(_, m)| m.led > 0) {
        let times = counted(leader.led.into(), "time", "times");
        words.extend([" Number ", &(n + 1).to_string(), " led most often: ", &times, "."]);
    }
    if let Some(line) = lines.first() {
        let objects = counted(line.tie.objects.into(), "object", "objects");
        let (a, b) = ((line.a + 1).to_string(), (line.b + 1).to_string());
        words.extend([" The strongest tie joins ", &a, " and ", &b, " by ", &objects, "."]);
    }
    words + " The table of members has the figures."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn no_circle_covers_another_and_time_runs_to_the_right() {
        for n in [3, 12, 60] {
            let members = sample::finding(n).evidence.members;
            for sheet in [&WIDE, &NARROW] {
                let (nodes, bottom) = place(&members, &axis(&members, sheet), sheet);
                for (i, a) in nodes.iter().enumerate() {
                    assert!(a.y - a.r >= 0.0 && a.y + a.r <= bottom && a.x + a.r <= sheet.width, "{n}");
                    for (j, b) in nodes.iter().enumerate().take(i) {
                        let apart = ((a.x - b.x).powi(2) + (a.y - b.y).powi(2)).sqrt();
                        assert!(apart >= a.r + b.r, "{n}: {i} covers {j}");
                        if members[i].median_lag_s < members[j].median_lag_s {
                            assert!(a.x < b.x);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_group_in_perfect_step_still_has_room() {
        let mut members = sample::finding(60).evidence.members;
        for member in &mut members {
            member.median_lag_s = 0.0;
        }
        let (nodes, bottom) = place(&members, &axis(&members, &WIDE), &WIDE);
        assert!(nodes.iter().all(|node| node.x == nodes[0].x));
        assert!(bottom < 2_000.0);
    }

    #[test]
    fn a_crowd_is_cut_and_says_so() {
        let evidence = sample::finding(80).evidence;
        let drawn = figure(&evidence.members, &evidence.ties).into_string();
        assert!(drawn.contains("Drawn are the 60 surest of 80 accounts."));
        assert!(drawn.contains("Drawn are the 300 strongest of"));
        assert_eq!(drawn.matches("<circle").count(), 2 * NODES);
    }

    #[test]
    fn heights_are_spread() {
        assert_eq!([0, 1, 2, 3].map(spread), [0.5, 0.25, 0.75, 0.125]);
    }
}
