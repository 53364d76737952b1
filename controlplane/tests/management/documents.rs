//! Documentation, exports, types of SDKs.

use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{assert_refused, call, deployment, pets, replace, service, stage};

#[tokio::test]
async fn documentation_is_kept_and_versioned() {
    let mut service = service().await;
    let (rest_api_id, _) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&rest_api_id, "prod"))).unwrap();
    let location = v1::DocumentationPartLocation {
        r#type: "METHOD".to_owned(),
        path: "/pets/{id}".to_owned(),
        method: "GET".to_owned(),
        ..Default::default()
    };
    let create = v1::CreateDocumentationPartRequest {
        rest_api_id: rest_api_id.clone(),
        location: Some(location.clone()),
        properties: r#"{"summary":"one pet"}"#.to_owned(),
    };
    let made = call!(service.create_documentation_part(create.clone())).unwrap();
    assert_eq!(made.location, Some(location));
    let twice = call!(service.create_documentation_part(create.clone()));
    assert_refused(twice, Code::AlreadyExists, "ConflictException");
    let nowhere = v1::CreateDocumentationPartRequest { location: None, ..create };
    let nowhere = call!(service.create_documentation_part(nowhere));
    assert_refused(nowhere, Code::InvalidArgument, "ValidationException");

    let one = v1::DocumentationPartAddress { rest_api_id: rest_api_id.clone(), part_id: made.id };
    let request = v1::UpdateDocumentationPartRequest {
        rest_api_id: rest_api_id.clone(),
        part_id: one.part_id.clone(),
        patch_operations: replace("/properties", r#"{"summary":"a pet"}"#),
    };
    let changed = call!(service.update_documentation_part(request)).unwrap();
    assert_eq!(call!(service.get_documentation_part(one.clone())).unwrap(), changed);
    let request = v1::ImportDocumentationPartsRequest {
        rest_api_id: rest_api_id.clone(),
        document:
            br#"{"openapi":"3.0.1","x-amazon-apigateway-documentation":{"documentationParts":[
            {"location":{"type":"API"},"properties":{"info":{"description":"all pets"}}}]}}"#
                .to_vec(),
        ..Default::default()
    };
    assert_eq!(call!(service.import_documentation_parts(request)).unwrap().ids.len(), 1);
    let list = |kind: &str| v1::GetDocumentationPartsRequest {
        rest_api_id: rest_api_id.clone(),
        r#type: kind.to_owned(),
        ..Default::default()
    };
    assert_eq!(call!(service.get_documentation_parts(list(""))).unwrap().items.len(), 2);
    let methods = call!(service.get_documentation_parts(list("METHOD"))).unwrap();
    assert_eq!(methods.items, [changed]);
    let unknown = call!(service.get_documentation_parts(list("x")));
    assert_refused(unknown, Code::InvalidArgument, "ValidationException");

    let request = v1::CreateDocumentationVersionRequest {
        rest_api_id: rest_api_id.clone(),
        version: "v1".to_owned(),
        stage_name: "prod".to_owned(),
        description: "first".to_owned(),
    };
    let version = call!(service.create_documentation_version(request)).unwrap();
    assert_eq!(
        call!(service.get_stage(stage(&rest_api_id, "prod"))).unwrap().documentation_version,
        "v1"
    );
    let address = v1::DocumentationVersionAddress {
        rest_api_id: rest_api_id.clone(),
        version: version.version,
    };
    let request = v1::UpdateDocumentationVersionRequest {
        rest_api_id: rest_api_id.clone(),
        version: "v1".to_owned(),
        patch_operations: replace("/description", ""),
    };
    let changed = call!(service.update_documentation_version(request)).unwrap();
    assert_eq!(changed.description, "");
    let request = v1::GetDocumentationVersionsRequest {
        rest_api_id: rest_api_id.clone(),
        ..Default::default()
    };
    let versions = call!(service.get_documentation_versions(request)).unwrap();
    assert_eq!(versions.items, [changed]);

    call!(service.delete_documentation_part(one.clone())).unwrap();
    let gone = call!(service.get_documentation_part(one));
    assert_refused(gone, Code::NotFound, "NotFoundException");
    let request = v1::GetExportRequest {
        rest_api_id: rest_api_id.clone(),
        stage_name: "prod".to_owned(),
        export_type: "oas30".to_owned(),
        extensions: vec!["integrations".to_owned(), "documentation".to_owned()],
        accept: "application/yaml".to_owned(),
    };
    let export = call!(service.get_export(request.clone())).unwrap();
    let text = String::from_utf8(export.document).unwrap();
    assert!(export.file_name.starts_with("oas30_") && export.file_name.ends_with("Z.yaml"));
    for line in [
        "  description: \"all pets\"",
        "      summary: \"a pet\"",
        "        uri: \"http://upstream.test/animals/{id}\"",
        "x-amazon-apigateway-documentation:",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
    let unknown = v1::GetExportRequest { export_type: "wsdl".to_owned(), ..request };
    let unknown = call!(service.get_export(unknown));
    assert_refused(unknown, Code::InvalidArgument, "BadRequestException");

    call!(service.delete_documentation_version(address.clone())).unwrap();
    let gone = call!(service.get_documentation_version(address));
    assert_refused(gone, Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn types_of_sdks() {
    let mut service = service().await;
    let listed = call!(service.get_sdk_types(v1::GetSdkTypesRequest::default())).unwrap();
    let ids: Vec<_> = listed.items.iter().map(|sdk| sdk.id.as_str()).collect();
    assert_eq!(ids, ["android", "java", "javascript", "objectivec", "ruby", "swift"]);
    let swift = v1::SdkTypeAddress { id: "swift".to_owned() };
    let swift = call!(service.get_sdk_type(swift)).unwrap();
    assert!(swift.configuration_properties[0].required);
    let (rest_api_id, _) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&rest_api_id, "prod"))).unwrap();
    let request = v1::GetSdkRequest {
        rest_api_id,
        stage_name: "prod".to_owned(),
        sdk_type: "swift".to_owned(),
    };
    let refused = call!(service.get_sdk(request));
    assert_refused(refused, Code::InvalidArgument, "BadRequestException");
}
