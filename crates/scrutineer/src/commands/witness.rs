//! `scrutineer witness`: cosigns what logs show, if it fits what they showed before.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueHint};
use store::lock::Lock;
use store::{FileCells, RealDisk};
use tlog::key::KeyKind;
use witness::Witness as Core;
use witness::files::FileEvidence;
use witness::server::{self, Settings, Stop};

use super::log::keys::{create_secret, read_policy, read_secret, write_new};
use super::log::{LogError, now};
use super::{CommandError, Done, put, say};

/// Arguments of `scrutineer witness`.
#[derive(Debug, Args)]
pub(crate) struct Witness {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a witness's key
    Init(Init),
    /// Serve: c2sp.org/tlog-witness
    Run(Run),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer witness init w1 --name witness.example.org/w1")]
struct Init {
    /// Folder of the witness
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// The witness's name: the address it will be reached at, without `https://`
    #[arg(long, value_name = "NAME")]
    name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer witness run w1 --logs logs.policy
  scrutineer witness run w1 --logs logs.policy --listen 127.0.0.1:8801

The file of logs is a policy (c2sp.org/tlog-policy): its `log` lines count, and `quorum none` ends it.
Put a web server that speaks TLS before it. Logs are served at /add-checkpoint, monitors at
/<sha256 of origin>/checkpoint. Evidence against a log is kept in DIR/evidence.")]
struct Run {
    /// Folder of the witness
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// The logs to witness
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    logs: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8801")]
    listen: String,
}

const KEY: &str = "witness.key";
const VKEY: &str = "witness.vkey";

impl Witness {
    /// Makes a key, or serves until the process is ended.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        match self.command {
            Command::Init(init) => init.run()?,
            Command::Run(run) => run.run()?,
        }
        Ok(Done::Quiet)
    }
}

impl Init {
    fn run(self) -> Result<(), CommandError> {
        let key = create_secret(&self.folder.join(KEY), &self.name, KeyKind::CosignatureV1)?;
        let vkey = key.verifier().to_string();
        write_new(&self.folder.join(VKEY), &format!("{vkey}\n"), 0o644)?;
        put(&format!(
            "The witness `{}` has its key in `{}`.\n\n  verifier key   {vkey}\n\n\
             Who shall rely on it puts a line `witness NAME {vkey} URL` into the policy.\n",
            self.name,
            self.folder.display()
        ))
    }
}

impl Run {
    fn run(self) -> Result<(), CommandError> {
        let failed = |source| LogError::Folder { folder: self.folder.clone(), source };
        let key = read_secret(&self.folder.join(KEY))?;
        let policy = read_policy(&self.logs)?;
        let state = self.folder.join("state");
        std::fs::create_dir_all(&state).map_err(failed)?;
        // A second witness with this key and these records could sign what the first has refused.
        let _lock = Lock::take(&state.join("lock")).map_err(failed)?;
        let cells = FileCells::new(RealDisk, &state);
        let logs = policy.logs().iter().map(|log| log.key.clone());
        let evidence = FileEvidence::new(self.folder.join("evidence"));
        let core = Core::new(vec![key], logs, cells, evidence)
            .map_err(|error| CommandError::Witness(Box::new(error)))?
            .on_event(|event| {
                let level = if event.is_alarming() { "warning" } else { "note" };
                say(&format!("{level}: {event}"));
            });
        for (origin, size) in core.records() {
            match size {
                Ok(Some(size)) => say(&format!("note: `{origin}` was last cosigned at size {size}")),
                Ok(None) => say(&format!("note: `{origin}` is new")),
                Err(failure) => return Err(CommandError::Witness(Box::new(failure))),
            }
        }
        let listener = TcpListener::bind(&self.listen).map_err(failed)?;
        let settings = Settings::new("", now).map_err(|error| CommandError::Witness(Box::new(error)))?;
        let address = listener.local_addr().map_err(failed)?;
        say(&format!("note: witnessing {} logs at http://{address}", policy.logs().len()));
        server::run(listener, Arc::new(core), &settings, &Stop::default())
            .map_err(|error| CommandError::Witness(Box::new(error)))
    }
}
