//! `login`: one attempt to log in. The account is a keyed digest from the border on.

columns!(
    /// One attempt.
    Login {
        /// High half of where it came from; -1 where the log does not say.
        client_hi: i64,
        /// Low half of where it came from; -1 where the log does not say.
        client_lo: i64,
        /// Text id of the host that was logged in to, -1 where unknown.
        server: i64,
        /// When, milliseconds since the epoch.
        time: i64,
        /// Keyed digest of the account, -1 where the log does not say.
        account: i64,
        /// Code of [`Outcome`].
        outcome: i32,
        /// Code of [`Service`].
        service: i32,
    }
);

super::codes!(
    /// How an attempt ended.
    Outcome {
        /// Not stated.
        Unknown = 0 "unknown",
        /// Let in.
        Ok = 1 "ok",
        /// Wrong password, key or code.
        Failed = 2 "failed",
        /// There is no such account.
        NoAccount = 3 "no-account",
        /// The client went away before it had tried to log in.
        Abandoned = 4 "abandoned",
    }
);

super::codes!(
    /// What was logged in to.
    Service {
        /// Anything else.
        Other = 0 "other",
        /// SSH.
        Ssh = 1 "ssh",
        /// FTP.
        Ftp = 2 "ftp",
        /// Mail: SMTP, IMAP, POP3.
        Mail = 3 "mail",
        /// A local account: console, su, sudo, cron.
        Local = 4 "local",
        /// A web application.
        Web = 5 "web",
    }
);
