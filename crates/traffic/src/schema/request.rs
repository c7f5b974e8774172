//! `request`: one request to a web server, as its access log or a sensor saw it.
//!
//! Text columns hold ids, see [`crate::texts`]. Nothing here decides who the client is: `peer` is whoever
//! connected, `forwarded` is the last address of `X-Forwarded-For`, and only a reader of the traffic who
//! knows the declared proxies may take the second for the first.

columns!(
    /// One request.
    Request {
        /// High half of the address that connected; [`crate::Address::NAME`] where the log has a host name.
        peer_hi: i64,
        /// Low half of the address that connected.
        peer_lo: i64,
        /// High half of the last address of `X-Forwarded-For`, -1 where there is none.
        forwarded_hi: i64,
        /// Low half of it, -1 where there is none.
        forwarded_lo: i64,
        /// When, milliseconds since the epoch.
        time: i64,
        /// Code of [`Method`].
        method: i32,
        /// Text id of the host that was asked for, in lower case; -1 where the log has none.
        host: i64,
        /// Text id of the path, without query.
        path: i64,
        /// Text id of the query without tracking parameters (`utm_*`, `fbclid`, `gclid`, `mc_eid`, `_ga`, …), -1 where nothing is left.
        query: i64,
        /// Code of [`Query`].
        query_kind: i32,
        /// Code of [`Resource`], by the path's ending.
        resource: i32,
        /// Text id of the referer's host in lower case; -1 none was sent, -2 the log has no such field.
        referer_host: i64,
        /// Text id of the referer's path, without query; -1 and -2 as above.
        referer_path: i64,
        /// Text id of the user agent; -1 none was sent, -2 the log has no such field.
        agent: i64,
        /// HTTP status, 0 where it is unknown.
        status: i32,
        /// Bytes of the answer, -1 where unknown.
        bytes: i64,
        /// Milliseconds that the request took, -1 where unknown.
        duration: i32,
    }
);

super::codes!(
    /// HTTP methods (RFC 9110, section 9, and PATCH).
    Method {
        /// Not one of these, or broken.
        Other = 0 "other",
        /// GET.
        Get = 1 "get",
        /// HEAD.
        Head = 2 "head",
        /// POST.
        Post = 3 "post",
        /// PUT.
        Put = 4 "put",
        /// DELETE.
        Delete = 5 "delete",
        /// CONNECT.
        Connect = 6 "connect",
        /// OPTIONS.
        Options = 7 "options",
        /// TRACE.
        Trace = 8 "trace",
        /// PATCH.
        Patch = 9 "patch",
    }
);

super::codes!(
    /// What kind of query a request has, tracking parameters taken out.
    Query {
        /// None.
        None = 0 "none",
        /// An ordinary one.
        Plain = 1 "plain",
        /// One with a long token that looks drawn by chance.
        Random = 2 "random",
    }
);

super::codes!(
    /// What is asked for, by the ending of the path.
    Resource {
        /// A page, or anything that is not below.
        Page = 0 "page",
        /// What a page brings along: pictures, styles, scripts, fonts, sound.
        Asset = 1 "asset",
        /// Data that a script polls: `.json`, or a path that has `/api/` in it.
        Api = 2 "api",
    }
);

impl Request {
    /// A request for nothing, to fill in.
    pub const EMPTY: Self = Self {
        peer_hi: 0,
        peer_lo: 0,
        forwarded_hi: -1,
        forwarded_lo: -1,
        time: 0,
        method: 0,
        host: -1,
        path: -1,
        query: -1,
        query_kind: 0,
        resource: 0,
        referer_host: -2,
        referer_path: -2,
        agent: -2,
        status: 0,
        bytes: -1,
        duration: -1,
    };
}
