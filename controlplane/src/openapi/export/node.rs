//! A JSON value whose members keep the order they were put in, and its two notations.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

use super::yaml;

/// A document or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A scalar; no list and no object.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// An object.
    Map(Map),
}

/// An object. Keys are the caller's to keep apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map(Vec<(String, Node)>);

impl Node {
    /// As JSON, indented as AWS's exports are.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("keys are texts and no serializer here fails")
    }

    /// As YAML that reads as the same value.
    pub fn to_yaml(&self) -> Vec<u8> {
        yaml::write(self).into_bytes()
    }
}

impl Map {
    pub(super) fn put(&mut self, key: impl Into<String>, value: impl Into<Node>) {
        self.0.push((key.into(), value.into()));
    }

    pub(super) fn put_some(&mut self, key: &str, value: Option<impl Into<Node>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Puts what has something in it.
    pub(super) fn put_filled(&mut self, key: &str, map: Map) {
        if !map.0.is_empty() {
            self.put(key, map);
        }
    }

    /// Replaces a member, or puts it first.
    pub(super) fn set_first(&mut self, key: &str, value: Node) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.0.insert(0, (key.to_owned(), value)),
        }
    }

    /// Replaces a member, or puts it last.
    pub(super) fn set(&mut self, key: &str, value: Node) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.put(key, value),
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(known, _)| known == key)
    }

    pub(super) fn entries(&self) -> &[(String, Node)] {
        &self.0
    }

    /// The members that are objects.
    pub(super) fn maps_mut(&mut self) -> impl Iterator<Item = (&str, &mut Map)> {
        self.0.iter_mut().filter_map(|(key, value)| match value {
            Node::Map(map) => Some((key.as_str(), map)),
            Node::Scalar(_) | Node::List(_) => None,
        })
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(value) => value.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
            Self::Map(map) => {
                let mut entries = serializer.serialize_map(Some(map.0.len()))?;
                for (key, value) in &map.0 {
                    entries.serialize_entry(key, value)?;
                }
                entries.end()
            }
        }
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Node>> for Node {
    fn from(list: Vec<Node>) -> Self {
        Self::List(list)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Scalar(text.into())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Scalar(text.into())
    }
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Scalar(flag.into())
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Self::Scalar(number.into())
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Value::Object(members) => Self::Map(members.into_iter().collect()),
            scalar => Self::Scalar(scalar),
        }
    }
}

impl<K: Into<String>, V: Into<Node>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
