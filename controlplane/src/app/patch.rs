//! Patch operations: JSON-Pointer-like, but arrays are addressed by value and `-` is a value like any other.
//!
//! Source: `admin-api` section 6.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::AppError;
use crate::model::{StringMap, WireName};

crate::model::wire_enum! {
    /// What is done at a path.
    PatchOp { Add = "add", Remove = "remove", Move = "move", Test = "test", Replace = "replace", Copy = "copy" }
}

/// One step of an update.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PatchOperation {
    /// What is done.
    pub op: PatchOp,
    /// Where; AWS prints a missing one as `null`.
    pub path: Option<String>,
    /// Always text, even for numbers and flags.
    pub value: Option<String>,
    /// The source of a copy.
    pub from: Option<String>,
}

impl PatchOperation {
    /// The path as sent.
    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("null")
    }

    /// The path's parts, unescaped; none when it does not start with a slash.
    pub(super) fn parts(&self) -> Vec<String> {
        match self.path().strip_prefix('/') {
            Some(rest) => rest.split('/').map(unescape).collect(),
            None => Vec::new(),
        }
    }

    /// The value as a flag: whatever is not `true` is false.
    pub(super) fn flag(&self) -> bool {
        self.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The value where a missing or empty one clears a member.
    pub(super) fn nullable(&self) -> Option<String> {
        self.value.clone().filter(|value| !value.is_empty())
    }

    /// The value where there must be one.
    pub(super) fn value(&self) -> Result<&str, AppError> {
        self.value.as_deref().ok_or_else(|| self.bad_value())
    }

    /// The value as one of a set.
    pub(super) fn one_of<T: WireName>(&self) -> Result<T, AppError> {
        self.value.as_deref().and_then(T::from_name).ok_or_else(|| self.bad_value())
    }

    /// A refusal of the value.
    pub(super) fn bad_value(&self) -> AppError {
        let value = self.value.as_deref().unwrap_or("null").to_owned();
        AppError::PatchValue { value, path: self.path().to_owned() }
    }

    /// A refusal of the path, in the family that says no more.
    pub(super) fn bad_path(&self) -> AppError {
        AppError::PatchPath { path: self.path().to_owned() }
    }

    /// Refuses anything but replace.
    pub(super) fn replace_only(&self) -> Result<(), AppError> {
        if self.op == PatchOp::Replace { Ok(()) } else { Err(AppError::PatchReplaceOnly) }
    }

    /// Refuses anything but replace of one of `among`, in the families that list them; the op is checked first.
    pub(super) fn replace_among(&self, among: &'static str) -> Result<(), AppError> {
        let (path, op) = (self.path().to_owned(), self.op.name());
        if self.op != PatchOp::Replace {
            return Err(AppError::PatchOpUnsupported { path, op });
        }
        if among.split(", ").any(|known| known == path) {
            Ok(())
        } else {
            Err(AppError::PatchPathAmong { path, op, among })
        }
    }

    /// Changes an entry of a map: add and replace set it, replace and remove need it to be there.
    ///
    /// A map that becomes empty is absent again, as recorded.
    pub(super) fn entry<T>(
        &self,
        map: &mut Option<BTreeMap<String, T>>,
        key: &str,
        value: impl FnOnce() -> Result<T, AppError>,
        absent: AppError,
    ) -> Result<(), AppError> {
        let there = map.as_ref().is_some_and(|map| map.contains_key(key));
        match self.op {
            PatchOp::Replace | PatchOp::Remove if !there => return Err(absent),
            PatchOp::Add | PatchOp::Replace => {
                map.get_or_insert_default().insert(key.to_owned(), value()?);
            }
            PatchOp::Remove => {
                if let Some(entries) = map {
                    entries.remove(key);
                    if entries.is_empty() {
                        *map = None;
                    }
                }
            }
            PatchOp::Move | PatchOp::Copy | PatchOp::Test => return Err(self.bad_path()),
        }
        Ok(())
    }

    /// Changes a text in a map where replace may also create.
    pub(super) fn text_entry(
        &self,
        map: &mut Option<StringMap>,
        key: &str,
        absent: AppError,
    ) -> Result<(), AppError> {
        self.entry(map, key, || Ok(self.value.clone().unwrap_or_default()), absent)
    }
}

/// A part of a path as it was before it was escaped.
pub(super) fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_unescaped_once() {
        for (path, want) in [
            ("/name", &["name"][..]),
            ("/requestModels/application~1json", &["requestModels", "application/json"]),
            ("/a/~01", &["a", "~1"]),
            ("name", &[]),
            ("/", &[""]),
        ] {
            let operation = PatchOperation {
                op: PatchOp::Replace,
                path: Some(path.into()),
                value: None,
                from: None,
            };
            assert_eq!(operation.parts(), want, "{path}");
        }
    }
}
