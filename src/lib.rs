//! Peerkeeper: keeps AWS VPC peering connections, and the routes that depend on them, as declared.
