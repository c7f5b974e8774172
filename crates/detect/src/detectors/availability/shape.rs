//! What a minute of one class of packets towards one address looks like, and whether that is a flood.

use traffic::Address;

use crate::engine::record;
use crate::stats::counts::add;
use crate::stats::entropy::Entropy;

use super::by_minute::Packet;
use super::packets::Class;
use super::vectors;

record!(
    /// Facts of one class in one minute. Shares are of packets, in thousandths.
    #[derive(Debug, Default, PartialEq, Eq)]
    pub(super) struct Shape {
        pub(super) packets: i64,
        pub(super) bytes: i64,
        /// Packets that the sensor looked at: fewer where it samples.
        pub(super) observed: i64,
        /// Distinct sources among those.
        pub(super) sources: i64,
        /// How even the sources are (Pielou's index).
        pub(super) evenness: i64,
        /// Sources that sent at most two packets that were looked at, of all sources.
        pub(super) few: i64,
        /// Packets of which it is known whether something came back.
        pub(super) known: i64,
        /// Of those, packets to which nothing did.
        pub(super) unanswered: i64,
        /// Packets of the most frequent length.
        pub(super) one_length: i64,
        /// Packets to the most frequent destination port.
        pub(super) one_port: i64,
        /// Distinct destination ports.
        pub(super) ports: i64,
        /// Sources that are ports of a TCP service that reflects.
        pub(super) service: i64,
        /// Source ports of UDP services that amplify, each with a tenth at least, without peers of one port.
        pub(super) reflector: i64,
        /// The most frequent of those, 0 where there is none.
        pub(super) reflector_port: i64,
        /// ECE and CWR on a SYN.
        pub(super) marked: i64,
        /// Refused by the destination.
        pub(super) rejected: i64,
        /// Source port and destination port are the same.
        pub(super) same_port: i64,
        /// Source port below 1024.
        pub(super) privileged: i64,
        /// Mean bytes of packets from the reflectors.
        pub(super) reflector_length: i64,
        /// The most frequent destination port.
        pub(super) top_port: i64,
    }
);

/// Numbers that a shape is.
pub(super) const NUMBERS: usize = 21;

impl Shape {
    /// As numbers, for the tables of the engine.
    pub(super) fn numbers(&self) -> [i64; NUMBERS] {
        [
            self.packets,
            self.bytes,
            self.observed,
            self.sources,
            self.evenness,
            self.few,
            self.known,
            self.unanswered,
            self.one_length,
            self.one_port,
            self.ports,
            self.service,
            self.reflector,
            self.reflector_port,
            self.marked,
            self.rejected,
            self.same_port,
            self.privileged,
            self.reflector_length,
            self.top_port,
            0,
        ]
    }

    /// From those.
    pub(super) fn of(numbers: &[i64; NUMBERS]) -> Self {
        Self {
            packets: numbers[0],
            bytes: numbers[1],
            observed: numbers[2],
            sources: numbers[3],
            evenness: numbers[4],
            few: numbers[5],
            known: numbers[6],
            unanswered: numbers[7],
            one_length: numbers[8],
            one_port: numbers[9],
            ports: numbers[10],
            service: numbers[11],
            reflector: numbers[12],
            reflector_port: numbers[13],
            marked: numbers[14],
            rejected: numbers[15],
            same_port: numbers[16],
            privileged: numbers[17],
            reflector_length: numbers[18],
            top_port: numbers[19],
        }
    }

    /// Mean length in bytes, headers included where the sensor counts them.
    pub(super) fn mean_length(&self) -> i64 {
        self.bytes / self.packets.max(1)
    }

    /// Fewest sources of a flood: 30, or fewer where little was looked at.
    fn least_sources(&self) -> i64 {
        if self.observed < 150 { (self.observed / 5).max(10) } else { 30 }
    }

    /// Sources are many.
    pub(super) fn many(&self) -> bool {
        self.sources >= self.least_sources()
    }

