//! `tls`: one TLS handshake.

columns!(
    /// One handshake.
    Tls {
        /// High half of the client.
        client_hi: i64,
        /// Low half of the client.
        client_lo: i64,
        /// High half of the server.
        server_hi: i64,
        /// Low half of the server.
        server_lo: i64,
        /// Port of the server.
        server_port: i32,
        /// When it began, milliseconds since the epoch.
        time: i64,
        /// Text id of the name that the client asked for (SNI), -1 none.
        name: i64,
        /// Text id of the client's fingerprint (JA3), -1 unknown.
        fingerprint: i64,
        /// Version as on the wire: 0x0303 TLS 1.2, 0x0304 TLS 1.3; -1 unknown.
        version: i32,
        /// 1 the handshake was finished, 0 it was not, -1 unknown.
        established: i32,
        /// Text id of the certificate's issuer, -1 unknown.
        issuer: i64,
    }
);
