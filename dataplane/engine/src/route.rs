//! Find: domain and base path to API and stage, canary draw, resource, method.

pub mod address;
pub mod path;
pub mod tree;

use crate::head::Span;
use crate::snapshot::Place;

/// Most path parameters a route may have. AWS names no limit; a route with more is refused at deploy time.
pub const MAX_PARAMS: usize = 16;

/// A request that found its method.
#[derive(Clone, Copy, Debug)]
pub struct Routed {
    /// The method in the world.
    pub place: Place,
    /// Where in the head's buffer the path begins that events show: behind the stage, or at the base path of a custom domain.
    pub(crate) path_from: u32,
    /// Where the path begins that resources are found by: behind the stage, or behind the base path of a custom domain.
    pub(crate) behind_stage: u32,
    /// Values of the route's parameters in the request's head. Their names stand with the method.
    pub(crate) values: Captures,
}

/// Values of path parameters, in path order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Captures {
    spans: [Span; MAX_PARAMS],
    len: u8,
}

impl Captures {
    pub(crate) fn push(&mut self, span: Span) {
        // Routes with more parameters are refused when they are built.
        if let Some(slot) = self.spans.get_mut(usize::from(self.len)) {
            *slot = span;
            self.len += 1;
        }
    }

    pub(crate) fn truncate(&mut self, len: u8) {
        self.len = len;
    }

    pub(crate) fn len(&self) -> u8 {
        self.len
    }

    /// The value at a position.
    pub fn get(&self, at: usize) -> Option<Span> {
        self.spans[..usize::from(self.len)].get(at).copied()
    }
}
