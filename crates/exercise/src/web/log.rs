//! Rows as lines of an access log.

use std::fmt::Write as _;

use traffic::request::{Method, Request};
use traffic::{Address, Texts};

/// Days of the months of a year that begins in March, summed up.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Adds one line in the Combined Log Format; in the Common one where the row has neither referer nor agent.
/// Times are UTC in whole seconds. A declared proxy's clients are written as who connected.
pub fn combined_line(row: &Request, texts: &Texts, log: &mut String) {
    let forwarded = Address { hi: row.forwarded_hi, lo: row.forwarded_lo };
    let peer = Address { hi: row.peer_hi, lo: row.peer_lo };
    let client = if forwarded == Address::NONE { peer } else { forwarded };
    let method = Method::from_code(row.method).unwrap_or(Method::Get).name().to_ascii_uppercase();
    let query = if row.query < 0 { String::new() } else { format!("?{}", texts.get(row.query)) };
    let bytes = if row.bytes < 0 { "-".to_owned() } else { row.bytes.to_string() };
    let path = texts.get(row.path);
    let _ = write!(
        log,
        "{} - - [{}] \"{method} {path}{query} HTTP/1.1\" {} {bytes}",
        texts.address(client),
        time(row.time),
        row.status
    );
    if row.referer_host != -2 || row.agent != -2 {
        let referer = match row.referer_host {
            host if host < 0 => "-".to_owned(),
            host => format!("https://{}{}", texts.get(host), texts.get(row.referer_path)),
        };
        let agent = if row.agent < 0 { "-".to_owned() } else { texts.get(row.agent) };
        let _ = write!(log, " \"{referer}\" \"{agent}\"");
    }
    log.push('\n');
}

/// `27/Sep/2026:18:00:00 +0000`.
fn time(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{day:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} +0000", MONTHS[month - 1])
}

/// Year, month and day of a day since 1 January 1970, by the Gregorian calendar: eras of 400 years that
/// begin on 1 March, so that the leap day comes last.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_as_a_line() {
        let mut texts = Texts::default();
        for (id, text) in [(1, "/results"), (2, "a=1"), (3, "news.example"), (4, "/live"), (5, "Firefox")] {
            texts.keep(id, text.as_bytes());
        }
        let peer = Address::parse(b"192.0.2.7").expect("an address");
        let mut row = Request {
            peer_hi: peer.hi,
            peer_lo: peer.lo,
            time: 1_790_531_999_999,
            method: Method::Get.code(),
            path: 1,
            query: 2,
            referer_host: 3,
            referer_path: 4,
            agent: 5,
            status: 200,
            bytes: 99,
            ..Request::EMPTY
        };
        let line = |row: &Request| {
            let mut log = String::new();
            combined_line(row, &texts, &mut log);
            log
        };
        assert_eq!(
            line(&row),
            "192.0.2.7 - - [27/Sep/2026:17:59:59 +0000] \"GET /results?a=1 HTTP/1.1\" 200 99 \
             \"https://news.example/live\" \"Firefox\"\n"
        );
        (row.referer_host, row.agent, row.bytes, row.time) = (-2, -2, -1, 951_782_400_000);
        assert_eq!(
            line(&row),
            "192.0.2.7 - - [29/Feb/2000:00:00:00 +0000] \"GET /results?a=1 HTTP/1.1\" 200 -\n"
        );
    }
}
