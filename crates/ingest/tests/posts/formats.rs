//! Every format, from a small file to its rows as text.

use crate::common::{dump, read};

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

#[test]
fn our_own_lines() {
    insta::assert_snapshot!(check("own.jsonl"), @r#"
    2021-09-26T18:00:00Z ana share url https://example.org/a on telegram in a post
    2021-09-26T18:00:01Z 7 post object o1
    2021-09-26T18:00:02.5Z eva share repost p1 by ana
    2021-09-26T18:00:03.25Z eva delete object p9
    1 × no time
      6: {"account":"eva","object":"o1","time":null}
    1 × unknown trace
      5: {"account":"eva","object":"o1","trace":"smell","time":1632679204}
    1 × not JSON
      7: {"account":"eva","object":"o1","time":1632679206
"#);
}

#[test]
fn a_page_of_x() {
    insta::assert_snapshot!(check("x_page.json"), @r#"
    2021-09-26T18:00:04Z 22 share repost 1001 on x by 21 in a post
    2021-09-26T18:00:04Z 22 share fast-repost 21 on x by 21 in a post
    2021-09-26T18:00:04Z 22 share url https://example.org/moved on x in a post
    2021-09-26T18:00:04Z 22 share domain example.org on x in a post
    2021-09-26T18:01:00Z 23 share repost 1001 on x by 21 in a post
    2021-09-26T18:02:00Z 22 reply reply 1001 on x by 21 in a post
    2021-09-26T18:02:00Z 22 reply hashtag vote on x in a post
    2021-09-26T18:02:00Z 22 reply hashtag a on x in a post
    2021-09-26T18:02:00Z 22 reply hashtag b on x in a post
    2021-09-26T18:02:00Z 22 reply hashtag c on x in a post
    2021-09-26T18:02:00Z 22 reply hashtag d on x in a post
    2021-09-26T18:02:00Z 22 reply media 3_77 on x in a post
    2021-09-26T18:02:00Z 22 reply hashtag-sequence vote a b c d on x in a post
    2021-09-26T18:02:00Z 22 reply text 79de6281c3e178b0 on x in a post
    1 × no account
      1: {"created_at":"2021-09-26T18:03:00.000Z","id":"1005","text":"nobody"}
"#);
}

#[test]
fn posts_of_x_one_a_line() {
    insta::assert_snapshot!(check("x_posts.jsonl"), @"
    2021-09-26T18:00:00Z 21 post text 62d3a7111825bcf2 on x in a post
    2021-09-26T18:04:00Z 24 post hashtag vote on x in a post
    2021-09-26T18:05:00Z 24 delete object 1006 on x in a post
");
}

#[test]
fn statuses_of_mastodon() {
    insta::assert_snapshot!(check("mastodon.json"), @"
    2021-09-26T18:00:00Z https://social.example/@ana post url https://example.org/moved on mastodon in a post
    2021-09-26T18:00:00Z https://social.example/@ana post domain example.org on mastodon in a post
    2021-09-26T18:00:00Z https://social.example/@ana post hashtag vote on mastodon in a post
    2021-09-26T18:00:00Z https://social.example/@ana post media UBL_:rOpGG-oBUNG on mastodon in a post
    2021-09-26T18:00:00Z https://social.example/@ana post text 287304581cdba7d0 on mastodon in a post
    2021-09-26T18:00:05Z https://other.example/@eva share repost social.example/501 on mastodon by https://social.example/@ana in a post
    2021-09-26T18:00:05Z https://other.example/@eva share fast-repost https://social.example/@ana on mastodon by https://social.example/@ana in a post
    2021-09-26T18:00:05Z https://other.example/@eva share url https://example.org/moved on mastodon in a post
    2021-09-26T18:00:05Z https://other.example/@eva share domain example.org on mastodon in a post
    2021-09-26T18:10:00Z https://social.example/@mia reply reply 501 on mastodon in a post
");
}

#[test]
fn events_of_bluesky() {
    insta::assert_snapshot!(check("bluesky.jsonl"), @r#"
    2021-09-26T18:00:00Z did:plc:ana post url https://example.org/moved on bluesky in a post
    2021-09-26T18:00:00Z did:plc:ana post domain example.org on bluesky in a post
    2021-09-26T18:00:00Z did:plc:ana post hashtag vote on bluesky in a post
    2021-09-26T18:00:00Z did:plc:ana post text 30f1c939a69ecca1 on bluesky in a post
    2021-09-26T18:00:01.5Z did:plc:eva share repost at://did:plc:ana/app.bsky.feed.post/k1 on bluesky by did:plc:ana in a post
    2021-09-26T18:00:02Z did:plc:mia reply reply at://did:plc:ana/app.bsky.feed.post/k1 on bluesky by did:plc:ana in a post
    2021-09-26T18:00:02Z did:plc:mia reply media bafkexample on bluesky in a post
    2021-09-26T18:00:04Z did:plc:ana delete object at://did:plc:ana/app.bsky.feed.post/k1 on bluesky in a post
    2 × a record of another kind than posts: passed over
      4: {"did":"did:plc:mia","time_us":1632679203000000,"kind":"commit","commit":{"rev"…
      6: {"did":"did:plc:ana","time_us":1632679205000000,"kind":"identity","identity":{"…
"#);
}
