use super::Context;
use crate::problems::Reason;
use crate::rows::Rows;
use serde_json::Value;
pub(super) fn read(_v: &Value, _c: &Context, _r: &mut Rows) -> Result<Option<Reason>, Reason> {
    Err(Reason::UnknownRecord)
}
pub(super) fn post(_v: &Value, _c: &Context, _r: &mut Rows) -> Result<Option<Reason>, Reason> {
    Err(Reason::UnknownRecord)
}
pub(super) fn page(v: &Value, line: u64, c: &Context, r: &mut Rows, log: &mut super::Log) {
    log.outcome(read(v, c, r), line, b"")
}
