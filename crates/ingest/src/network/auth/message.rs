//! What a message says of an attempt to log in.

use memchr::memmem;
use traffic::login::{Outcome, Service};

use super::envelope::word;

/// One statement. Texts are as they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// An attempt ended so, for certain.
    Attempt(Outcome, Who<'a>),
    /// Part of an attempt that failed; a message of the first kind may still follow.
    Hint(Hint, Who<'a>),
    /// PAM counted so many more failures of this process.
    More(u64, Who<'a>),
    /// So many attempts failed.
    Failures(u64, Who<'a>),
    /// The connection was ended after too many failures.
    Exhausted(Who<'a>),
    /// The client went away, or was sent away, before it was let in.
    Gone(Who<'a>),
    /// The connection ended; before being let in only if the handshake had broken.
    Closed(Who<'a>),
    /// The handshake broke.
    Broken,
    /// Who is connected.
    From(Who<'a>),
    /// A session began.
    Opened(Who<'a>),
}

/// Account and client, where they are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Who<'a> {
    pub(super) user: Option<&'a [u8]>,
    pub(super) client: Option<&'a [u8]>,
}

/// Kinds of hints. Within one attempt each comes once, so a second one is a second attempt; but a client may
/// offer several keys, and ask for the methods, in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// `Invalid user`.
    NoAccount,
    /// `User … not allowed because`, `ROOT LOGIN REFUSED`.
    NotAllowed,
    /// `pam_unix`.
    Module,
    /// A further module of PAM, which is asked about the same attempt.
    OtherModule,
    /// sshd on what PAM told it.
    Pam,
    /// A key, or the question for the methods.
    Key,
    /// The same for an account that does not exist.
    KeyNoAccount,
    /// PAM's module, before it says who it was: there is no such account.
    Unknown,
}

impl Hint {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::NoAccount | Self::KeyNoAccount | Self::Unknown => Outcome::NoAccount,
            Self::NotAllowed | Self::Module | Self::OtherModule | Self::Pam | Self::Key => Outcome::Failed,
        }
    }

    /// A bit for each kind that may come once.
    pub(super) fn once(self) -> u8 {
        match self {
            Self::NoAccount => 1,
            Self::NotAllowed => 2,
            Self::Module => 4,
            Self::Pam => 8,
            Self::Unknown => 16,
            Self::OtherModule => 32,
            Self::Key | Self::KeyNoAccount => 0,
        }
    }
}

/// What a program is the door to.
pub(super) fn service(program: &[u8]) -> Service {
    let has = |part: &[u8]| memmem::find(program, part).is_some();
    if program.starts_with(b"sshd") || program == b"dropbear" {
        Service::Ssh
    } else if has(b"ftp") {
        Service::Ftp
    } else if has(b"dovecot")
        || has(b"postfix")
        || has(b"imap")
        || has(b"pop3")
        || program == b"pop"
        || has(b"smtp")
    {
        Service::Mail
    } else if matches!(
        program,
        b"su" | b"sudo" | b"login" | b"doas" | b"polkit" | b"passwd" | b"cron" | b"CRON"
    ) || has(b"gdm")
        || has(b"lightdm")
    {
        Service::Local
    } else {
        Service::Other
    }
}

/// What the message of a program says; `None` where it says nothing of an attempt.
pub(super) fn said<'a>(program: &[u8], message: &'a [u8]) -> Option<Said<'a>> {
    // Solaris: `[ID 800047 auth.info] `.
    let message = match message.strip_prefix(b"[ID ") {
        Some(rest) => &rest[memmem::find(rest, b"] ")? + 2..],
        None => message,
    };
    if let Some(said) = pam(program, message) {
        return Some(said);
    }
    match service(program) {
        Service::Ssh => ssh(message),
        Service::Ftp => vsftpd(message).or_else(|| proftpd(message)),
        Service::Mail => mail(program, message),
        Service::Local => local(program, message),
        Service::Other | Service::Web => None,
    }
}

/// Modules of PAM, in whatever program.
fn pam<'a>(program: &[u8], message: &'a [u8]) -> Option<Said<'a>> {
    if let Some(rest) = message.strip_prefix(b"PAM ")
        && let Some(at) = memmem::find(rest, b" more authentication failure")
    {
        let count = std::str::from_utf8(&rest[..at]).ok()?.parse().ok()?;
        return Some(Said::More(count, of_pam(&rest[at..])));
    }
    if let Some(at) = memmem::find(message, b"authentication failure; ") {
        let other = message.starts_with(b"pam_") && !message.starts_with(b"pam_unix");
        let hint = if other { Hint::OtherModule } else { Hint::Module };
        return Some(Said::Hint(hint, of_pam(&message[at + 24..])));
    }
    if message.ends_with(b"check pass; user unknown") {
        return Some(Said::Hint(Hint::Unknown, Who::default()));
    }
    // Timers open sessions all day long; nobody logs in.
    let timer = matches!(program, b"cron" | b"CRON" | b"crond" | b"atd" | b"systemd" | b"systemd-user");
    if !timer && let Some(at) = memmem::find(message, b"session opened for user ") {
        let (user, _) = word(&message[at + 24..]);
        let user = &user[..user.iter().position(|&b| b == b'(').unwrap_or(user.len())];
        return Some(Said::Opened(Who { user: Some(user), client: None }));
    }
    None
}

