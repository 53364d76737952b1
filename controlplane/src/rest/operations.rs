//! The catalogue: every operation of the service model with its address and its status.
//!
//! Source: service model `apigateway` version 2015-07-09, 124 operations. A path parameter `{+name}` takes the rest of
//! the path: ARNs hold slashes, which not every caller encodes.

/// Declares the catalogue.
macro_rules! operations {
    ($($name:ident $method:ident $status:literal $uri:literal;)+) => {
        /// An operation of the admin API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "AWS's own names")]
        pub enum Operation { $($name),+ }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// AWS's name of the operation.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The HTTP method.
            pub fn method(self) -> &'static str {
                match self { $(Self::$name => stringify!($method)),+ }
            }

            /// The status of success.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// The address, as the service model writes it.
            pub fn uri(self) -> &'static str {
                match self { $(Self::$name => $uri),+ }
            }
        }
    };
}

operations! {
    CreateApiKey POST 201 "/apikeys";
    CreateAuthorizer POST 201 "/restapis/{restapi_id}/authorizers";
    CreateBasePathMapping POST 201 "/domainnames/{domain_name}/basepathmappings";
    CreateDeployment POST 201 "/restapis/{restapi_id}/deployments";
    CreateDocumentationPart POST 201 "/restapis/{restapi_id}/documentation/parts";
    CreateDocumentationVersion POST 201 "/restapis/{restapi_id}/documentation/versions";
    CreateDomainName POST 201 "/domainnames";
    CreateDomainNameAccessAssociation POST 201 "/domainnameaccessassociations";
    CreateModel POST 201 "/restapis/{restapi_id}/models";
    CreateRequestValidator POST 201 "/restapis/{restapi_id}/requestvalidators";
    CreateResource POST 201 "/restapis/{restapi_id}/resources/{parent_id}";
    CreateRestApi POST 201 "/restapis";
    CreateStage POST 201 "/restapis/{restapi_id}/stages";
    CreateUsagePlan POST 201 "/usageplans";
    CreateUsagePlanKey POST 201 "/usageplans/{usageplanId}/keys";
    CreateVpcLink POST 202 "/vpclinks";
    DeleteApiKey DELETE 202 "/apikeys/{api_Key}";
    DeleteAuthorizer DELETE 202 "/restapis/{restapi_id}/authorizers/{authorizer_id}";
    DeleteBasePathMapping DELETE 202 "/domainnames/{domain_name}/basepathmappings/{base_path}";
    DeleteClientCertificate DELETE 202 "/clientcertificates/{clientcertificate_id}";
    DeleteDeployment DELETE 202 "/restapis/{restapi_id}/deployments/{deployment_id}";
    DeleteDocumentationPart DELETE 202 "/restapis/{restapi_id}/documentation/parts/{part_id}";
    DeleteDocumentationVersion DELETE 202 "/restapis/{restapi_id}/documentation/versions/{doc_version}";
    DeleteDomainName DELETE 202 "/domainnames/{domain_name}";
    DeleteDomainNameAccessAssociation DELETE 202 "/domainnameaccessassociations/{+domain_name_access_association_arn}";
    DeleteGatewayResponse DELETE 202 "/restapis/{restapi_id}/gatewayresponses/{response_type}";
    DeleteIntegration DELETE 204 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration";
    DeleteIntegrationResponse DELETE 204 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}";
    DeleteMethod DELETE 204 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";
    DeleteMethodResponse DELETE 204 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}";
    DeleteModel DELETE 202 "/restapis/{restapi_id}/models/{model_name}";
    DeleteRequestValidator DELETE 202 "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}";
    DeleteResource DELETE 202 "/restapis/{restapi_id}/resources/{resource_id}";
    DeleteRestApi DELETE 202 "/restapis/{restapi_id}";
    DeleteStage DELETE 202 "/restapis/{restapi_id}/stages/{stage_name}";
    DeleteUsagePlan DELETE 202 "/usageplans/{usageplanId}";
    DeleteUsagePlanKey DELETE 202 "/usageplans/{usageplanId}/keys/{keyId}";
    DeleteVpcLink DELETE 202 "/vpclinks/{vpclink_id}";
    FlushStageAuthorizersCache DELETE 202 "/restapis/{restapi_id}/stages/{stage_name}/cache/authorizers";
    FlushStageCache DELETE 202 "/restapis/{restapi_id}/stages/{stage_name}/cache/data";
    GenerateClientCertificate POST 201 "/clientcertificates";
    GetAccount GET 200 "/account";
    GetApiKey GET 200 "/apikeys/{api_Key}";
    GetApiKeys GET 200 "/apikeys";
    GetAuthorizer GET 200 "/restapis/{restapi_id}/authorizers/{authorizer_id}";
    GetAuthorizers GET 200 "/restapis/{restapi_id}/authorizers";
    GetBasePathMapping GET 200 "/domainnames/{domain_name}/basepathmappings/{base_path}";
    GetBasePathMappings GET 200 "/domainnames/{domain_name}/basepathmappings";
    GetClientCertificate GET 200 "/clientcertificates/{clientcertificate_id}";
    GetClientCertificates GET 200 "/clientcertificates";
    GetDeployment GET 200 "/restapis/{restapi_id}/deployments/{deployment_id}";
    GetDeployments GET 200 "/restapis/{restapi_id}/deployments";
    GetDocumentationPart GET 200 "/restapis/{restapi_id}/documentation/parts/{part_id}";
    GetDocumentationParts GET 200 "/restapis/{restapi_id}/documentation/parts";
    GetDocumentationVersion GET 200 "/restapis/{restapi_id}/documentation/versions/{doc_version}";
    GetDocumentationVersions GET 200 "/restapis/{restapi_id}/documentation/versions";
    GetDomainName GET 200 "/domainnames/{domain_name}";
    GetDomainNameAccessAssociations GET 200 "/domainnameaccessassociations";
    GetDomainNames GET 200 "/domainnames";
    GetExport GET 200 "/restapis/{restapi_id}/stages/{stage_name}/exports/{export_type}";
    GetGatewayResponse GET 200 "/restapis/{restapi_id}/gatewayresponses/{response_type}";
    GetGatewayResponses GET 200 "/restapis/{restapi_id}/gatewayresponses";
    GetIntegration GET 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration";
    GetIntegrationResponse GET 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}";
    GetMethod GET 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";
    GetMethodResponse GET 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}";
    GetModel GET 200 "/restapis/{restapi_id}/models/{model_name}";
    GetModelTemplate GET 200 "/restapis/{restapi_id}/models/{model_name}/default_template";
    GetModels GET 200 "/restapis/{restapi_id}/models";
    GetRequestValidator GET 200 "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}";
    GetRequestValidators GET 200 "/restapis/{restapi_id}/requestvalidators";
    GetResource GET 200 "/restapis/{restapi_id}/resources/{resource_id}";
    GetResources GET 200 "/restapis/{restapi_id}/resources";
    GetRestApi GET 200 "/restapis/{restapi_id}";
    GetRestApis GET 200 "/restapis";
    GetSdk GET 200 "/restapis/{restapi_id}/stages/{stage_name}/sdks/{sdk_type}";
    GetSdkType GET 200 "/sdktypes/{sdktype_id}";
    GetSdkTypes GET 200 "/sdktypes";
    GetStage GET 200 "/restapis/{restapi_id}/stages/{stage_name}";
    GetStages GET 200 "/restapis/{restapi_id}/stages";
    GetTags GET 200 "/tags/{+resource_arn}";
    GetUsage GET 200 "/usageplans/{usageplanId}/usage";
    GetUsagePlan GET 200 "/usageplans/{usageplanId}";
    GetUsagePlanKey GET 200 "/usageplans/{usageplanId}/keys/{keyId}";
    GetUsagePlanKeys GET 200 "/usageplans/{usageplanId}/keys";
    GetUsagePlans GET 200 "/usageplans";
    GetVpcLink GET 200 "/vpclinks/{vpclink_id}";
    GetVpcLinks GET 200 "/vpclinks";
    ImportApiKeys POST 201 "/apikeys?mode=import";
    ImportDocumentationParts PUT 200 "/restapis/{restapi_id}/documentation/parts";
    ImportRestApi POST 201 "/restapis?mode=import";
    PutGatewayResponse PUT 201 "/restapis/{restapi_id}/gatewayresponses/{response_type}";
    PutIntegration PUT 201 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration";
    PutIntegrationResponse PUT 201 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}";
    PutMethod PUT 201 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";
    PutMethodResponse PUT 201 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}";
    PutRestApi PUT 200 "/restapis/{restapi_id}";
    RejectDomainNameAccessAssociation POST 202 "/rejectdomainnameaccessassociations";
    TagResource PUT 204 "/tags/{+resource_arn}";
    TestInvokeAuthorizer POST 200 "/restapis/{restapi_id}/authorizers/{authorizer_id}";
    TestInvokeMethod POST 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";
    UntagResource DELETE 204 "/tags/{+resource_arn}";
    UpdateAccount PATCH 200 "/account";
    UpdateApiKey PATCH 200 "/apikeys/{api_Key}";
    UpdateAuthorizer PATCH 200 "/restapis/{restapi_id}/authorizers/{authorizer_id}";
    UpdateBasePathMapping PATCH 200 "/domainnames/{domain_name}/basepathmappings/{base_path}";
    UpdateClientCertificate PATCH 200 "/clientcertificates/{clientcertificate_id}";
    UpdateDeployment PATCH 200 "/restapis/{restapi_id}/deployments/{deployment_id}";
    UpdateDocumentationPart PATCH 200 "/restapis/{restapi_id}/documentation/parts/{part_id}";
    UpdateDocumentationVersion PATCH 200 "/restapis/{restapi_id}/documentation/versions/{doc_version}";
    UpdateDomainName PATCH 200 "/domainnames/{domain_name}";
    UpdateGatewayResponse PATCH 200 "/restapis/{restapi_id}/gatewayresponses/{response_type}";
    UpdateIntegration PATCH 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration";
    UpdateIntegrationResponse PATCH 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}";
    UpdateMethod PATCH 200 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";
    UpdateMethodResponse PATCH 201 "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}";
    UpdateModel PATCH 200 "/restapis/{restapi_id}/models/{model_name}";
    UpdateRequestValidator PATCH 200 "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}";
    UpdateResource PATCH 200 "/restapis/{restapi_id}/resources/{resource_id}";
    UpdateRestApi PATCH 200 "/restapis/{restapi_id}";
    UpdateStage PATCH 200 "/restapis/{restapi_id}/stages/{stage_name}";
    UpdateUsage PATCH 200 "/usageplans/{usageplanId}/keys/{keyId}/usage";
    UpdateUsagePlan PATCH 200 "/usageplans/{usageplanId}";
    UpdateVpcLink PATCH 200 "/vpclinks/{vpclink_id}";
}

