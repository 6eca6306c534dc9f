//! Where in a request or an answer we are. Built on the stack while walking down; written out only for an error.

use std::fmt;

#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    /// Counted from one, as AWS counts.
    Item(&'a Path<'a>, u32),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = match self {
            Self::Root => return Ok(()),
            Self::Name(parent, _) | Self::Item(parent, _) => parent,
        };
        parent.fmt(f)?;
        if !matches!(parent, Self::Root) {
            f.write_str(".")?;
        }
        match self {
            Self::Root => Ok(()),
            Self::Name(_, name) => f.write_str(name),
            Self::Item(_, number) => number.fmt(f),
        }
    }
}
