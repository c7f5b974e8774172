//! Fragments of IPv6, by the headers behind the first one.
//!
//! `etherparse` 0.21 has an iterator for these headers, which is not used: of a packet that was cut in the middle of
//! its second one it reads beyond the end, without a check (found by fuzzing).

use etherparse::Ipv6ExtensionsSlice;

/// What the headers say about the packet being a piece of a larger one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// There is a fragment header, whatever it says.
    pub(super) header: bool,
    /// It is one of several pieces.
    pub(super) fragment: bool,
    /// It is not the first of them, so that it begins in the middle of what is carried.
    pub(super) later: bool,
}

/// Looks at the headers that are whole (RFC 8200, section 4).
pub(super) fn piece(extensions: &Ipv6ExtensionsSlice<'_>) -> Piece {
    match extensions.first_header() {
        Some(first) => walk(first.0, extensions.slice()),
        None => Piece::default(),
    }
}

fn walk(mut kind: u8, mut rest: &[u8]) -> Piece {
    let mut piece = Piece::default();
    while let [next, length, third, fourth, ..] = *rest {
        let units = usize::from(length);
        let length = match kind {
            // Options for each hop, routing, options for the destination: in units of 8 bytes, the first one not counted.
            0 | 43 | 60 => (units + 1) * 8,
            44 => {
                let field = u16::from_be_bytes([third, fourth]);
                piece.header = true;
                // The lowest bit says that more follow, the two above are reserved.
                piece.fragment |= field & 0xfff9 != 0;
                piece.later |= field >> 3 != 0;
                8
            }
            // Authentication (RFC 4302, section 2.2): in units of 4 bytes, the first two not counted.
            51 => (units + 2) * 4,
            _ => break,
        };
        (kind, rest) = (next, rest.get(length..).unwrap_or_default());
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_walked_to_the_fragment() {
        let first = Piece { header: true, fragment: true, later: false };
        let hop = [44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let auth = [60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let options = [44, 0, 0, 0, 0, 0, 0, 0];
        let more = [17, 0, 0, 1, 0, 0, 0, 7];
        assert_eq!(walk(44, &more), first);
        assert_eq!(walk(0, &[&hop[..], &more].concat()), first);
        assert_eq!(walk(51, &[&auth[..], &options, &more].concat()), first);
        assert_eq!(walk(44, &[17, 0, 0, 8, 0, 0, 0, 7]), Piece { later: true, ..first });
        // A piece that is the whole.
        assert_eq!(walk(44, &[17, 0, 0, 0, 0, 0, 0, 7]), Piece { fragment: false, ..first });
        assert_eq!(walk(17, &more), Piece::default());
    }

    #[test]
    fn what_is_cut_off_is_not_looked_for() {
        assert_eq!(walk(0, &[44, 9, 0, 0, 0, 0, 0, 0]), Piece::default());
        assert_eq!(walk(44, &[17, 0, 0]), Piece::default());
        assert_eq!(walk(0, &[60, 0, 0, 0, 0, 0, 0, 0]), Piece::default());
    }
}