    /// No source stands out.
    pub(super) fn even(&self) -> bool {
        self.evenness >= 900
    }

    /// Of the packets of which it is known, fewer than one in twenty got an answer.
    fn without_answer(&self, answers: Answers) -> bool {
        match answers {
            Answers::Seen => self.known > 0 && self.unanswered * 1000 >= 950 * self.known,
            Answers::Unknown => false,
            Answers::Assumed => true,
        }
    }

    /// The features of a flood that the minute shows, in words.
    pub(super) fn features(&self, class: Class, answers: Answers) -> Vec<&'static str> {
        let mut features = Vec::new();
        let mut add = |holds: bool, words: &'static str| {
            if holds {
                features.push(words);
            }
        };
        add(self.many(), "many sources");
        add(self.even(), "no source stands out");
        add(self.without_answer(answers), "hardly any answer");
        add(self.one_length >= 800, "one length");
        add(class == Class::Syn && self.one_port >= 800, "one destination port");
        add(class == Class::SynAck && self.service >= 600, "from ports of services");
        add(class == Class::Udp && self.amplifies(), "from ports of services that amplify");
        features
    }

    /// Answers of services that amplify, and not their ordinary traffic.
    pub(super) fn amplifies(&self) -> bool {
        self.reflector >= 600 && self.reflector_length >= 100
    }

    /// True for a flood; otherwise many packets are only that.
    ///
    /// Sources must be many, and either none stands out or nothing is answered; and three features in
    /// all. Two exceptions: a few sources that never finish a handshake with one port are a flood
    /// whatever their number; and UDP in data that shows one direction only needs the mark of a
    /// service that amplifies, or one length towards a port of no UDP service.
    pub(super) fn is_flood(&self, class: Class, answers: Answers, asked: bool) -> bool {
        let answers = match answers {
            Answers::Seen if 2 * self.known < self.packets => Answers::Unknown,
            answers => answers,
        };
        if class == Class::Syn && self.is_few_source_syn() {
            return true;
        }
        if self.observed < 50 || !self.many() || !(self.even() || self.without_answer(answers)) {
            return false;
        }
        let enough = self.features(class, answers).len() >= 3;
        match class {
            // In a sample, packets of ordinary connections look the same.
            Class::Ack | Class::Null if self.is_sampled() => false,
            // Random ports are hit by floods and by scans; only a flood has a fresh source each time.
            Class::Syn => enough && (self.one_port >= 800 || self.is_spoofed()),
            Class::Udp if asked => false,
            Class::Udp if answers != Answers::Unknown => enough,
            // A resolver draws a port for each question (RFC 5452), so the answers that it did ask for
            // go to spread ports and are short.
            Class::Udp if self.amplifies() => {
                enough && (self.reflector_port != 53 || self.one_port >= 500 || self.reflector_length >= 400)
            }
            Class::Udp => {
                self.even()
                    && self.one_length >= 800
                    && self.one_port >= 800
                    && !vectors::UDP_SERVICES.iter().any(|&port| i64::from(port) == self.top_port)
            }
            _ => enough,
        }
    }

    /// The sensor did not look at all packets.
    pub(super) fn is_sampled(&self) -> bool {
        self.observed < self.packets
    }

    /// Sources that look drawn by chance: each sends once or twice.
    pub(super) fn is_spoofed(&self) -> bool {
        self.evenness >= 950 && self.few >= 900 && self.sources >= 30
    }

    /// One or a few sources that never finish a handshake with one port. Whoever merely retries is refused,
    /// and is slower by far.
    fn is_few_source_syn(&self) -> bool {
        self.sources < 30 && self.one_port >= 950 && self.rejected < 500 && self.observed >= 500
    }
}

/// What is known of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// The sensor sees answers of this address, so where none is recorded there was none.
    Seen,
    /// The sensor may see one direction only.
    Unknown,
    /// Taken to be missing, to ask whether a minute can be a flood at all.
    Assumed,
}

