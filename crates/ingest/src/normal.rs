//! What counts as the same link, hashtag or text.