/// `logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root`. A client chooses its `ruser`, which may
/// hold an `rhost` of its own: the host is the last one before the user, who comes last.
fn of_pam(text: &[u8]) -> Who<'_> {
    let Some(ruser) = memmem::find(text, b"ruser=") else { return Who::default() };
    let rest = &text[ruser + 6..];
    // The user follows the first host that is one word and has ` user=` behind it; otherwise there is none.
    let Some(first) = memmem::find(rest, b"rhost=") else { return Who::default() };
    let host_then_user = |at: usize| {
        let (host, after) = word(&rest[at + 6..]);
        after.strip_prefix(b"user=").map(|user| (host, user))
    };
    let (host, user) = match host_then_user(first) {
        Some((host, user)) => (host, Some(user.trim_ascii())),
        None => match memmem::rfind(rest, b"rhost=") {
            Some(last) => match host_then_user(last) {
                Some((host, user)) => (host, Some(user.trim_ascii())),
                None => (word(&rest[last + 6..]).0, Some(rest[..last].trim_ascii())),
            },
            None => return Who::default(),
        },
    };
    Who { user: user.filter(|user| !user.is_empty()), client: Some(host).filter(|host| !host.is_empty()) }
}

fn ssh(message: &[u8]) -> Option<Said<'_>> {
    let preauth = message.trim_ascii_end().ends_with(b"[preauth]");
    let message =
        message.strip_prefix(b"error: ").or_else(|| message.strip_prefix(b"fatal: ")).unwrap_or(message);
    let after = |start: &str| message.strip_prefix(start.as_bytes());
    if let Some(rest) = after("Failed ") {
        let (method, rest) = word(rest);
        let rest = rest.strip_prefix(b"for ")?;
        let (known, rest) = without_invalid(rest);
        let who = user_from(rest);
        let weak = matches!(method, b"publickey" | b"none" | b"hostbased");
        return Some(match (weak, known) {
            (true, true) => Said::Hint(Hint::Key, who),
            (true, false) => Said::Hint(Hint::KeyNoAccount, who),
            (false, true) => Said::Attempt(Outcome::Failed, who),
            (false, false) => Said::Attempt(Outcome::NoAccount, who),
        });
    }
    if let Some(rest) = after("Accepted ") {
        let (_, rest) = word(rest);
        return Some(Said::Attempt(Outcome::Ok, user_from(rest.strip_prefix(b"for ")?)));
    }
    if let Some(rest) = after("Invalid user ").or_else(|| after("Illegal user ")) {
        return Some(Said::Hint(Hint::NoAccount, user_from(rest)));
    }
    if let Some(rest) = after("PAM: ") {
        let at = memmem::find(rest, b" for ")?;
        let (known, rest) = without_invalid(&rest[at + 5..]);
        let hint = if known { Hint::Pam } else { Hint::NoAccount };
        return Some(Said::Hint(hint, user_from(rest)));
    }
    if let Some(rest) = after("User ")
        && let Some(at) = memmem::find(rest, b" not allowed because")
    {
        // Without a client where the account is locked: it is known when the connection ends.
        return Some(Said::Hint(Hint::NotAllowed, user_from(&rest[..at])));
    }
    if let Some(rest) = after("ROOT LOGIN REFUSED FROM ") {
        return Some(Said::Hint(Hint::NotAllowed, Who { user: Some(b"root"), client: Some(word(rest).0) }));
    }
    if let Some(rest) = after("maximum authentication attempts exceeded for ") {
        return Some(Said::Exhausted(user_from(without_invalid(rest).1)));
    }
    if let Some(rest) = after("Disconnecting") {
        return disconnecting(rest);
    }
    if let Some(rest) = after("Connection from ") {
        return Some(Said::From(client(word(rest).0)));
    }
    if let Some(rest) = after("refused connect from ") {
        let host = match memmem::rfind(rest, b"(") {
            Some(at) => rest[at + 1..].strip_suffix(b")").unwrap_or(&rest[at + 1..]),
            None => word(rest).0,
        };
        return Some(Said::Gone(client(host)));
    }
    if message.starts_with(b"kex_exchange_identification") || message.starts_with(b"Read from socket failed")
    {
        return Some(Said::Broken);
    }
    gone(message, preauth)
}

