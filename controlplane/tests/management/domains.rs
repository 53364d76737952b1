//! Domain names, mappings and associations, VPC links, client certificates, and the tags of them all.

use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{Service, assert_refused, call, deployment, map, pets, replace, service};

const CERTIFICATE: &str = "arn:aws:acm:us-east-1:000000000000:certificate/a";

fn at(name: &str, id: &str) -> v1::DomainNameAddress {
    v1::DomainNameAddress { domain_name: name.to_owned(), domain_name_id: id.to_owned() }
}

async fn create(service: &mut Service, name: &str, kind: &str) -> v1::DomainName {
    let domain = v1::DomainName {
        domain_name: name.to_owned(),
        certificate_arn: CERTIFICATE.to_owned(),
        regional_certificate_arn: CERTIFICATE.to_owned(),
        endpoint_types: vec![kind.to_owned()],
        ..Default::default()
    };
    let request = v1::CreateDomainNameRequest { domain_name: Some(domain), ..Default::default() };
    call!(service.create_domain_name(request)).unwrap()
}

#[tokio::test]
async fn domain_names() {
    let mut service = service().await;
    let made = create(&mut service, "a.test", "REGIONAL").await;
    assert_eq!(
        (made.domain_name_status.as_str(), &*made.endpoint_types[0]),
        ("AVAILABLE", "REGIONAL")
    );
    assert!(made.regional_domain_name.contains("execute-api"), "{made:?}");
    let again = v1::CreateDomainNameRequest { domain_name: Some(made), ..Default::default() };
    let again = call!(service.create_domain_name(again));
    assert_refused(again, Code::AlreadyExists, "ConflictException");
    let nothing = call!(service.create_domain_name(v1::CreateDomainNameRequest::default()));
    assert_refused(nothing, Code::InvalidArgument, "ValidationException");
    let unknown = v1::DomainName { routing_mode: "x".to_owned(), ..Default::default() };
    let request = v1::CreateDomainNameRequest { domain_name: Some(unknown), ..Default::default() };
    let unknown = call!(service.create_domain_name(request));
    assert_refused(unknown, Code::InvalidArgument, "ValidationException");

    let uploaded = rcgen::generate_simple_self_signed(["u.test".to_owned()]).unwrap();
    let request = v1::CreateDomainNameRequest {
        domain_name: Some(v1::DomainName {
            domain_name: "u.test".to_owned(),
            ..Default::default()
        }),
        certificate_body: uploaded.cert.pem(),
        certificate_private_key: uploaded.signing_key.serialize_pem(),
        certificate_chain: String::new(),
    };
    let made = call!(service.create_domain_name(request)).unwrap();
    assert!(
        made.certificate_upload_date > 0 && made.distribution_domain_name.contains("cloudfront")
    );

    let request = v1::UpdateDomainNameRequest {
        address: Some(at("a.test", "")),
        patch_operations: replace("/regionalCertificateName", "n"),
    };
    assert_eq!(call!(service.update_domain_name(request)).unwrap().regional_certificate_name, "n");
    let shown = call!(service.get_domain_name(at("a.test", ""))).unwrap();
    assert_eq!(shown.regional_certificate_name, "n");
    let page = call!(service.get_domain_names(v1::GetDomainNamesRequest::default())).unwrap();
    assert_eq!((page.items.len(), page.items[1].domain_name.as_str()), (2, "u.test"));
    let others =
        v1::GetDomainNamesRequest { resource_owner: "OTHER_ACCOUNTS".into(), paging: None };
    assert!(call!(service.get_domain_names(others)).unwrap().items.is_empty());
    call!(service.delete_domain_name(at("a.test", ""))).unwrap();
    let gone = call!(service.get_domain_name(at("a.test", "")));
    assert_refused(gone, Code::NotFound, "NotFoundException");
}

#[tokio::test]
async fn base_path_mappings() {
    let mut service = service().await;
    let (api, _) = pets(&mut service).await;
    call!(service.create_deployment(deployment(&api, "prod"))).unwrap();
    create(&mut service, "a.test", "REGIONAL").await;
    let domain = Some(at("a.test", ""));
    let mapping = |base_path: &str, stage: &str| v1::CreateBasePathMappingRequest {
        address: Some(at("a.test", "")),
        mapping: Some(v1::DomainNameMapping {
            base_path: base_path.to_owned(),
            rest_api_id: api.clone(),
            stage: stage.to_owned(),
        }),
    };
    let root = call!(service.create_base_path_mapping(mapping("", ""))).unwrap();
    assert_eq!((root.base_path.as_str(), root.stage.as_str()), ("(none)", ""));
    call!(service.create_base_path_mapping(mapping("v1", "prod"))).unwrap();
    let twice = call!(service.create_base_path_mapping(mapping("(none)", "")));
    assert_refused(twice, Code::AlreadyExists, "ConflictException");
    let one = |base_path: &str| v1::BasePathMappingAddress {
        domain_name: Some(at("a.test", "")),
        base_path: base_path.to_owned(),
    };
    assert_eq!(call!(service.get_base_path_mapping(one("v1"))).unwrap().stage, "prod");
    let request = v1::UpdateBasePathMappingRequest {
        address: Some(one("v1")),
        patch_operations: replace("/basePath", "v2"),
    };
    assert_eq!(call!(service.update_base_path_mapping(request)).unwrap().base_path, "v2");
    let request = v1::GetBasePathMappingsRequest { address: domain, paging: None };
    let page = call!(service.get_base_path_mappings(request)).unwrap();
    assert_eq!(
        page.items.iter().map(|m| m.base_path.as_str()).collect::<Vec<_>>(),
        ["(none)", "v2"]
    );

    let request = v1::HttpRequest {
        method: "GET".to_owned(),
        url: "http://A.test:8080/v2/pets/7".to_owned(),
        ..Default::default()
    };
    let request = v1::ExplainRequest { request: Some(request) };
    let explained = call!(service.explain(request)).unwrap();
    let told = format!("{explained:?}");
    assert!(told.contains(&api) && told.contains("http://upstream.test/animals/7"), "{told}");

    let of_api = v1::RestApiAddress { rest_api_id: api.clone() };
    let kept = call!(service.delete_rest_api(of_api.clone()));
    assert_refused(kept, Code::InvalidArgument, "BadRequestException");
    call!(service.delete_base_path_mapping(one(""))).unwrap();
    call!(service.delete_base_path_mapping(one("v2"))).unwrap();
    call!(service.delete_rest_api(of_api)).unwrap();
}

