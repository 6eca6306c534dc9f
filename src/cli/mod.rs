//! The command line: one module per subcommand.

pub mod crd;
pub mod run;
