//! Recordings that nobody here made. Where they are missing the tests say so and pass.

use crate::common::{logins, read, shared};

#[test]
fn show() {
    for name in ["loghub/OpenSSH/OpenSSH_2k.log", "loghub/Linux/Linux_2k.log", "fail2ban-logs/sshd"] {
        let Some(path) = shared(name) else { return };
        let read = read(&[path]).expect("a log");
        std::fs::write(format!("/tmp/access/{}", name.replace('/', "_")), logins(&read)).unwrap();
    }
}
