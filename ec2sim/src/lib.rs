//! A pure, deterministic simulation of the part of Amazon EC2 that VPC peering touches.
