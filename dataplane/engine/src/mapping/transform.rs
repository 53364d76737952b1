//! What a mapping template makes of a body.

use crate::mapping::parameter::View;
use crate::respond::Failure;
use crate::snapshot::Unfit;

/// A template of a method, ready to render. Constant text is all that can be rendered yet; anything else refuses the deployment.
#[derive(Debug)]
pub(crate) struct Transform(Box<[u8]>);

impl Transform {
    /// Reads a template.
    pub(crate) fn link(text: &str) -> Result<Self, Unfit> {
        if text.contains(['$', '#']) {
            return Err(Unfit::Always(
                "mapping templates with VTL are not supported yet; only constant text is".into(),
            ));
        }
        Ok(Self(text.as_bytes().into()))
    }

    /// Whether there is nothing to render: an empty template passes the body through. Source: developer guide, "Method request
    /// behavior for payloads without mapping templates".
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it renders to whatever the request; `None` when that depends.
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        Some(&self.0)
    }

    /// Renders it for a request and the body that is to be transformed.
    pub(crate) fn render(&self, _view: &View<'_>, _body: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.0.to_vec())
    }
}