#[tokio::test]
async fn access_associations_and_their_tags() {
    let mut service = service().await;
    let domain = create(&mut service, "p.test", "PRIVATE").await;
    let association = v1::DomainNameAccessAssociation {
        domain_name_arn: domain.domain_name_arn.clone(),
        access_association_source: "vpce-1".to_owned(),
        ..Default::default()
    };
    let request = v1::CreateDomainNameAccessAssociationRequest { association: Some(association) };
    let made = call!(service.create_domain_name_access_association(request.clone())).unwrap();
    assert_eq!(made.access_association_source_type, "VPCE");
    let arn = made.domain_name_access_association_arn;
    let tags = v1::TagResourceRequest { resource_arn: arn.clone(), tags: map(&[("a", "1")]) };
    call!(service.tag_resource(tags)).unwrap();
    let all = v1::GetDomainNameAccessAssociationsRequest::default();
    let page = call!(service.get_domain_name_access_associations(all)).unwrap();
    assert_eq!((page.items.len(), &page.items[0].tags), (1, &map(&[("a", "1")])));
    let private = at("p.test", &domain.domain_name_id);
    let kept = call!(service.delete_domain_name(private.clone()));
    assert_refused(kept, Code::InvalidArgument, "BadRequestException");
    let one =
        v1::DomainNameAccessAssociationAddress { domain_name_access_association_arn: arn.clone() };
    call!(service.delete_domain_name_access_association(one)).unwrap();
    call!(service.create_domain_name_access_association(request)).unwrap();
    let reject = v1::RejectDomainNameAccessAssociationRequest {
        domain_name_access_association_arn: arn,
        domain_name_arn: domain.domain_name_arn,
    };
    call!(service.reject_domain_name_access_association(reject.clone())).unwrap();
    let twice = call!(service.reject_domain_name_access_association(reject));
    assert_refused(twice, Code::NotFound, "NotFoundException");
    call!(service.delete_domain_name(private)).unwrap();
}

#[tokio::test]
async fn vpc_links_and_client_certificates() {
    let mut service = service().await;
    let link = v1::VpcLinkSettings {
        name: "n".to_owned(),
        target_arns: vec![
            "arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/net/n/1".to_owned(),
        ],
        ..Default::default()
    };
    let request = v1::CreateVpcLinkRequest { vpc_link: Some(link) };
    let made = call!(service.create_vpc_link(request)).unwrap();
    assert_eq!(made.status, "PENDING");
    let one = v1::VpcLinkAddress { vpc_link_id: made.id.clone() };
    assert_eq!(call!(service.get_vpc_link(one.clone())).unwrap().status, "AVAILABLE");
    let request = v1::UpdateVpcLinkRequest {
        vpc_link_id: made.id,
        patch_operations: replace("/description", "d"),
    };
    assert_eq!(call!(service.update_vpc_link(request)).unwrap().description, "d");
    let page = call!(service.get_vpc_links(v1::GetVpcLinksRequest::default())).unwrap();
    assert_eq!(page.items.len(), 1);
    call!(service.delete_vpc_link(one.clone())).unwrap();
    assert_refused(call!(service.get_vpc_link(one)), Code::NotFound, "NotFoundException");

    let request = v1::GenerateClientCertificateRequest {
        description: "d".to_owned(),
        tags: map(&[("a", "1")]),
    };
    let made = call!(service.generate_client_certificate(request)).unwrap();
    assert!(made.pem_encoded_certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    let id = made.client_certificate_id.clone();
    let one = v1::ClientCertificateAddress { client_certificate_id: id.clone() };
    assert_eq!(call!(service.get_client_certificate(one.clone())).unwrap(), made);
    let request = v1::UpdateClientCertificateRequest {
        client_certificate_id: id,
        patch_operations: replace("/description", "e"),
    };
    assert_eq!(call!(service.update_client_certificate(request)).unwrap().description, "e");
    let all = v1::GetClientCertificatesRequest::default();
    assert_eq!(call!(service.get_client_certificates(all)).unwrap().items.len(), 1);
    call!(service.delete_client_certificate(one.clone())).unwrap();
    let gone = call!(service.get_client_certificate(one));
    assert_refused(gone, Code::NotFound, "NotFoundException");
}