/// Counts by small number (port or length), with the touched ones remembered, so that a small group
/// costs little to clear.
pub(super) struct Histogram {
    counts: Vec<i64>,
    touched: Vec<u32>,
}

impl Histogram {
    pub(super) fn new(size: usize) -> Self {
        Self { counts: vec![0; size], touched: Vec::new() }
    }

    pub(super) fn add(&mut self, at: i64, count: i64) {
        let at = (at.max(0) as usize).min(self.counts.len() - 1);
        if self.counts[at] == 0 {
            self.touched.push(at as u32);
        }
        add(&mut self.counts[at], count);
    }

    pub(super) fn clear(&mut self) {
        for &at in &self.touched {
            self.counts[at as usize] = 0;
        }
        self.touched.clear();
    }

    pub(super) fn distinct(&self) -> i64 {
        self.touched.len() as i64
    }

    pub(super) fn get(&self, at: usize) -> i64 {
        self.counts.get(at).copied().unwrap_or(0)
    }

    /// The largest, at most so many: number and count, the largest first.
    pub(super) fn top(&mut self, most: usize) -> Vec<(i64, i64)> {
        let counts = &self.counts;
        let rank = |at: &u32| (std::cmp::Reverse(counts[*at as usize]), *at);
        let largest = match self.touched.len() {
            n if n > most && most > 0 => self.touched.select_nth_unstable_by_key(most - 1, rank).0.len() + 1,
            n => n.min(most),
        };
        let largest = &mut self.touched[..largest];
        largest.sort_unstable_by_key(rank);
        largest.iter().map(|&at| (i64::from(at), counts[at as usize])).collect()
    }
}

/// Packets of a row that the sensor looked at: one at least, or there would be no row.
pub(super) fn observed(row: &Packet) -> i64 {
    if row.sampling <= 1 { row.packets.max(1) } else { (row.packets / i64::from(row.sampling)).max(1) }
}

