//! The command line with the real binaries: everything up on free ports, and every command against it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod up;

use std::net::TcpListener;

use rustix::process::Signal;
use up::{Options, Up, document, get, tidegate, wait_for};

#[test]
fn up_serves_an_imported_api_and_every_command_works() {
    let origin = up::origin("from the origin");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api.json");
    std::fs::write(&file, document("zoo", &origin, &["/pets"])).unwrap();
    let up = Up::start(&directory, &Options { import: Some(&file), ..Options::default() });

    let run = |arguments: &[&str]| up.tidegate(arguments);
    let apis = run(&["apis", "--output", "json"]).json();
    let api = apis[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((apis.as_array().unwrap().len(), apis[0]["name"].as_str()), (1, Some("zoo")));
    let host = format!("{api}.execute-api.localhost");
    assert_eq!(up.get(&host, "/prod/pets"), (200, "from the origin".to_owned()));
    assert_eq!(up.get(&host, "/prod/health").0, 200);
    let by_path = format!("/_aws/execute-api/{api}/prod/health");
    assert_eq!(up.get("127.0.0.1", &by_path).0, 200);
    // The lines for people were there before the ready line.
    let words = format!("curl -H 'Host: {host}' http://{}/prod/health", up.address("gateway"));
    assert!(up.stderr().contains(&words), "{}", up.stderr());
    assert!(up.stderr().contains("unknown access keys"), "{}", up.stderr());

    // An error the gateway makes says what helps, with what is not deployed.
    std::fs::write(&file, document("zoo", &origin, &["/pets", "/birds"])).unwrap();
    assert!(run(&["import", file.to_str().unwrap()]).text().contains("brought up to date"));
    let told = run(&["stages", "zoo", "--changes"]).text();
    assert!(told.contains("+ GET /birds"), "{told}");
    let told = run(&["diff", "zoo", "--stage", "prod"]).text();
    assert!(
        told.starts_with("--- deployment ") && told.ends_with("+ GET /birds\n1 added\n"),
        "{told}"
    );
    assert!(!told.contains('\u{1b}'), "colours are for terminals: {told}");
    assert_eq!(up.get(&host, "/prod/bird").0, 403);
    let hint = format!("; 1 undeployed change (run: tidegate deploy {api} --stage prod)");
    wait_for("the hint", || up.stderr().lines().any(|line| line.ends_with(&hint)));
    let line = up.stderr().lines().find(|line| line.ends_with(&hint)).unwrap().to_owned();
    assert!(line.starts_with("403 MissingAuthenticationToken GET /prod/bird: "), "{line}");

    let deployed = run(&["deploy", "zoo", "--stage", "prod", "--description", "birds"]).text();
    assert!(deployed.contains("served by 1 node"), "{deployed}");
    assert_eq!(up.get(&host, "/prod/birds").0, 200);
    let history = run(&["deployments", &api, "--output", "json"]).json();
    assert_eq!(history.as_array().unwrap().len(), 2);
    assert_eq!(
        (history[0]["description"].as_str(), &history[0]["stages"][0]),
        (Some("birds"), &"prod".into())
    );
    let (new, old) = (&history[0]["deployment"], &history[1]["deployment"]);
    let (new, old) = (new.as_str().unwrap(), old.as_str().unwrap());
    let compared = run(&["diff", "zoo", "--from", new, "--to", old, "--output", "json"]).json();
    let change = &compared["changes"][0];
    assert_eq!(
        (&change["subject"], &change["difference"]),
        (&"GET /birds".into(), &"removed".into())
    );
    let same = run(&["diff", "zoo", "--stage", "prod"]).text();
    assert!(same.contains("nothing to deploy"), "{same}");
    let back = run(&["rollback", &api, "--stage", "prod"]).text();
    assert!(back.contains(history[1]["deployment"].as_str().unwrap()), "{back}");
    assert_eq!(up.get(&host, "/prod/birds").0, 403);

    let nodes = run(&["nodes", "--output", "json"]).json();
    assert_eq!(
        (nodes[0]["connected"].as_bool(), nodes[0]["newest"].as_bool()),
        (Some(true), Some(true))
    );
    let url = format!("http://{host}/prod/pets?a=b");
    let told = run(&["explain", "GET", &url, "-H", "X-A: b"]).text();
    assert!(
        told.contains("GET /pets") && told.contains(&format!("GET {origin}/pets?a=b")),
        "{told}"
    );
    assert!(told.contains("X-A: b"), "{told}");

    let failed = run(&["stages", "nope"]);
    assert!(!failed.success && failed.stderr.contains("tidegate apis"), "{}", failed.stderr);
    assert!(up.stop(Signal::TERM).success());
}

#[test]
fn access_keys_are_managed_and_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("policy.json");
    let up = Up::start(&directory, &Options::default());
    let told = up.tidegate(&["keys", "list"]).text();
    assert!(told.contains("tidegate keys create"), "{told}");
    let told = up.tidegate(&["keys", "create", "--name", "ann", "--policy", "admin"]).text();
    let mut lines = told.lines();
    let id = lines.next().unwrap().strip_prefix("AWS_ACCESS_KEY_ID=").unwrap().to_owned();
    let secret = lines.next().unwrap().strip_prefix("AWS_SECRET_ACCESS_KEY=").unwrap();
    assert_eq!((id.len(), secret.len()), (20, 40), "{told}");
    let made = up.tidegate(&["keys", "create", "--output", "json"]).json();
    assert_eq!(
        (&made["policyName"], made["secretAccessKey"].as_str().unwrap().len()),
        (&"read-only".into(), 40)
    );

    std::fs::write(&file, r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)
        .unwrap();
    let file = file.to_str().unwrap();
    let changed =
        up.tidegate(&["keys", "policy", &id, "--policy", file, "--output", "json"]).json();
    assert_eq!(changed["policy"]["Statement"]["Action"], "*");
    std::fs::write(file, r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#).unwrap();
    let refused = up.tidegate(&["keys", "policy", &id, "--policy", file]);
    assert!(
        !refused.success && refused.stderr.contains("NotResource is missing"),
        "{}",
        refused.stderr
    );
    assert!(up.tidegate(&["keys", "disable", &id]).text().contains("is disabled"));
    assert!(up.stop(Signal::TERM).success());

    let up = Up::start(&directory, &Options::default());
    let keys = up.tidegate(&["keys", "list", "--output", "json"]).json();
    let known = keys.as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap();
    assert_eq!((&known["name"], &known["enabled"]), (&"ann".into(), &false.into()));
    assert!(!keys.to_string().contains("secret"), "{keys}");
    assert!(up.tidegate(&["keys", "enable", &id]).text().contains("is enabled"));
    let shown = up.tidegate(&["keys", "show", &id]).text();
    assert!(shown.contains("\"Statement\"") && shown.contains("enabled"), "{shown}");
    assert!(up.tidegate(&["keys", "delete", &id]).text().contains("is deleted"));
    let gone = up.tidegate(&["keys", "show", &id]);
    assert!(!gone.success && gone.stderr.contains("cannot be found"), "{}", gone.stderr);
    assert!(up.stop(Signal::TERM).success());

    // Without the key of its secrets a store is of no use, and a new one must not be taken for it.
    let key = directory.path().join("data/secret.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    let told = Up::fail(&directory, &Options::default());
    assert!(told.contains("secret.key") && told.contains("TIDEGATE_SECRET_KEY"), "{told}");
    std::fs::write(&key, right).unwrap();
    assert!(Up::start(&directory, &Options::default()).stop(Signal::TERM).success());
}

#[test]
fn starting_again_duplicates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api.json");
    let start = |paths: &[&str]| {
        std::fs::write(&file, document("zoo", "http://127.0.0.1:1", paths)).unwrap();
        Up::start(&directory, &Options { import: Some(&file), ..Options::default() })
    };
    let mut seen = Vec::new();
    for paths in [&["/a"][..], &["/a"], &["/a", "/b"]] {
        let up = start(paths);
        let apis = up.tidegate(&["apis", "--output", "json"]).json();
        assert_eq!(apis.as_array().unwrap().len(), 1);
        let history = up.tidegate(&["deployments", "zoo", "--output", "json"]).json();
        seen.push((apis[0]["id"].clone(), history.as_array().unwrap().len()));
        assert!(up.stop(Signal::INT).success());
    }
    assert_eq!(seen.iter().map(|(_, deployments)| *deployments).collect::<Vec<_>>(), [1, 1, 2]);
    assert!(seen.iter().all(|(id, _)| *id == seen[0].0));
}

#[test]
fn children_die_with_a_killed_parent() {
    let directory = tempfile::tempdir().unwrap();
    let up = Up::start(&directory, &Options::default());
    let children = up.children();
    assert_eq!(children.len(), 2, "{children:?}");
    assert!(!up.stop(Signal::KILL).success());
    wait_for("the children's end", || children.iter().all(|pid| !up::is_alive(*pid)));
    // Nothing holds the directory any more.
    assert!(Up::start(&directory, &Options::default()).stop(Signal::TERM).success());
}

#[test]
fn a_child_that_dies_ends_everything() {
    for (victim, words) in
        [("tidegate-node", "the node ended"), ("tidegate-control", "the control plane ended")]
    {
        let directory = tempfile::tempdir().unwrap();
        let mut up = Up::start(&directory, &Options::default());
        let children = up.children();
        up::kill(up.child_named(victim), Signal::KILL);
        assert_eq!(up.wait().code(), Some(1));
        let told = up.settled_stderr();
        assert!(told.contains(words), "{told}");
        wait_for("the children's end", || children.iter().all(|pid| !up::is_alive(*pid)));
    }
}

#[test]
fn start_up_trouble_is_one_sentence_with_the_fix() {
    let directory = tempfile::tempdir().unwrap();
    let running = Up::start(&directory, &Options::default());
    let told = Up::fail(&directory, &Options::default());
    assert!(told.contains("is in use by process") && told.contains("--data-dir"), "{told}");
    running.stop(Signal::TERM);

    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    for flag in ["--admin", "--grpc", "--http", "--node-admin"] {
        let options = Options { more: &[flag, &taken], ..Options::default() };
        let told = Up::fail(&directory, &options);
        assert!(told.contains(&taken) && told.contains(flag), "{flag}: {told}");
        // That one, and the one about access keys if it came so far.
        assert!(told.lines().count() <= 2, "{told}");
    }
    drop(holder);
    let missing = directory.path().join("missing.yaml");
    let told = Up::fail(&directory, &Options { import: Some(&missing), ..Options::default() });
    assert!(told.contains("missing.yaml cannot be read"), "{told}");
}

#[test]
fn help_and_mistakes() {
    let help = tidegate(&["--help"]).text();
    for command in [
        "up",
        "apis",
        "import",
        "deploy",
        "stages",
        "diff",
        "rollback",
        "deployments",
        "nodes",
        "keys",
        "explain",
    ] {
        assert!(help.contains(command), "{command} in {help}");
    }
    assert!(!help.contains("__become"), "{help}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = tidegate(&["apis", "--control", &format!("http://{nobody}")]);
    assert!(!told.success && told.stderr.contains("is `tidegate up` running?"), "{}", told.stderr);
    assert_eq!(get(nobody, "x", "/").0, 0);
    let told = tidegate(&["up", "--stage", "prod"]);
    assert!(!told.success && told.stderr.contains("--import"), "{}", told.stderr);
}
