//! EC2, area by area.

pub(super) mod peering;
pub(super) mod place;
pub(super) mod prefix_list;
pub(super) mod route;
pub(super) mod table;
pub(super) mod tag;
pub(super) mod vpc;
