//! The wire against AWS's rules, and against whatever else may come down it.
#![cfg(feature = "wire")]

mod json;
mod kit;
mod properties;
mod query;
mod shapes;
mod xml;
