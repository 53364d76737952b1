//! Which methods name a part of their API.

use super::Workspace;
use crate::model::{HttpMethod, Method};

/// A method by its resource's path and its verb; ordered by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'w> {
    path: &'w str,
    verb: HttpMethod,
}

impl Place<'_> {
    /// `{path}/{verb}`, so that the root's is `//ANY`: how AWS prints what names a model.
    pub(super) fn path_first(self) -> String {
        format!("{}/{}", self.path, self.verb)
    }

    /// `{verb}/{path}`, as in `GET//pets`: how AWS prints what names an authorizer.
    pub(super) fn verb_first(self) -> String {
        format!("{}/{}", self.verb, self.path)
    }
}

/// The methods of an API that are so, in order.
pub(super) fn methods(workspace: &Workspace, are_so: impl Fn(&Method) -> bool) -> Vec<Place<'_>> {
    let mut found: Vec<Place<'_>> = workspace
        .resources
        .values()
        .flat_map(|resource| {
            let methods = resource.resource_methods.iter();
            methods.map(|(verb, method)| (Place { path: &resource.path, verb: *verb }, method))
        })
        .filter(|(_, method)| are_so(method))
        .map(|(place, _)| place)
        .collect();
    found.sort_unstable();
    found
}
