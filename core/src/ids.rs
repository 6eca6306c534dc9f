//! The names of things. No id travels as a bare string: each kind has its type, parsed once at the edge.
//!
//! All are `Copy` and live without a heap allocation, because a large installation holds hundreds of thousands.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

/// Why a text is not the id it should be. `Display` shows a right one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BadId {
    what: &'static str,
    example: &'static str,
    got: String,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not {}; a right one looks like {}", self.got, self.what, self.example)
    }
}

impl std::error::Error for BadId {}

/// The 8 or 17 hexadecimal digits behind an AWS resource id's prefix, two to a byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Hex {
    packed: [u8; 9],
    len: u8,
}

impl Hex {
    fn parse(text: &str) -> Option<Self> {
        if text.len() != 8 && text.len() != 17 {
            return None;
        }
        let mut packed = [0; 9];
        for (at, byte) in text.bytes().enumerate() {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            packed[at / 2] |= if at % 2 == 0 { digit << 4 } else { digit };
        }
        Some(Self { packed, len: text.len() as u8 })
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 17];
        for (at, byte) in text.iter_mut().enumerate() {
            let pair = self.packed[at / 2];
            *byte = DIGITS[usize::from(if at % 2 == 0 { pair >> 4 } else { pair & 0xf })];
        }
        f.write_str(std::str::from_utf8(&text[..usize::from(self.len)]).unwrap_or_default())
    }
}

macro_rules! aws_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Hex);

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = || BadId { what: $what, example: $example, got: text.to_owned() };
                text.strip_prefix($prefix).and_then(Hex::parse).map(Self).ok_or_else(bad)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

aws_id!(VpcId, "vpc-", "a VPC id", "vpc-0a1b2c3d4e5f60789");
aws_id!(PeeringId, "pcx-", "a VPC peering connection id", "pcx-0123456789abcdef0");
aws_id!(RouteTableId, "rtb-", "a route table id", "rtb-0123456789abcdef0");
aws_id!(PrefixListId, "pl-", "a prefix list id", "pl-0123456789abcdef0");
aws_id!(GroupId, "sg-", "a security group id", "sg-0123456789abcdef0");
aws_id!(RuleId, "sgr-", "a security group rule id", "sgr-0123456789abcdef0");

/// A 12-digit AWS account id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl FromStr for AccountId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId { what: "an AWS account id", example: "111122223333", got: text.to_owned() };
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        text.parse().map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An AWS Region, in any partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    text: [u8; 24],
    len: u8,
}

impl Region {
    pub fn as_str(&self) -> &str {
        // The bytes were checked to be ASCII when this was parsed.
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl FromStr for Region {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let right_bytes = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let right_ends = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.ends_with(|c: char| c.is_ascii_digit());
        if text.len() > 24 || !right_bytes || !right_ends || !text.contains('-') {
            return Err(BadId { what: "an AWS Region", example: "eu-west-1", got: text.to_owned() });
        }
        let mut bytes = [0; 24];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { text: bytes, len: text.len() as u8 })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One account in one Region: what one sweep reads, and what AWS's token buckets are counted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRegion {
    pub account: AccountId,
    pub region: Region,
}

impl fmt::Display for AccountRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

impl fmt::Debug for AccountRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A CIDR block in canonical form: AWS clears the host bits of a route's destination, so two texts that mean one block
/// must compare equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    pub fn new(net: IpNet) -> Self {
        Self(net.trunc())
    }

    pub fn is_ipv6(self) -> bool {
        matches!(self.0, IpNet::V6(_))
    }

    pub fn contains(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// 0.0.0.0/0 or ::/0.
    pub fn is_default_route(self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Cidr {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId { what: "a CIDR block", example: "10.20.0.0/16", got: text.to_owned() };
        text.parse().map(Self::new).map_err(|_| bad())
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a route matches. A table holds at most one static route per destination, so it is the route's name there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    Cidr(Cidr),
    PrefixList(PrefixListId),
}

impl FromStr for Destination {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.starts_with("pl-") {
            return text.parse().map(Self::PrefixList);
        }
        text.parse().map(Self::Cidr)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(cidr) => fmt::Display::fmt(cidr, f),
            Self::PrefixList(list) => fmt::Display::fmt(list, f),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a route sends its traffic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    Peering(PeeringId),
    Local,
    /// Anything else, by AWS's id for it: an internet, NAT or transit gateway, an interface, an instance ...
    Other(Arc<str>),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peering(id) => fmt::Display::fmt(id, f),
            Self::Local => f.write_str("local"),
            Self::Other(id) => f.write_str(id),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One of a peering's two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Requester,
    Accepter,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Requester, Self::Accepter];

    pub fn peer(self) -> Self {
        match self {
            Self::Requester => Self::Accepter,
            Self::Accepter => Self::Requester,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requester => "requester",
            Self::Accepter => "accepter",
        })
    }
}

/// One value for each end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sides<T> {
    pub requester: T,
    pub accepter: T,
}

impl<T> Sides<T> {
    pub fn new(requester: T, accepter: T) -> Self {
        Self { requester, accepter }
    }

    pub fn from_fn(mut make: impl FnMut(Side) -> T) -> Self {
        Self { requester: make(Side::Requester), accepter: make(Side::Accepter) }
    }

    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Requester => &self.requester,
            Side::Accepter => &self.accepter,
        }
    }

    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Requester => &mut self.requester,
            Side::Accepter => &mut self.accepter,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Side, &T)> {
        Side::BOTH.into_iter().map(|side| (side, self.get(side)))
    }
}

/// The two VPCs of a peering, whichever asked for it. AWS allows one live peering between them, so this finds it in
/// either orientation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VpcPair {
    low: VpcId,
    high: VpcId,
}

impl VpcPair {
    pub fn new(one: VpcId, other: VpcId) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    pub fn vpcs(self) -> [VpcId; 2] {
        [self.low, self.high]
    }
}

impl fmt::Debug for VpcPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.low, self.high)
    }
}

/// A VPC with the account and Region it lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VpcAt {
    pub at: AccountRegion,
    pub vpc: VpcId,
}

/// A place for one route: a destination in a route table on one side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    pub side: Side,
    pub table: RouteTableId,
    pub destination: Destination,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} ({})", self.destination, self.table, self.side)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A Kubernetes object's namespace and name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl ObjectKey {
    pub fn new(namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value of the owner tag: which installation, and which object of it, keeps a peering.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerTag {
    /// The operator's owner id; by default the UID of the cluster's kube-system namespace.
    pub owner_id: Arc<str>,
    pub object: ObjectKey,
}

impl OwnerTag {
    pub const KEY: &'static str = "peerkeeper.dev/owner";

    /// `None` for a value that no Peerkeeper wrote.
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, '/');
        let (owner_id, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = !owner_id.is_empty() && !namespace.is_empty() && !name.is_empty() && !name.contains('/');
        whole.then(|| Self { owner_id: owner_id.into(), object: ObjectKey::new(namespace, name) })
    }
}

impl fmt::Display for OwnerTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner_id, self.object)
    }
}

/// The tag that says how a peering came to be ours, beside the owner's.
pub const ORIGIN_TAG_KEY: &str = "peerkeeper.dev/origin";
/// On a VPC: nothing that touches this VPC is changed.
pub const HOLD_TAG_KEY: &str = "peerkeeper.dev/hold";
