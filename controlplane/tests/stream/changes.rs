//! Changes reach nodes; what is bad is refused alone; each node has what is placed on it.

use tidegate_control::app::{PatchOp, PatchOperation};
use tidegate_control::publish::PLACEMENT_TAG;
use tidegate_node::agent::AgentConfig;

use crate::rig::{Control, Edge, LARGE, UNFIT, config, eventually};

fn replace(path: &str, value: &str) -> PatchOperation {
    PatchOperation {
        op: PatchOp::Replace,
        path: Some(path.into()),
        value: Some(value.into()),
        from: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_node_gets_everything_and_then_each_change() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(&directory.path().join("control")).await;
    control.populate(&["a", "b"]).await;
    let node = Edge::start("n1", control.address, &directory.path().join("node"));
    let known = control.settled("n1").await;
    assert!(known.refusals.is_empty() && known.connected && known.last_seen_ms > 0);
    assert_eq!(
        (node.routes("a", "prod"), node.routes("b", "prod")),
        (vec!["/a".into()], vec!["/b".into()])
    );
    assert_eq!(node.publication.load().revision.sequence, control.head().await);

    control.deploy("a", "prod", "/new", "1").await;
    node.serves("a", "/new").await;
    control.deploy("a", "beta", "/beta", "1").await;
    control.settled("n1").await;
    assert_eq!(
        (node.routes("a", "beta"), node.routes("a", "prod")),
        (vec!["/beta".into()], vec!["/new".into()])
    );
    control.app.delete_stage("a", "beta").await.unwrap();
    eventually("the stage is gone", || node.routes("a", "beta").is_empty()).await;
    control.app.delete_rest_api("b").await.unwrap();
    eventually("the API is gone", || node.apis() == ["a"]).await;
    control.settled("n1").await;
    node.stop().await;
    eventually("the node is gone", || control.publisher.nodes.connected() == 0).await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_control_plane_makes_a_node_ready() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    let node = Edge::with(config("n1", control.address));
    eventually("the node is ready", || node.agent.status().ready).await;
    assert!(node.apis().is_empty());
    // A draft changes nothing for nodes, but they do not stay behind for it.
    control.create("a", &[]).await;
    control.app.update_rest_api("a", &[replace("/description", "x")]).await.unwrap();
    control.settled("n1").await;
    node.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_object_is_refused_alone_and_its_last_good_version_serves() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.populate(&["a", "b"]).await;
    let node = Edge::with(config("n1", control.address));
    control.settled("n1").await;

    control.deploy("a", "prod", "/bad", UNFIT).await;
    control.deploy("b", "prod", "/good", "1").await;
    node.serves("b", "/good").await;
    let known = control.settled("n1").await;
    assert_eq!(node.routes("a", "prod"), ["/a"], "the last good version serves");
    assert_eq!(known.refusals.len(), 1);
    assert_eq!(known.refusals[0].key, "binding/a/prod");
    assert!(known.refusals[0].reason.contains("GET /bad: apiKeyRequired"), "{:?}", known.refusals);
    assert_eq!(node.agent.status().refusals.len(), 1);

    control.deploy("a", "prod", "/mended", "1").await;
    node.serves("a", "/mended").await;
    assert!(control.settled("n1").await.refusals.is_empty());
    node.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_larger_than_a_chunk_arrives_whole() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(&directory.path().join("control")).await;
    control.create("a", &[]).await;
    control.deploy("a", "prod", "/large", LARGE).await;
    let node = Edge::start("n1", control.address, &directory.path().join("node"));
    node.serves("a", "/large").await;
    control.settled("n1").await;
    node.stop().await;
    let bundles = directory.path().join("node/bundles");
    let sizes: Vec<_> = std::fs::read_dir(bundles)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    assert!(sizes.len() == 1 && sizes[0] > 2_500_000, "{sizes:?}");
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_is_only_where_it_is_placed() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    let zone = |zone: &str| (format!("{PLACEMENT_TAG}zone"), zone.to_owned());
    let tag = zone("eu");
    control.create("eu", &[(&tag.0, &tag.1)]).await;
    control.deploy("eu", "prod", "/eu", "1").await;
    control.populate(&["all"]).await;
    let labelled = |id: &str, zone: &str| {
        let labels = vec![("zone".to_owned(), zone.to_owned())];
        Edge::with(AgentConfig { labels, ..config(id, control.address) })
    };
    let (here, there) = (labelled("here", "eu"), labelled("there", "us"));
    control.settled("here").await;
    control.settled("there").await;
    assert_eq!((here.apis(), there.apis()), (vec!["all".into(), "eu".into()], vec!["all".into()]));

    // It moves: the one loses it with its stages, the other gets it whole.
    let arn = "arn:aws:apigateway:us-east-1::/restapis/eu";
    control.app.tag_resource(arn, &[zone("us")].into()).await.unwrap();
    eventually("it is gone here", || here.apis() == ["all"]).await;
    there.serves("eu", "/eu").await;
    // And back, with a new deployment on the way.
    control.deploy("eu", "prod", "/eu2", "1").await;
    there.serves("eu", "/eu2").await;
    control.app.tag_resource(arn, &[zone("eu")].into()).await.unwrap();
    here.serves("eu", "/eu2").await;
    eventually("it is gone there", || there.apis() == ["all"]).await;
    assert!(here.agent.status().refusals.is_empty() && there.agent.status().refusals.is_empty());
    here.stop().await;
    there.stop().await;
    control.stop().await;
}
