//! Names of things, as AWS writes them. A cheap clone each: an id is shared, never copied.

use std::fmt;
use std::sync::Arc;

macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// `None` unless the text is the prefix and 8 or 17 lower-case hexadecimal digits.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                let long_enough = digits.len() == 8 || digits.len() == 17;
                (long_enough && digits.bytes().all(hex)).then(|| Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            #[allow(dead_code, reason = "prefix lists name themselves by another width")]
            pub(crate) fn numbered(number: u64) -> Self {
                Self(format!("{}0{number:016x}", $prefix).into())
            }
        }

        text_traits!($name);
    };
}

macro_rules! text_traits {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // Ids fill test failures: shown bare, a failure stays readable.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

macro_rules! plain_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&$name> for $name {
            fn from(name: &$name) -> Self {
                name.clone()
            }
        }

        text_traits!($name);
    };
}

resource_id!(VpcId, "vpc-");
resource_id!(PeeringId, "pcx-");
resource_id!(RouteTableId, "rtb-");
resource_id!(PrefixListId, "pl-");
resource_id!(
    /// The tie of a route table to a subnet, a gateway or (main) the VPC itself.
    AssociationId,
    "rtbassoc-"
);
resource_id!(CidrAssociationId, "vpc-cidr-assoc-");
resource_id!(SubnetId, "subnet-");
resource_id!(SubnetCidrAssociationId, "subnet-cidr-assoc-");
resource_id!(
    /// An internet gateway. Gateways of other kinds are [`Opaque`].
    GatewayId,
    "igw-"
);
resource_id!(GroupId, "sg-");
resource_id!(
    /// One rule of a security group.
    RuleId,
    "sgr-"
);
resource_id!(AclId, "acl-");
resource_id!(AclAssociationId, "aclassoc-");

plain_name!(AccountId);
plain_name!(Region);
plain_name!(
    /// A resource this world does not model: vgw, nat, tgw, eni, and a subnet or internet gateway that it did not
    /// make. Its id is all there is of it.
    Opaque
);

impl Region {
    /// The second part of every ARN here: `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        match self.as_str() {
            name if name.starts_with("cn-") => "aws-cn",
            name if name.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// Numbers new resources. AWS's ids say nothing about age: `scrambled` hides it, so that code which takes the
/// lowest id for the oldest object shows itself.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct IdSource {
    pub(crate) scrambled: bool,
    last: u64,
    last_unasked: u64,
}

/// Far above what is ever counted up to.
const UNASKED: u64 = 1 << 48;

impl IdSource {
    pub(crate) fn next(&mut self) -> u64 {
        self.last += 1;
        self.shown(self.last)
    }

    /// For what nobody asked for and comes with something else. It is counted apart: the ids of what was asked for
    /// don't depend on what the world thinks belongs to it.
    pub(crate) fn next_unasked(&mut self) -> u64 {
        self.last_unasked += 1;
        self.shown(UNASKED + self.last_unasked)
    }

    fn shown(&self, number: u64) -> u64 {
        if self.scrambled { crate::chance::mix(number) } else { number }
    }
}