/// What is counted of one class of packets to one destination, row by row; sources must come one after
/// the other.
pub(super) struct Tally {
    pub(super) packets: i64,
    pub(super) bytes: i64,
    pub(super) observed: i64,
    source: Option<Address>,
    of_source: i64,
    entropy: Entropy,
    few: i64,
    known: i64,
    unanswered: i64,
    marked: i64,
    rejected: i64,
    pub(super) same_port: i64,
    pub(super) privileged: i64,
    pub(super) src_ports: Histogram,
    /// Packets and bytes by source port, without peers that use the same port on both sides.
    reflected: Histogram,
    reflected_bytes: Histogram,
    pub(super) dst_ports: Histogram,
    pub(super) lengths: Histogram,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            packets: 0,
            bytes: 0,
            observed: 0,
            source: None,
            of_source: 0,
            entropy: Entropy::default(),
            few: 0,
            known: 0,
            unanswered: 0,
            marked: 0,
            rejected: 0,
            same_port: 0,
            privileged: 0,
            src_ports: Histogram::new(1 << 16),
            reflected: Histogram::new(1 << 16),
            reflected_bytes: Histogram::new(1 << 16),
            dst_ports: Histogram::new(1 << 16),
            lengths: Histogram::new(2048),
        }
    }

    /// Takes a row. Gives the source before and all that it sent, where this row is of another.
    pub(super) fn add(&mut self, class: Class, source: Address, row: &Packet) -> Option<(Address, i64)> {
        let done = if self.source == Some(source) { None } else { self.close_source() };
        self.source = Some(source);
        let observed = observed(row);
        add(&mut self.of_source, observed);
        add(&mut self.observed, observed);
        add(&mut self.packets, row.packets);
        add(&mut self.bytes, row.bytes);
        if row.answered >= 0 {
            add(&mut self.known, row.packets);
            add(&mut self.unanswered, if row.answered == 0 { row.packets } else { 0 });
        }
        add(&mut self.marked, if row.marks & 1 != 0 { row.packets } else { 0 });
        add(&mut self.rejected, if row.marks & 2 != 0 { row.packets } else { 0 });
        // Most rows are one packet, and a division costs more than all else here.
        let length = if row.packets == 1 { row.bytes } else { row.bytes / row.packets.max(1) };
        self.lengths.add(length, row.packets);
        if matches!(class, Class::Icmp | Class::Fragments) {
            return done;
        }
        add(&mut self.same_port, if row.src_port == row.dst_port { row.packets } else { 0 });
        add(&mut self.privileged, if row.src_port < 1024 { row.packets } else { 0 });
        self.src_ports.add(row.src_port.into(), row.packets);
        self.dst_ports.add(row.dst_port.into(), row.packets);
        if class == Class::Udp && row.src_port != row.dst_port {
            self.reflected.add(row.src_port.into(), row.packets);
            self.reflected_bytes.add(row.src_port.into(), row.bytes);
        }
        done
    }

    /// Ends the source that came last.
    pub(super) fn close_source(&mut self) -> Option<(Address, i64)> {
        let source = self.source.take()?;
        let sent = std::mem::take(&mut self.of_source);
        self.entropy.push(sent as f64);
        self.few += i64::from(sent <= 2);
        Some((source, sent))
    }

    /// The facts, the last source being closed.
    pub(super) fn shape(&mut self) -> Shape {
        let packets = self.packets.max(1);
        let share = |part: i64| (i128::from(part) * 1000 / i128::from(packets)) as i64;
        let sources = self.entropy.kinds() as i64;
        let first = |histogram: &mut Histogram| histogram.top(1).first().copied().unwrap_or((0, 0));
        let (top_port, to_port) = first(&mut self.dst_ports);
        let reflectors: Vec<(i64, i64)> = vectors::AMPLIFIERS
            .iter()
            .map(|&(port, _)| (i64::from(port), self.reflected.get(port as usize)))
            .filter(|&(_, count)| 10 * count >= packets)
            .collect();
        let reflected: i64 = reflectors.iter().map(|(_, count)| count).sum();
        let reflected_bytes: i64 =
            reflectors.iter().map(|&(port, _)| self.reflected_bytes.get(port as usize)).sum();
        let main = reflectors.iter().max_by_key(|&&(port, count)| (count, std::cmp::Reverse(port)));
        let service: i64 = vectors::TCP_SERVICES.iter().map(|&port| self.src_ports.get(port as usize)).sum();
        Shape {
            packets: self.packets,
            bytes: self.bytes,
            observed: self.observed,
            sources,
            evenness: (self.entropy.evenness() * 1000.0).round() as i64,
            few: self.few * 1000 / sources.max(1),
            known: self.known,
            unanswered: self.unanswered,
            one_length: share(first(&mut self.lengths).1),
            one_port: share(to_port),
            ports: self.dst_ports.distinct(),
            service: share(service),
            reflector: share(reflected),
            reflector_port: main.map_or(0, |&(port, _)| port),
            marked: share(self.marked),
            rejected: share(self.rejected),
            same_port: share(self.same_port),
            privileged: share(self.privileged),
            reflector_length: reflected_bytes / reflected.max(1),
            top_port,
        }
    }

    /// Packets known to have got no answer.
    pub(super) fn unanswered(&self) -> i64 {
        self.unanswered
    }

    pub(super) fn clear(&mut self) {
        self.src_ports.clear();
        self.reflected.clear();
        self.reflected_bytes.clear();
        self.dst_ports.clear();
        self.lengths.clear();
        self.source = None;
        self.of_source = 0;
        self.entropy = Entropy::default();
        (self.packets, self.bytes, self.observed, self.few) = (0, 0, 0, 0);
        (self.known, self.unanswered, self.marked, self.rejected) = (0, 0, 0, 0);
        (self.same_port, self.privileged) = (0, 0);
    }
}
