//! `lookup`: one DNS query and its answer, where that was seen.

columns!(
    /// One lookup.
    Lookup {
        /// High half of who asked.
        client_hi: i64,
        /// Low half of who asked.
        client_lo: i64,
        /// High half of who was asked.
        server_hi: i64,
        /// Low half of who was asked.
        server_lo: i64,
        /// When it was asked, milliseconds since the epoch.
        time: i64,
        /// Text id of the name, in lower case, without the last dot.
        name: i64,
        /// Text id of its registrable domain (public suffix list), of the name where it has none.
        domain: i64,
        /// Characters of the name before the registrable domain.
        label_len: i32,
        /// Entropy of those characters, thousandths of a bit a character.
        label_entropy: i32,
        /// Type of the query (IANA): 1 A, 28 AAAA, 16 TXT, …; -1 unknown.
        qtype: i32,
        /// Code of the answer (IANA): 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, …; -1 no answer was seen.
        rcode: i32,
        /// Records in the answer.
        answers: i32,
        /// High half of the first address in the answer, -1 where there is none.
        answer_hi: i64,
        /// Low half of it.
        answer_lo: i64,
        /// Bytes of the answer's message, -1 where unknown.
        bytes: i32,
    }
);
