//! Test calls of methods.

use std::collections::BTreeMap;

use tidegate_proto::v1;
use tonic::Code;

use crate::rig::{assert_refused, call, pets, replace, service};
use crate::support::upstream;

#[tokio::test]
async fn a_method_is_run_with_a_real_call() {
    let mut service = service().await;
    let (rest_api_id, resource_id) = pets(&mut service).await;
    let request = v1::TestInvokeMethodRequest {
        rest_api_id: rest_api_id.clone(),
        resource_id: resource_id.clone(),
        http_method: "GET".to_owned(),
        path_with_query_string: "/pets/7".to_owned(),
        ..Default::default()
    };
    let address = upstream::start();
    let patch_operations = replace("/uri", &format!("http://{address}/teapot"));
    let change = v1::UpdateMethodRequest {
        rest_api_id,
        resource_id,
        http_method: "GET".to_owned(),
        patch_operations,
    };
    call!(service.update_integration(change)).unwrap();
    let invoked = call!(service.test_invoke_method(request.clone())).unwrap();
    assert_eq!((invoked.status, invoked.body.as_str()), (418, "short"));
    assert_eq!(invoked.headers["X-Twice"], "2");
    assert_eq!(invoked.multi_value_headers["X-Twice"].values, ["1", "2"]);
    assert!(invoked.log.ends_with("Method completed with status: 418\n"), "{}", invoked.log);

    let values = v1::HeaderValues { values: vec!["1\n2".to_owned()] };
    let bad = v1::TestInvokeMethodRequest {
        multi_value_headers: BTreeMap::from([("x".to_owned(), values)]),
        ..request.clone()
    };
    let refused = call!(service.test_invoke_method(bad));
    assert_refused(refused, Code::InvalidArgument, "BadRequestException");
    let gone = v1::TestInvokeMethodRequest { http_method: "POST".to_owned(), ..request };
    assert_refused(call!(service.test_invoke_method(gone)), Code::NotFound, "NotFoundException");
}
