//! The rules of the house: what no compiler checks about this repository.

mod crds;
mod deploy;
mod docs;
mod examples;
mod walls;
