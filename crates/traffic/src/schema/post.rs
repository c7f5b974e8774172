//! `post`: what accounts do with shareable objects. One row is one account acting on one object of
//! one trace; a post with two links and a hashtag is three rows.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `account` | Int32 | id in [`crate::AccountNames`] |
//! | `object` | Int64 | id in [`crate::ObjectNames`]; objects of two traces never share an id |
//! | `trace` | Int32 | code of [`Trace`] |
//! | `action` | Int32 | code of [`Action`] |
//! | `time` | Int64 | milliseconds since the epoch, UTC |
//! | `post` | Int64 | [`crate::names::digest`] of the post's own id, -1 where there is none |
//! | `platform` | Int32 | code of [`Platform`] |
//! | `author` | Int32 | account id of the object's author, -1 where unknown |
//!
//! The text of a post is never a column: co-text is a digest made at the border.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{Int32Builder, Int64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

codes!(
    /// What kind of object two accounts can have in common.
    Trace {
        /// An object of no stated kind, as in the CooRTweet layout.
        Object = 0 "object",
        /// A full URL, normalised.
        Url = 1 "url",
        /// The registrable domain of a URL.
        Domain = 2 "domain",
        /// One hashtag, case folded.
        Hashtag = 3 "hashtag",
        /// Five or more hashtags of one post, in their order.
        HashtagSequence = 4 "hashtag-sequence",
        /// A perceptual or exact hash of an image or video.
        Media = 5 "media",
        /// Digest of the normalised text.
        Text = 6 "text",
        /// The post that was reposted.
        Repost = 7 "repost",
        /// The author of a post that was reposted within 10 s of being written.
        FastRepost = 8 "fast-repost",
        /// The post that was replied to.
        Reply = 9 "reply",
    }
);

codes!(
    /// What the account did.
    Action {
        /// Wrote a post of its own.
        Post = 0 "post",
        /// Passed on somebody else's.
        Share = 1 "share",
        /// Answered.
        Reply = 2 "reply",
        /// Took back a post of its own.
        Delete = 3 "delete",
    }
);

codes!(
    /// Where it happened.
    Platform {
        /// Not stated.
        Unknown = 0 "unknown",
        /// X, formerly Twitter.
        X = 1 "x",
        /// Facebook.
        Facebook = 2 "facebook",
        /// Mastodon and compatible servers.
        Mastodon = 3 "mastodon",
        /// Bluesky.
        Bluesky = 4 "bluesky",
        /// Telegram.
        Telegram = 5 "telegram",
        /// TikTok.
        Tiktok = 6 "tiktok",
        /// Instagram.
        Instagram = 7 "instagram",
        /// YouTube.
        Youtube = 8 "youtube",
        /// Weibo.
        Weibo = 9 "weibo",
    }
);

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let int32 = |name| Field::new(name, DataType::Int32, false);
    let int64 = |name| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        int32("account"),
        int64("object"),
        int32("trace"),
        int32("action"),
        int64("time"),
        int64("post"),
        int32("platform"),
        int32("author"),
    ]))
});

/// The Arrow schema of `post`.
pub fn schema() -> SchemaRef {
    SCHEMA.clone()
}

/// One row, with ids already given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    /// Id of the account.
    pub account: i32,
    /// Id of the object.
    pub object: i64,
    /// Kind of the object.
    pub trace: Trace,
    /// What the account did.
    pub action: Action,
    /// Milliseconds since the epoch.
    pub time: i64,
    /// Digest of the post's id, -1 where there is none.
    pub post: i64,
    /// Where.
    pub platform: Platform,
    /// Account id of the object's author, -1 where unknown.
    pub author: i32,
}

/// Gathers rows into batches of the schema.
#[derive(Debug, Default)]
pub struct Builder {
    account: Int32Builder,
    object: Int64Builder,
    trace: Int32Builder,
    action: Int32Builder,
    time: Int64Builder,
    post: Int64Builder,
    platform: Int32Builder,
    author: Int32Builder,
    rows: usize,
}

impl Builder {
    /// Adds a row.
    pub fn push(&mut self, row: &Post) {
        self.account.append_value(row.account);
        self.object.append_value(row.object);
        self.trace.append_value(row.trace.code());
        self.action.append_value(row.action.code());
        self.time.append_value(row.time);
        self.post.append_value(row.post);
        self.platform.append_value(row.platform.code());
        self.author.append_value(row.author);
        self.rows += 1;
    }

    /// Rows since the last batch.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True where no row came since the last batch.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows since the last batch, as a batch.
    pub fn finish(&mut self) -> RecordBatch {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.account.finish()),
            Arc::new(self.object.finish()),
            Arc::new(self.trace.finish()),
            Arc::new(self.action.finish()),
            Arc::new(self.time.finish()),
            Arc::new(self.post.finish()),
            Arc::new(self.platform.finish()),
            Arc::new(self.author.finish()),
        ];
        RecordBatch::try_new(schema(), columns).expect("internal error: the builders follow the schema")
    }
}

/// A batch from rows: for generators and tests.
pub fn batch(rows: &[Post]) -> RecordBatch {
    let mut builder = Builder::default();
    for row in rows {
        builder.push(row);
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_inverse() {
        for trace in Trace::ALL {
            assert_eq!(Trace::parse(trace.name()), Some(*trace));
            assert_eq!(Trace::from_code(trace.code()), Some(*trace));
        }
        assert_eq!(Action::from_code(99), None);
    }

    #[test]
    fn a_batch_follows_the_schema() {
        let row = Post {
            account: 1,
            object: 2,
            trace: Trace::Url,
            action: Action::Share,
            time: 3,
            post: -1,
            platform: Platform::X,
            author: -1,
        };
        let batch = batch(&[row, row]);
        assert_eq!(batch.schema(), schema());
        assert_eq!(batch.num_rows(), 2);
    }
}