impl Operation {
    /// AWS's name of the operation's input in constraint messages: the name with a small first letter and `Input`.
    pub fn input(self) -> String {
        let name = self.name();
        let (first, rest) = name.split_at(1);
        format!("{}{rest}Input", first.to_ascii_lowercase())
    }

    /// The operation a request names, with its path parameters still encoded.
    ///
    /// `path` and `query` are as sent; literal parts win over parameters. A trailing slash does not matter.
    pub fn find<'p>(
        method: &str,
        path: &'p str,
        query: &str,
    ) -> Option<(Self, Vec<(&'static str, &'p str)>)> {
        let import = query.split('&').any(|pair| pair == "mode=import");
        let candidates = Self::ALL.iter().filter(|operation| operation.method() == method);
        let mut best: Option<(Self, Vec<(&'static str, &'p str)>)> = None;
        for operation in candidates {
            let (template, wanted) = match operation.uri().split_once('?') {
                Some((template, _)) => (template, true),
                None => (operation.uri(), false),
            };
            // PutRestApi and others may say `mode` too; only an address with it asks for it.
            if wanted && !import {
                continue;
            }
            let Some(parameters) = matched(template, path) else { continue };
            let better = best.as_ref().is_none_or(|(known, found)| {
                parameters.len() < found.len() || wanted && !known.uri().contains('?')
            });
            if better {
                best = Some((*operation, parameters));
            }
        }
        best
    }
}

