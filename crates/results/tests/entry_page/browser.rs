//! A page in Chromium, from a file, driven by keys as a person would: Chromium's own protocol over a pipe, no port, no network.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// After so long Chromium is not slow but gone.
const PATIENCE: Duration = Duration::from_mins(2);

/// One Chromium with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    last: u64,
    /// What Chromium told without being asked.
    pub(crate) events: Vec<Value>,
    folder: TempDir,
}

impl Browser {
    /// Starts Chromium and opens the page; none where there is no Chromium.
    pub(crate) fn open(page: &str) -> Option<Self> {
        if let Err(error) = Command::new("chromium").arg("--version").output() {
            let _ = writeln!(std::io::stderr(), "skipped: the page in `chromium`: {error}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Chromium reads commands from descriptor 3 and answers on 4; each message ends with a zero byte.
        let script = r#"exec chromium --headless --no-sandbox --disable-gpu --no-first-run --remote-debugging-pipe \
            --user-data-dir="$0" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(folder.path().join("profile"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = child.stdin.take().expect("it was asked for");
        let output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("Chromium speaks JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut this = Self { child, input, messages, session: None, last: 0, events: Vec::new(), folder };
        this.prepare(page);
        Some(this)
    }

    fn prepare(&mut self, page: &str) {
        let downloads = self.folder.path().join("downloads");
        let behaviour = json!({"behavior": "allow", "downloadPath": downloads, "eventsEnabled": true});
        self.call("Browser.setDownloadBehavior", &behaviour);
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", &attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        let path = self.folder.path().join("page.html");
        std::fs::write(&path, page).expect("a temporary folder");
        self.call("Page.navigate", &json!({"url": format!("file://{}", path.display())}));
        self.wait_for("Page.loadEventFired");
    }

    /// Asks and waits for the answer. A question of the page to its reader (`beforeunload`) is answered with yes.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("an answer of Chromium");
            if message["id"] == json!(id) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.note(message);
        }
    }

    fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        write!(self.input, "{message}\0").expect("Chromium listens");
        self.last
    }

    fn note(&mut self, message: Value) {
        if message["method"] == "Page.javascriptDialogOpening" {
            self.send("Page.handleJavaScriptDialog", &json!({"accept": true}));
        }
        if message.get("method").is_some() {
            self.events.push(message);
        }
    }

    /// Waits for an event and takes it.
    pub(crate) fn wait_for(&mut self, method: &str) -> Value {
        loop {
            if let Some(place) = self.events.iter().position(|event| event["method"] == method) {
                return self.events.remove(place)["params"].clone();
            }
            let message = self.messages.recv_timeout(PATIENCE).expect("an event of Chromium");
            self.note(message);
        }
    }

    /// What an expression is on the page, after its promise is kept.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", &params);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// A text of the page.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// Presses one key and lets it go.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            _ => (0, key),
        };
        let event = |kind: &str| {
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            event
        };
        self.call("Input.dispatchKeyEvent", &event("keyDown"));
        self.call("Input.dispatchKeyEvent", &event("keyUp"));
    }

    /// Types a text, key by key, into what has the focus.
    pub(crate) fn keys(&mut self, text: &str) {
        for key in text.chars() {
            self.press(&key.to_string());
        }
    }

    /// Clicks on what says exactly this, or begins with it.
    pub(crate) fn click(&mut self, words: &str) {
        let find = format!(
            "(() => {{ const all = [...document.querySelectorAll('button,a,summary,label')]\
             .filter((node) => node.checkVisibility() && node.textContent.trim().startsWith({}));\
             all[0]?.click(); return all.length > 0; }})()",
            json!(words)
        );
        let is_there = self.eval(&find);
        assert_eq!(is_there, json!(true), "nothing says `{words}`: {}", self.shown());
    }

    /// What a reader sees.
    pub(crate) fn shown(&mut self) -> String {
        self.text("document.body.innerText")
    }

    /// The sentence at the top.
    pub(crate) fn heading(&mut self) -> String {
        self.text("document.querySelector('h1').textContent.replace(/[\\u2068\\u2069]/g, '')")
    }

    /// The file that the page saved last: name and bytes.
    pub(crate) fn saved(&mut self) -> (String, Vec<u8>) {
        let begin = self.wait_for("Browser.downloadWillBegin");
        while self.wait_for("Browser.downloadProgress")["state"] != "completed" {}
        let name = begin["suggestedFilename"].as_str().expect("a name").to_owned();
        let bytes = std::fs::read(self.folder.path().join("downloads").join(&name)).expect("the file");
        (name, bytes)
    }

    /// Errors that the page made: exceptions, and what stands in the console.
    pub(crate) fn errors(&self) -> Vec<String> {
        let of_page = ["Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"];
        let found =
            self.events.iter().filter(|event| of_page.iter().any(|method| event["method"] == *method));
        found.map(|event| event["params"].to_string()).collect()
    }

    /// All that the page asked for, by address.
    pub(crate) fn requests(&self) -> Vec<String> {
        let found = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        found.map(|event| event["params"]["request"]["url"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
