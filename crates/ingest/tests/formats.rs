//! Every format, from a small file to its rows as text.

mod common;

use common::{dump, read};

/// The file of that name under `tests/data`.
fn check(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    match read(&[path]) {
        Ok(reading) => dump(&reading),
        Err(error) => error,
    }
}

#[test]
fn a_table_with_one_object_a_row() {
    insta::assert_snapshot!(check("long.csv"), @r#"
    2021-09-26T18:00:00Z ana share object o1 in a post
    2021-09-26T18:00:01.5Z eva share object o "1" in a post
    2021-09-26T18:00:02Z tw_7 share url url_12 on x in a post
    2021-09-26T18:00:03Z fb_8 share hashtag hashtag_vote on facebook
    2021-09-26T18:00:04Z fb_8 share media phash_ab on facebook in a post
    2021-09-26T18:00:05Z fb_8 share domain domain_9 on facebook in a post
    2021-09-26T18:00:08Z ana share object o2 in a post
    1 × no object
      8: 7,1632679206,no object,ana,NA
    1 × time is neither a number nor RFC 3339
      9: 8,soon,no time,ana,o1
"#);
}

#[test]
fn a_table_with_one_post_a_row() {
    insta::assert_snapshot!(check("wide.csv"), @"
    2021-08-21T23:50:36Z fb_1 share url url_23 on facebook in a post
    2021-08-21T23:50:36Z fb_1 share domain domain_34 on facebook in a post
    2021-08-21T23:50:40Z tw_2 share hashtag hashtag_5 on x in a post
    2021-08-21T23:50:40Z tw_2 share media phash_77 on x in a post
    1 × no account
      5: ,103,23,,,,1629589860
");
}
