//! `scrutineer log append`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use clap::{Args, ValueHint};
use store::FileLog;
use store::sequencer::{Accepted, MAX_BATCH, NotTaken, Promises, Sequencer, Settings, Ticket};
use tlog::writer::{WriteError, Writer};
use tlog::{Policy, bundle, reader};
use witness::client::{Client, KnownSizes, Wait};

use super::super::{CommandError, Done, say};
use super::keys::{LOG_KEY, RECEIPTS_KEY, read_policy, read_secret};
use super::{LogError, now};

/// Arguments of `scrutineer log append`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer log append results-log return-0042.txt
  scrutineer log append results-log returns/*.txt --receipts receipts/
  tail -F audit.jsonl | scrutineer log append audit-log --lines -
  scrutineer log append results-log return.txt --policy witnesses.policy

A line on standard output says that an entry is durable, and at which index it stands for ever. An entry that is in the
log already keeps its index. With --policy, witnesses are asked to cosign before the checkpoint is published; where too
few answer, the entries are safe and the checkpoint stays as it was until the next try.")]
pub(super) struct Append {
    /// Folder of the log
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// Files, each one entry
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "lines")]
    files: Vec<PathBuf>,
    /// A file whose lines are the entries, without their newlines; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "files", value_hint = ValueHint::FilePath)]
    lines: Option<PathBuf>,
    /// Policy whose witnesses cosign before publishing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    policy: Option<PathBuf>,
    /// Write a signed receipt for each entry into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,
    /// The longest time from taking an entry to publishing it, as receipts promise
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    maximum_merge_delay: u64,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

/// How long a witness may take for an answer.
const WITNESS_TIMEOUT: Duration = Duration::from_secs(10);

impl Append {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let writer = open(&self.folder)?;
        let promises = match &self.receipts {
            Some(folder) => {
                fs::create_dir_all(folder)
                    .map_err(|source| CommandError::Write { file: folder.clone(), source })?;
                let key = read_secret(&self.folder.join(RECEIPTS_KEY))?;
                Some(Promises { key, maximum_merge_delay: self.maximum_merge_delay, now: Box::new(now) })
            }
            None => None,
        };
        let policy = self.policy.as_deref().map(read_policy).transpose()?;
        let client = Client::new(WITNESS_TIMEOUT, KnownSizes::default());
        let reopened = self.folder.clone();
        let settings = Settings {
            reopen: Box::new(move || {
                open(&reopened).map_err(|error| match error {
                    LogError::Write(error) => error,
                    other => WriteError::Load(Box::new(other)),
                })
            }),
            publish: Box::new(move |writer| match publish(writer, policy.as_ref(), &client) {
                Ok(()) => Ok(()),
                Err(error) => {
                    say(&format!(
                        "warning: {error}; the entries are durable, and the next try publishes them"
                    ));
                    Ok(())
                }
            }),
            promises,
        };
        let sequencer = Sequencer::start(writer, settings);
        let (tickets, waiting) = sync_channel(2 * MAX_BATCH);
        // Answers are written while further entries are read.
        let outcome = std::thread::scope(|scope| {
            let this = &self;
            let speaker = scope.spawn(move || this.speak(waiting));
            let read = self.each_entry(&mut |name, entry| {
                let ticket = sequencer.submit(entry);
                // The speaker is gone where standard output is; then nobody needs the rest.
                tickets.send((name, ticket)).is_ok()
            });
            drop(tickets);
            let spoken = speaker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            spoken.and(read)
        });
        sequencer.close();
        outcome.map(|()| Done::Quiet)
    }

    /// Hands out entries until there are none, or nobody wants more.
    fn each_entry(&self, hand: &mut dyn FnMut(String, Vec<u8>) -> bool) -> Result<(), CommandError> {
        let Some(lines) = &self.lines else {
            for file in &self.files {
                if !hand(file.display().to_string(), super::read(file)?) {
                    break;
                }
            }
            return Ok(());
        };
        let failed = |source| LogError::Read { file: lines.clone(), source };
        let mut input: Box<dyn BufRead> = if lines.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(File::open(lines).map_err(failed)?))
        };
        for number in 1_u64.. {
            let mut line = Vec::new();
            // A line that is too long is refused by the log; it must not fill the memory before.
            let limit = bundle::MAX_ENTRY_BYTES as u64 + 2;
            let n = io::Read::take(&mut input, limit).read_until(b'\n', &mut line).map_err(failed)?;
            if n == 0 {
                break;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if n as u64 == limit {
                return Err(too_long(number).into());
            }
            if !hand(format!("line {number}"), line) {
                break;
            }
        }
        Ok(())
    }

    /// Writes a line for each entry once it is durable.
    fn speak(&self, waiting: Receiver<(String, Ticket)>) -> Result<(), CommandError> {
        let mut failed = None;
        let mut number = 0;
        for (name, ticket) in waiting {
            number += 1;
            match ticket.wait() {
                Ok(accepted) => self.accepted(&name, &accepted)?,
                // One entry that is refused does not stop the others.
                Err(reason) => {
                    say(&format!("error: {name} was not taken: {reason}"));
                    failed.get_or_insert((number, reason));
                }
            }
        }
        match failed {
            Some((number, reason)) => Err(LogError::NotTaken { number, reason: reason.to_string() }.into()),
            None => Ok(()),
        }
    }

    fn accepted(&self, name: &str, accepted: &Accepted) -> Result<(), CommandError> {
        let (index, leaf, known) = (accepted.appended.index, accepted.appended.leaf, accepted.appended.known);
        if let (Some(folder), Some(receipt)) = (&self.receipts, &accepted.receipt) {
            let file = folder.join(format!("{index}.receipt"));
            fs::write(&file, receipt.to_string()).map_err(|source| CommandError::Write { file, source })?;
        }
        let line = if self.json {
            let leaf = leaf.to_base64();
            format!(
                "{}\n",
                serde_json::json!({ "index": index, "leaf": leaf, "known": known, "entry": name })
            )
        } else {
            let note = if known { "  (was there already)" } else { "" };
            format!("{index}  {leaf}  {name}{note}\n")
        };
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|source| CommandError::Stdout { source })
    }
}

fn too_long(number: u64) -> LogError {
    LogError::NotTaken { number, reason: NotTaken::TooLarge(bundle::MAX_ENTRY_BYTES + 1).to_string() }
}

/// Opens the log in a folder to write to it.
pub(crate) fn open(folder: &Path) -> Result<Writer<FileLog>, LogError> {
    if !folder.join(LOG_KEY).exists() {
        return Err(WriteError::NoLog.into());
    }
    let key = read_secret(&folder.join(LOG_KEY))?;
    let storage =
        FileLog::open(folder).map_err(|source| LogError::Folder { folder: folder.to_owned(), source })?;
    Ok(Writer::open(storage, key)?)
}

/// Publishes what was signed: at once, or with the cosignatures of enough witnesses.
pub(crate) fn publish(
    writer: &mut Writer<FileLog>,
    policy: Option<&Policy>,
    client: &Client,
) -> Result<(), String> {
    let mut cosignatures = Vec::new();
    if let Some(policy) = policy {
        let (signed, storage) = (writer.signed(), writer.storage());
        let prove = |old| reader::prove_consistency(storage, signed, old);
        let gathered = client
            .submit(policy, &writer.signed_note(), prove, Wait::Quorum)
            .map_err(|refusal| refusal.to_string())?;
        if !gathered.quorum {
            let why: Vec<String> = gathered.failures.iter().map(ToString::to_string).collect();
            return Err(format!("too few witnesses cosigned size {}: {}", signed.size, why.join("; ")));
        }
        cosignatures = gathered.cosignatures;
    }
    writer.publish(&cosignatures).map_err(|error| super::super::chain(&error))
}
