//! EC2, area by area.

pub(super) mod gateway;
pub(super) mod misc;
pub(super) mod peering;
pub(super) mod place;
pub(super) mod prefix_list;
pub(super) mod route;
pub(super) mod security_group;
pub(super) mod security_group_rule;
pub(super) mod subnet;
pub(super) mod table;
pub(super) mod tag;
pub(super) mod vpc;