/// The parameters of a template, when the path fits it.
fn matched<'p>(template: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut parameters = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut parts = template.strip_prefix('/')?.split('/').peekable();
    while let Some(part) = parts.next() {
        if let Some(name) = part.strip_prefix("{+").and_then(|part| part.strip_suffix('}')) {
            parameters.push((name, rest));
            return (!rest.is_empty()).then_some(parameters);
        }
        let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(_) if head.is_empty() => return None,
            Some(name) => parameters.push((name, head)),
            None if part == head => {}
            None => return None,
        }
        if parts.peek().is_some() && tail.is_empty() {
            return None;
        }
        rest = tail;
    }
    rest.is_empty().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, target: &str, want: Option<(Operation, &[(&str, &str)])>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let found = Operation::find(method, path, query);
        let found =
            found.as_ref().map(|(operation, parameters)| (*operation, parameters.as_slice()));
        assert_eq!(found, want, "{method} {target}");
    }

    #[test]
    fn every_operation_is_found_at_its_own_address() {
        assert_eq!(Operation::ALL.len(), 124);
        for operation in Operation::ALL {
            let target = operation.uri().replace(['{', '}', '+'], "");
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            let found = Operation::find(operation.method(), path, query).map(|(found, _)| found);
            assert_eq!(found, Some(*operation), "{target}");
        }
    }

    #[test]
    fn addresses() {
        check("GET", "/restapis/", Some((Operation::GetRestApis, &[])));
        check("GET", "/restapis/abc", Some((Operation::GetRestApi, &[("restapi_id", "abc")])));
        check(
            "PUT",
            "/restapis/abc?mode=merge",
            Some((Operation::PutRestApi, &[("restapi_id", "abc")])),
        );
        check("POST", "/restapis?basepath=x&mode=import", Some((Operation::ImportRestApi, &[])));
        check("POST", "/restapis?mode=other", Some((Operation::CreateRestApi, &[])));
        check(
            "GET",
            "/tags/arn%3Aaws%3Aapigateway%3A%3A%2Frestapis%2Fabc",
            Some((
                Operation::GetTags,
                &[("resource_arn", "arn%3Aaws%3Aapigateway%3A%3A%2Frestapis%2Fabc")],
            )),
        );
        check(
            "PUT",
            "/tags/arn:aws:apigateway::/restapis/abc",
            Some((
                Operation::TagResource,
                &[("resource_arn", "arn:aws:apigateway::/restapis/abc")],
            )),
        );
        check("GET", "/restapis/abc/nothing", None);
        check("TRACE", "/restapis", None);
        check("GET", "restapis", None);
        check("GET", "/restapis//resources", None);
    }
}
