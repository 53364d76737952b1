//! Deployment to bundle: a pure function. Whatever a node would refuse is refused here, by the engine's own code.
//!
//! The bundle is canonical: equal configurations are equal bytes, whatever order they were entered in, so an unchanged
//! deployment is the same bundle and is not sent again. It holds no time stamps, no deployment id and nothing a node can derive.

mod bundle;
mod methods;

use prost::Message;
use tidegate_engine::snapshot::{self, RefuseBundle};

use crate::app::{CompiledBundle, Compiler, Diagnostic};
use crate::model::{ContentHash, Snapshot};

/// Compiles a frozen configuration and checks that nodes will serve it.
///
/// Every problem is listed, with resource and method, in the order of the bundle. The id is the SHA-256 of the bytes, which
/// begin with the dialect and the API's id.
pub fn compile(snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
    let bytes = bundle::bundle(snapshot)?.encode_to_vec();
    snapshot::check(&bytes).map_err(diagnostics)?;
    Ok(CompiledBundle { id: ContentHash::of(&bytes), bytes })
}

/// [`compile`] as the operations call it.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineCompiler;

impl Compiler for EngineCompiler {
    fn compile(&self, snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
        compile(snapshot)
    }
}

fn diagnostics(refused: RefuseBundle) -> Vec<Diagnostic> {
    match refused {
        RefuseBundle::Problems(problems) => problems
            .into_iter()
            .map(|problem| {
                // A problem without a resource is about the API as a whole.
                let of_method = !problem.resource.is_empty();
                Diagnostic {
                    resource: of_method.then_some(problem.resource),
                    method: of_method.then_some(problem.verb),
                    message: problem.what,
                }
            })
            .collect(),
        other => vec![Diagnostic { message: other.to_string(), ..Diagnostic::default() }],
    }
}

#[cfg(test)]
mod tests;
