//! What CloudTrail tells: hints and witnesses in, nothing out. This room never acts, and concludes nothing.
//!
//! ```text
//! queue     messages from SQS, each handed over before it is deleted
//! history   CloudTrail's event history, asked about one loss at a time
//! parse     what a record says, whatever bytes it comes as
//! ```

pub mod parse;
