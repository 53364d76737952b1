//! Deployment to bundle: a pure function. Whatever a node would refuse is refused here, by the engine's own code.
//!
//! The bundle is canonical: equal configurations are equal bytes, whatever order they were entered in, so an unchanged
//! deployment is the same bundle and is not sent again. It holds no time stamps, no deployment id and nothing a node can derive.

mod bundle;
mod methods;
pub(crate) mod settings;

use prost::Message;
use tidegate_engine::snapshot::{self, RefuseBundle};

use crate::app::{CompiledBundle, Compiler, Diagnostic};
use crate::model::{ApiSettings, ContentHash, Integration, Snapshot};

/// Compiles a frozen configuration and checks that nodes will serve it.
///
/// Every problem is listed, with resource and method, in the order of the bundle. The id is the SHA-256 of the bytes, which
/// begin with the dialect and the API's id.
pub fn compile(snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
    let bytes = bundle::bundle(snapshot)?.encode_to_vec();
    let mut problems = too_patient(snapshot);
    if let Err(refused) = snapshot::check(&bytes) {
        problems.extend(diagnostics(refused));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(CompiledBundle { id: ContentHash::of(&bytes), bytes })
}

/// [`compile`] as the operations call it.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineCompiler;

impl Compiler for EngineCompiler {
    fn compile(&self, snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
        compile(snapshot)
    }

    fn check_settings(&self, settings: &ApiSettings) -> Result<(), String> {
        snapshot::check_settings(&settings::message(settings))
    }
}

/// Time limits that the API's settings do not allow any more: a node would take them.
fn too_patient(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let settings = snapshot.rest_api.settings.as_ref();
    let methods = snapshot.resources.iter().flat_map(|resource| {
        resource.resource_methods.values().map(move |method| (resource, method))
    });
    let mut found: Vec<Diagnostic> = methods
        .filter_map(|(resource, method)| {
            let integration: &Integration = method.method_integration.as_ref()?;
            let most = ApiSettings::max_timeout_ms(settings, integration);
            (integration.timeout_in_millis > most).then(|| Diagnostic {
                resource: Some(resource.path.clone()),
                method: Some(method.http_method.to_string()),
                message: format!("Timeout should be between 50 ms and {most} ms"),
            })
        })
        .collect();
    found.sort_by(|a, b| (&a.resource, &a.method).cmp(&(&b.resource, &b.method)));
    found
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
