//! Small collections that take no more room than what they hold.
//!
//! A `BTreeMap` with one entry allocates room for eleven. A large installation holds hundreds of thousands of tag and
//! CIDR sets that are made once, when AWS's answer is read, and then only looked at: these are sorted boxed slices.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A set, in order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Few<T>(Box<[T]>);

impl<T> Few<T> {
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T: Ord> Few<T> {
    pub fn contains<Q: Ord + ?Sized>(&self, thing: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.binary_search_by(|held| held.borrow().cmp(thing)).is_ok()
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T: Ord> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let mut all: Vec<T> = things.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into_boxed_slice())
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for Few<T> {
    fn from(things: [T; N]) -> Self {
        things.into_iter().collect()
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The tags of one thing, in the order of their keys.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Tags(Box<[(Arc<str>, Arc<str>)]>);

impl Tags {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        let at = self.0.binary_search_by(|(held, _)| held.as_ref().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Arc<str>, Arc<str>)> for Tags {
    /// Of a key given twice, which AWS never does, the last stays.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<str>)>>(tags: I) -> Self {
        let mut all: Vec<(Arc<str>, Arc<str>)> = tags.into_iter().collect();
        // Sorting keeps the order of equal keys, and of those the first stays.
        all.reverse();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.dedup_by(|(a, _), (b, _)| a == b);
        Self(all.into_boxed_slice())
    }
}

impl<const N: usize> From<[(Arc<str>, Arc<str>); N]> for Tags {
    fn from(tags: [(Arc<str>, Arc<str>); N]) -> Self {
        tags.into_iter().collect()
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_what_it_holds_however_it_was_told() {
        let set: Few<u8> = [3, 1, 2, 3].into_iter().collect();
        assert_eq!(set, Few::from([1, 2, 3]));
        assert_eq!(set.iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
        assert!(set.contains(&2) && !set.contains(&4));
    }

    #[test]
    fn tags_are_found_by_key() {
        let tags = Tags::from([("b".into(), "2".into()), ("a".into(), "1".into())]);
        assert_eq!(tags.get("a").map(AsRef::as_ref), Some("1"));
        assert!(tags.contains_key("b") && !tags.contains_key("c"));
        assert_eq!(tags, Tags::from([("a".into(), "1".into()), ("b".into(), "2".into())]));
        let twice =
            Tags::from([("a".into(), "0".into()), ("b".into(), "2".into()), ("a".into(), "1".into())]);
        assert_eq!(twice, tags);
    }
}
