//! Everything that shapes an API's answers, in one value: what a deployment freezes and the compiler reads.

use serde::{Deserialize, Serialize};

use super::{
    ApiSummary, Authorizer, GatewayResponse, MethodSnapshot, Model, RequestValidator, Resource,
    ResourceId, RestApi,
};

/// An API's configuration at one moment.
///
/// Each list is in the order of its key (resource id, name, id, type), so equal configurations are equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The API itself.
    pub rest_api: RestApi,
    /// All resources, the root among them, with methods, integrations and their responses.
    pub resources: Vec<Resource>,
    /// Schemas that methods name.
    #[serde(default)]
    pub models: Vec<Model>,
    /// Validators that methods name.
    #[serde(default)]
    pub request_validators: Vec<RequestValidator>,
    /// Authorizers that methods name.
    #[serde(default)]
    pub authorizers: Vec<Authorizer>,
    /// Only those that were changed; the rest are AWS's defaults.
    #[serde(default)]
    pub gateway_responses: Vec<GatewayResponse>,
}

impl Snapshot {
    /// The canonical JSON that is hashed and stored.
    pub fn to_canonical_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a model has string keys and no failing serializer")
    }

    /// The snapshot stored as `bytes`.
    pub fn from_canonical_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The resource with this id.
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|resource| &resource.id == id)
    }

    /// What GetDeployment shows for `embed=apisummary`.
    pub fn summary(&self) -> ApiSummary {
        let mut summary = ApiSummary::new();
        for resource in
            self.resources.iter().filter(|resource| !resource.resource_methods.is_empty())
        {
            let methods = resource.resource_methods.iter().map(|(verb, method)| {
                let shown = MethodSnapshot {
                    authorization_type: method.authorization_type,
                    api_key_required: method.api_key_required,
                };
                (*verb, shown)
            });
            summary.insert(resource.path.clone(), methods.collect());
        }
        summary
    }
}
