//! Peerkeeper's engine: pure and sans-IO.
