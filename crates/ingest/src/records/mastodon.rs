use super::Context;
use crate::problems::Reason;
use crate::rows::Rows;
use serde_json::Value;
pub(super) fn read(_v: &Value, _c: &Context, _r: &mut Rows) -> Result<Option<Reason>, Reason> {
    Err(Reason::UnknownRecord)
}