/// Ends of connections before anybody was let in.
fn gone(message: &[u8], preauth: bool) -> Option<Said<'_>> {
    let after = |start: &str| message.strip_prefix(start.as_bytes());
    for start in
        ["Connection closed by ", "Connection reset by ", "Disconnected from ", "Received disconnect from "]
    {
        let Some(rest) = after(start) else { continue };
        for known in ["authenticating user ", "invalid user "] {
            if let Some(rest) = rest.strip_prefix(known.as_bytes()) {
                return Some(Said::Gone(user_then_client(rest)));
            }
        }
        let (host, _) = word(rest);
        let host = host.strip_suffix(b":").unwrap_or(host);
        // The reason that a client gives, such as JSch's, says that it was refused.
        if memmem::find(rest, b"Auth fail").is_some() {
            return Some(Said::Exhausted(client(host)));
        }
        return Some(if preauth { Said::Gone(client(host)) } else { Said::Closed(client(host)) });
    }
    let starts = [
        "Did not receive identification string from ",
        "Unable to negotiate with ",
        "banner exchange: Connection from ",
        "ssh_dispatch_run_fatal: Connection from ",
        "Timeout before authentication for connection from ",
        "Timeout before authentication for ",
    ];
    if let Some(rest) = starts.iter().find_map(|start| after(start)) {
        return Some(Said::Gone(client(word(rest).0)));
    }
    if message.starts_with(b"Bad protocol version identification")
        || message.starts_with(b"Magic value check failed")
    {
        let at = memmem::rfind(message, b" from ")?;
        return Some(Said::Gone(client(word(&message[at + 6..]).0)));
    }
    None
}

/// What follows `Disconnecting`.
fn disconnecting(rest: &[u8]) -> Option<Said<'_>> {
    let exhausted = memmem::find(rest, b"Too many authentication failures").is_some();
    for known in [" authenticating user ", " invalid user "] {
        if let Some(rest) = rest.strip_prefix(known.as_bytes()) {
            let end = memmem::find(rest, b": ").unwrap_or(rest.len());
            let who = user_then_client(&rest[..end]);
            return Some(if exhausted { Said::Exhausted(who) } else { Said::Gone(who) });
        }
    }
    if !exhausted {
        return None;
    }
    let user = memmem::find(rest, b" failures for ").map(|at| word(&rest[at + 14..]).0);
    Some(Said::Exhausted(Who { user, client: None }))
}

fn client(host: &[u8]) -> Who<'_> {
    Who { user: None, client: Some(host).filter(|host| !host.is_empty() && *host != b"UNKNOWN") }
}

/// True for an account that exists, and what follows.
fn without_invalid(text: &[u8]) -> (bool, &[u8]) {
    match text.strip_prefix(b"invalid user ").or_else(|| text.strip_prefix(b"illegal user ")) {
        Some(rest) => (false, rest),
        None => (true, text),
    }
}

