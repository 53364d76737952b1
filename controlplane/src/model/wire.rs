//! How values look on the wire: enumerations by name, timestamps in epoch seconds.

use serde::{Deserialize, Serialize};

/// An enumeration whose values have fixed names on the wire.
pub trait WireName: Sized + Copy + 'static {
    /// Every value, in the order AWS lists them in constraint messages.
    const ALL: &'static [Self];

    /// The exact name on the wire.
    fn name(self) -> &'static str;

    /// The value with this exact name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// A name outside an enumeration's set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {0:?}")]
pub struct UnknownName(pub String);

/// Declares an enumeration with its wire names.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $wire:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $wire)] $variant),+ }

        impl $crate::model::WireName for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::model::WireName::name(*self))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::model::WireName::from_name(text).ok_or_else(|| $crate::model::UnknownName(text.to_owned()))
            }
        }
    };
}
pub(crate) use wire_enum;

/// Seconds since 1970-01-01 UTC, a number on the wire (rest-json's default for timestamps).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);
