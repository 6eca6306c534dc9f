//! For programs: the view as it is, one object, with a line break at its end.

use super::PlanView;

pub fn plan(view: &PlanView) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(view)? + "\n")
}