/// `ana from 192.0.2.7 port 1 ssh2: …`. A client chooses its name, which may hold ` from ` itself: a name of
/// one word ends at the first, any other at the last.
fn user_from(text: &[u8]) -> Who<'_> {
    let end = text.iter().position(|&b| b == b' ').unwrap_or(text.len());
    if let Some(rest) = text[end..].strip_prefix(b" from ")
        && let (host, rest) = word(rest)
        && ends_after_port(rest)
    {
        return Who { user: Some(&text[..end]), client: client(host).client };
    }
    match memmem::rfind(text, b" from ") {
        Some(at) => {
            Who { user: Some(text[..at].trim_ascii()), client: client(word(&text[at + 6..]).0).client }
        }
        None => Who { user: Some(text.trim_ascii()), client: None },
    }
}

/// True where nothing more than port, protocol, a mark in brackets and what the key was follows.
fn ends_after_port(rest: &[u8]) -> bool {
    let mut rest = rest.trim_ascii();
    if let Some(after) = rest.strip_prefix(b"port ") {
        rest = word(after).1;
    }
    if let Some(after) = rest.strip_prefix(b"ssh") {
        rest = &after[after.iter().take_while(|b| b.is_ascii_digit()).count()..];
    }
    let rest = rest.trim_ascii();
    rest.is_empty() || rest.starts_with(b":") || rest.starts_with(b"[preauth]") || rest.starts_with(b"via ")
}

/// `ana 192.0.2.7 port 1 [preauth]`, read from its end, since a name may hold anything.
fn user_then_client(text: &[u8]) -> Who<'_> {
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b"[preauth]").unwrap_or(text).trim_ascii_end();
    let text = match memmem::rfind(text, b" port ") {
        Some(at) if text[at + 6..].iter().all(u8::is_ascii_digit) => &text[..at],
        _ => text,
    };
    match memchr::memrchr(b' ', text) {
        Some(at) => Who { user: Some(text[..at].trim_ascii()), client: client(&text[at + 1..]).client },
        None => client(text),
    }
}

/// `[pid 1] [ana] FAIL LOGIN: Client "192.0.2.7"`.
fn vsftpd(message: &[u8]) -> Option<Said<'_>> {
    let (outcome, at) = match memmem::find(message, b"] FAIL LOGIN: Client \"") {
        Some(at) => (Outcome::Failed, at),
        None => (Outcome::Ok, memmem::find(message, b"] OK LOGIN: Client \"")?),
    };
    let quote = at + memmem::find(&message[at..], b"\"")? + 1;
    let host = &message[quote..][..memchr::memchr(b'"', &message[quote..])?];
    let open = memchr::memrchr(b'[', &message[..at])?;
    Some(Said::Attempt(outcome, Who { user: Some(&message[open + 1..at]), client: client(host).client }))
}

/// `www.example (host[192.0.2.7]): USER ana (Login failed): …`.
fn proftpd(message: &[u8]) -> Option<Said<'_>> {
    // The first brackets are the server's own words; a name that holds others comes behind them.
    let open = memmem::find(message, b"(")?;
    let close = open + memmem::find(&message[open..], b"])")?;
    let host = &message[open + 1..close];
    let host = &host[memchr::memchr(b'[', host)? + 1..];
    let rest = message[close + 2..].trim_ascii_start();
    let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"-"))?.trim_ascii_start();
    let who = |user| Who { user, client: client(host).client };
    if let Some(rest) = rest.strip_prefix(b"USER ") {
        for (mark, outcome) in [
            (&b": no such user found"[..], Outcome::NoAccount),
            (b" (Login failed)", Outcome::Failed),
            (b": Login successful", Outcome::Ok),
        ] {
            if let Some(at) = memmem::rfind(rest, mark) {
                return Some(Said::Attempt(outcome, who(Some(&rest[..at]))));
            }
        }
        return None;
    }
    if let Some(rest) = rest.strip_prefix(b"SECURITY VIOLATION: ") {
        return Some(Said::Attempt(Outcome::Failed, who(Some(word(rest).0))));
    }
    rest.starts_with(b"Maximum login attempts").then(|| Said::Exhausted(who(None)))
}

