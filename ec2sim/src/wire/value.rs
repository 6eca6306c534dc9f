//! What is inside a request or an answer, whatever the protocol: a tree of values, named as AWS's SDKs name members.

use std::collections::BTreeMap;

/// One value. [`Struct`] members and list items are these.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    Blob(Vec<u8>),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Struct(Struct),
}

impl Value {
    /// A list of anything that can be a value. An empty one stays an empty list, which is not an absent one.
    pub fn list<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    pub fn as_float(&self) -> Option<f64> {
        if let Self::Float(number) = self { Some(*number) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// Milliseconds since 1970.
    pub fn as_time(&self) -> Option<i64> {
        if let Self::Time(millis) = self { Some(*millis) } else { None }
    }

    pub fn as_blob(&self) -> Option<&[u8]> {
        if let Self::Blob(bytes) = self { Some(bytes) } else { None }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    pub fn as_struct(&self) -> Option<&Struct> {
        if let Self::Struct(members) = self { Some(members) } else { None }
    }
}

/// Members by the name that AWS's SDKs (and botocore's service model) give them: `VpcPeeringConnectionId`,
/// `TagSpecifications`. Never by the name on the wire.
///
/// ```
/// use ec2sim::wire::{Struct, Value};
///
/// let vpc = Struct::new()
///     .with("VpcId", "vpc-0a1b2c3d4e5f60789")
///     .with_opt("OwnerId", None::<&str>)
///     .with("Tags", Value::list([Struct::new().with("Key", "tier").with("Value", "private")]));
/// assert_eq!(vpc.text("VpcId"), Some("vpc-0a1b2c3d4e5f60789"));
/// assert_eq!(vpc.structs("Tags").next().and_then(|tag| tag.text("Value")), Some("private"));
/// assert!(!vpc.has("OwnerId"));
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Struct {
    // Sorted by name. Structs are small and many: a vector of them is read and made faster than a tree.
    members: Vec<(&'static str, Value)>,
}

impl Struct {
    pub fn new() -> Self {
        Self::default()
    }

    /// With this member; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// With this member if there is one: `None` leaves it absent.
    #[must_use]
    pub fn with_opt(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        match self.members.binary_search_by(|(other, _)| (*other).cmp(name)) {
            Ok(at) => self.members[at].1 = value.into(),
            Err(at) => self.members.insert(at, (name, value.into())),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|at| &self.members[at].1)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.find(name).map(|at| &mut self.members[at].1)
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.find(name).map(|at| self.members.remove(at).1)
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All members, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.members.iter().map(|(name, value)| (*name, value))
    }

    // The getters by type answer `None` to an absent member and to one of another type. A decoded struct has only
    // members of the type that its shape says, so there `None` means absent.

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_int()
    }

    pub fn float(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_float()
    }

    pub fn bool(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// Milliseconds since 1970.
    pub fn time(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_time()
    }

    pub fn blob(&self, name: &str) -> Option<&[u8]> {
        self.get(name)?.as_blob()
    }

    /// `None` if the list is absent. See [`Self::texts`] and [`Self::structs`] where that is the same as empty.
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name)?.as_list()
    }

    pub fn map(&self, name: &str) -> Option<&BTreeMap<String, Value>> {
        self.get(name)?.as_map()
    }

    pub fn structure(&self, name: &str) -> Option<&Struct> {
        self.get(name)?.as_struct()
    }

    /// The texts in this list; none if it is absent.
    pub fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list(name).unwrap_or_default().iter().filter_map(Value::as_text)
    }

    /// The structs in this list; none if it is absent.
    pub fn structs<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Struct> + use<'a> {
        self.list(name).unwrap_or_default().iter().filter_map(Value::as_struct)
    }

    // One after the other: names mostly differ in length already, which is seen at once, where their order takes
    // reading them.
    fn find(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|(other, _)| *other == name)
    }
}

impl FromIterator<(&'static str, Value)> for Struct {
    fn from_iter<I: IntoIterator<Item = (&'static str, Value)>>(members: I) -> Self {
        let mut made = Self::new();
        for (name, value) in members {
            made.set(name, value);
        }
        made
    }
}

macro_rules! value_from {
    ($($from:ty => $make:expr),+ $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let make: fn($from) -> Value = $make;
                make(value)
            }
        })+
    };
}

value_from! {
    String => Value::Text,
    &str => |text| Value::Text(text.to_owned()),
    &String => |text| Value::Text(text.clone()),
    bool => Value::Bool,
    i64 => Value::Int,
    i32 => |number| Value::Int(number.into()),
    u32 => |number| Value::Int(number.into()),
    u16 => |number| Value::Int(number.into()),
    u8 => |number| Value::Int(number.into()),
    f64 => Value::Float,
    Vec<Value> => Value::List,
    Vec<String> => Value::list,
    Vec<Struct> => Value::list,
    BTreeMap<String, Value> => Value::Map,
    Struct => Value::Struct,
}
