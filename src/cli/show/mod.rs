//! Output: data on stdout, in the form that was asked for; errors on stderr.

pub mod explain;
pub mod incidents;
mod json;
mod markdown;
mod plan;
mod style;
mod table;
mod text;

use std::io::{self, Write};

use clap::ValueEnum;

pub use plan::{ActionView, EndView, HoldView, PeeringView, PlanView, Status, Summary, Wording};
pub use style::Style;
pub use table::Table;

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// What a plan says, in that form.
pub fn plan(view: &PlanView, format: Format, style: Style) -> Result<String, serde_json::Error> {
    match format {
        Format::Text => Ok(text::plan(view, style)),
        Format::Json => json::plan(view),
        Format::Markdown => Ok(markdown::plan(view)),
    }
}

/// Writes to standard output. Who stops reading has read enough: a broken pipe is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