/// Dovecot's doors and postfix's SASL. What dovecot's `auth` says of the same attempts is passed over: the door
/// counts them when the connection ends.
fn mail<'a>(program: &[u8], message: &'a [u8]) -> Option<Said<'a>> {
    if program.starts_with(b"postfix") {
        return postfix(message);
    }
    let at = memmem::find(message, b"-login: ").map(|at| at + 8);
    let rest = match at {
        Some(at) => &message[at..],
        None if program.ends_with(b"-login") => message,
        None => return None,
    };
    let rest = rest.strip_prefix(b"Info: ").unwrap_or(rest);
    let field = |name: &str, ends: &[u8]| {
        let at = memmem::rfind(rest, name.as_bytes())? + name.len();
        let end = rest[at..].iter().position(|b| ends.contains(b)).unwrap_or(rest.len() - at);
        Some(&rest[at..at + end])
    };
    let who =
        Who { user: field("user=<", b">").filter(|user| !user.is_empty()), client: field("rip=", b", ") };
    who.client?;
    if rest.starts_with(b"Login: ") {
        return Some(Said::Attempt(Outcome::Ok, who));
    }
    if let Some(at) = memmem::find(rest, b"(auth failed, ") {
        let (count, _) = word(&rest[at + 14..]);
        let count = std::str::from_utf8(count).ok()?.parse().ok()?;
        return Some(Said::Failures(count, who));
    }
    let gone = ["Aborted login", "Disconnected", "Login aborted"];
    gone.iter().any(|start| rest.starts_with(start.as_bytes())).then_some(Said::Gone(who))
}

/// `warning: host[192.0.2.7]: SASL LOGIN authentication failed: …` and `A1: client=host[192.0.2.7],
/// sasl_method=PLAIN, sasl_username=ana`.
fn postfix(message: &[u8]) -> Option<Said<'_>> {
    let host = |text: &'_ [u8]| -> Option<(usize, usize)> {
        let open = memchr::memchr(b'[', text)? + 1;
        Some((open, open + memchr::memchr(b']', &text[open..])?))
    };
    if let Some(rest) = message.strip_prefix(b"warning: ") {
        let at = memmem::find(rest, b": SASL ")?;
        memmem::find(&rest[at..], b" authentication failed")?;
        let (open, close) = host(&rest[..at])?;
        let user = memmem::rfind(rest, b"sasl_username=").map(|at| rest[at + 14..].trim_ascii());
        return Some(Said::Attempt(Outcome::Failed, Who { user, client: client(&rest[open..close]).client }));
    }
    let at = memmem::find(message, b": client=")?;
    let user = memmem::find(message, b"sasl_username=")?;
    let (open, close) = host(&message[at..])?;
    let who = Who {
        user: Some(message[user + 14..].split(|b| matches!(b, b',' | b' ')).next().unwrap_or_default()),
        client: client(&message[at + open..at + close]).client,
    };
    Some(Said::Attempt(Outcome::Ok, who))
}

/// sudo and su.
fn local<'a>(program: &[u8], message: &'a [u8]) -> Option<Said<'a>> {
    let user = |text: &'a [u8]| Who { user: Some(text.trim_ascii()), client: None };
    match program {
        b"sudo" => {
            let at = memmem::find(message, b" : ")?;
            let (name, rest) = (&message[..at], &message[at + 3..]);
            if let Some(at) = memmem::find(rest, b" incorrect password attempt") {
                // PAM has said each of them, or their number.
                let count = std::str::from_utf8(&rest[..at]).ok()?.trim().parse().ok()?;
                return Some(Said::Failures(count, user(name)));
            }
            if rest.starts_with(b"user NOT in sudoers") || rest.starts_with(b"command not allowed") {
                return Some(Said::Attempt(Outcome::Failed, user(name)));
            }
            (rest.starts_with(b"TTY=") || rest.starts_with(b"PWD="))
                .then(|| Said::Attempt(Outcome::Ok, user(name)))
        }
        b"su" => {
            if let Some(rest) = message.strip_prefix(b"FAILED SU (to ") {
                let end = memchr::memchr(b')', rest)?;
                return Some(Said::Hint(Hint::Pam, user(&rest[..end])));
            }
            let rest = message.strip_prefix(b"(to ")?;
            Some(Said::Attempt(Outcome::Ok, user(&rest[..memchr::memchr(b')', rest)?])))
        }
        _ => None,
    }
}
