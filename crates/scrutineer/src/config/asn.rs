//! The table that says whose network an address is.
//!
//! Lines of first address, last address, number, country and name, as iptoasn.com gives them, between
//! tabs or commas. Number 0 stands for addresses that nobody announces.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Cursor, Read};
use std::net::IpAddr;

use domain::AsnTable;

/// Ranges that are kept at most: some four times what the whole internet announced in 2026.
const MAX_RANGES: usize = 3_000_000;

/// Longest name of a network that is kept, in bytes.
const MAX_NAME: usize = 120;

/// Bytes of the first line that are looked at to tell tabs from commas.
const MAX_HEAD: u64 = 64 << 10;

/// What came of a table.
#[derive(Debug, Default)]
pub(super) struct Networks {
    pub(super) table: AsnTable,
    /// Lines that could not be read.
    pub(super) bad: u64,
    /// The first of them, from 1.
    pub(super) first_bad: Option<u64>,
}

/// Reads a table.
///
/// # Errors
/// The disk or the packing failed.
pub(super) fn read(input: impl Read) -> io::Result<Networks> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut head = Vec::new();
    input.by_ref().take(MAX_HEAD).read_until(b'\n', &mut head)?;
    let tabs = head.contains(&b'\t');
    let mut lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(if tabs { b'\t' } else { b',' })
        // A name between tabs may begin with a quote that nothing closes.
        .quoting(!tabs)
        .comment(Some(b'#'))
        .from_reader(Cursor::new(head).chain(input));
    let mut networks = Networks::default();
    let (mut ranges, mut names) = (Vec::new(), BTreeMap::new());
    let mut record = csv::ByteRecord::new();
    let mut number = 0;
    while lines.read_byte_record(&mut record).map_err(io::Error::from)? {
        number += 1;
        let line = record.position().map_or(number, csv::Position::line);
        match range(&record) {
            Some((_, _, 0)) => {}
            Some(range) if ranges.len() < MAX_RANGES => {
                ranges.push(range);
                let name = record.get(4).unwrap_or_default();
                let name = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]);
                names.entry(range.2).or_insert_with(|| name.trim().to_owned());
            }
            // The first line may name the columns.
            None if number == 1 => {}
            _ => {
                networks.bad += 1;
                networks.first_bad.get_or_insert(line);
            }
        }
    }
    networks.table = AsnTable::new(ranges, names);
    Ok(networks)
}

fn range(record: &csv::ByteRecord) -> Option<(IpAddr, IpAddr, u32)> {
    let text = |field: usize| std::str::from_utf8(record.get(field)?).ok().map(str::trim);
    let (first, last): (IpAddr, IpAddr) = (text(0)?.parse().ok()?, text(1)?.parse().ok()?);
    let number = text(2)?;
    let number = number.strip_prefix("AS").unwrap_or(number).parse().ok()?;
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn tabs_and_commas_give_the_same_table() {
        let tabs = "192.0.2.0\t192.0.2.255\t64500\tZZ\tEXAMPLE \"Net, Inc.\n2001:db8::\t2001:db8::ffff\t64501\tZZ\tOther\n";
        let commas = "start,end,asn,country,name\n192.0.2.0,192.0.2.255,AS64500,ZZ,\"EXAMPLE \"\"Net, Inc.\"\n\
                      2001:db8::,2001:db8::ffff,64501,ZZ,Other\n";
        for text in [tabs, commas] {
            let networks = read(text.as_bytes()).expect("bytes in memory");
            assert_eq!(networks.bad, 0, "{text}");
            assert_eq!(networks.table.find(ip("192.0.2.7")), Some((64500, "EXAMPLE \"Net, Inc.")));
            assert_eq!(networks.table.find(ip("2001:db8::7")), Some((64501, "Other")));
        }
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_the_rest_is_kept() {
        let text = "192.0.2.0\t192.0.2.9\t64500\tZZ\tA\nnonsense\n192.0.2.20\t192.0.2.10\t64501\tZZ\tB\n\
                    198.51.100.0\t198.51.100.255\t0\tNone\tNot routed\n192.0.2.30\t::1\t64502\tZZ\tC\n";
        let networks = read(text.as_bytes()).expect("bytes in memory");
        assert_eq!((networks.table.len(), networks.bad, networks.first_bad), (1, 3, Some(2)));
        assert_eq!(networks.table.find(ip("198.51.100.1")), None, "nobody announces it");
    }
}
