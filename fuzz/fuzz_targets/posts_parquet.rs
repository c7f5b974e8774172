//! Parquet, of posts and of network traffic, from a file to the last batch. A panic of the library below is caught and
//! counts as damage; one of our own code ends the run.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("scrutineer-fuzz-{}.parquet", std::process::id())));

fuzz_target!(
    init: {
        // The fuzzer's own hook would end the run at panics that are caught, too.
        std::panic::set_hook(Box::new(|panic| {
            if panic.location().is_some_and(|place| place.file().contains("crates/")) {
                eprintln!("{panic}");
                std::process::abort();
            }
        }));
    },
    |bytes: &[u8]| {
        if !bytes.starts_with(b"PAR1") || !bytes.ends_with(b"PAR1") {
            return;
        }
        std::fs::write(&*FILE, bytes).expect("a file");
        let options = ingest::Options {
            accounts: ingest::Accounts::Plain,
            now: ingest::fuzzing::NOW,
            default_trace: traffic::Trace::Object,
            seed: traffic::Seed(0),
        };
        let Ok(mut reading) = ingest::open(&[FILE.clone()], options) else { return };
        for part in reading.take_parts() {
            for batch in part {
                let Ok(batch) = batch else { break };
                ingest::fuzzing::check(&batch);
            }
        }
        reading.finish();
    }
);
