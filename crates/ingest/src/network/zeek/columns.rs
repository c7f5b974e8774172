//! Columns of Zeek logs that are read.

macro_rules! columns {
    ($($variant:ident $name:literal $(| $alias:literal)*,)+) => {
        /// A column that is read, of whichever stream.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Column { $($variant),+ }

        /// The place of a column by its name.
        pub(super) fn place(name: &str) -> Option<usize> {
            match name {
                $($name $(| $alias)* => Some(Column::$variant as usize),)+
                _ => None,
            }
        }

        /// How many there are.
        pub(super) const COLUMNS: usize = [$($name),+].len();
    };
}

// Names as in Zeek's scripts (base/protocols/*/main.zeek, version 7); JSON writers that cannot have dots in
// names put underscores there.
columns! {
    Path "_path",
    Stream "@stream",
    Time "ts",
    Uid "uid",
    OrigHost "id.orig_h" | "id_orig_h",
    OrigPort "id.orig_p" | "id_orig_p",
    RespHost "id.resp_h" | "id_resp_h",
    RespPort "id.resp_p" | "id_resp_p",
    Proto "proto",
    IpProto "ip_proto",
    Service "service",
    Duration "duration",
    OrigBytes "orig_bytes",
    RespBytes "resp_bytes",
    ConnState "conn_state",
    History "history",
    OrigPackets "orig_pkts",
    OrigIpBytes "orig_ip_bytes",
    RespPackets "resp_pkts",
    RespIpBytes "resp_ip_bytes",
    Method "method",
    Host "host",
    Uri "uri",
    Referrer "referrer",
    UserAgent "user_agent",
    RequestBodyLen "request_body_len",
    ResponseBodyLen "response_body_len",
    StatusCode "status_code",
    Proxied "proxied",
    CallId "call_id",
    TransId "trans_id",
    Query "query",
    QueryType "qtype",
    AnswerCode "rcode",
    Rejected "rejected",
    Answers "answers",
    Version "version",
    Cipher "cipher",
    ServerName "server_name",
    Resumed "resumed",
    Established "established",
    Issuer "issuer",
    Ja3 "ja3",
    AuthSuccess "auth_success",
    AuthAttempts "auth_attempts",
    User "user",
    Password "password",
    Command "command",
    Nick "nick",
    ReplyCode "reply_code",
}

/// One record, whatever it is written in. A field that is unset or empty is empty.
pub(super) trait Record {
    /// The field, without quotes and escapes of the format.
    fn get(&self, column: Column) -> &[u8];
    /// True where the log has the field, set or not. JSON leaves out what is unset, so it has all.
    fn has(&self, column: Column) -> bool;
    /// Hands out the elements of a set or vector.
    fn each(&self, column: Column, take: &mut dyn FnMut(&[u8]));
}
