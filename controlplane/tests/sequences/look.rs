//! Everything callers can see, read back through every list by the page, and compared with the model.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_control::app::deployments::EmbedSummary;
use tidegate_control::app::{App, AppError, Page, Paging};
use tidegate_control::model::{self as shown, ApiKeySource};

use crate::model::{Api, Canary, Deployment, Method, Model, Resource, Setting, Stage};

/// The ARN of an API or one of its stages.
pub fn arn(api: &str, stage: Option<&str>) -> String {
    let stage = stage.map(|stage| format!("/stages/{stage}")).unwrap_or_default();
    format!("arn:aws:apigateway:us-east-1::/restapis/{api}{stage}")
}

/// Takes the ids of resources that answers did not tell.
pub async fn learn(app: &App, id: &str, api: &mut Api) {
    let paging = Paging { position: None, limit: Some(500) };
    for told in app.get_resources(id, &paging).await.unwrap().items {
        if let Some(resource) = api.resources.get_mut(&told.path)
            && resource.id.is_empty()
        {
            resource.id = told.id.to_string();
        }
    }
}

/// Everything callers can see is as the model has it.
pub async fn compare(app: &App, model: &Model, limit: i64) {
    let apis = every(limit, async |paging| app.get_rest_apis(&paging).await).await;
    let ids: Vec<String> = apis.iter().map(|api| api.id.to_string()).collect();
    assert_eq!(ids, model.apis.keys().cloned().collect::<Vec<_>>());
    for told in apis {
        let id = told.id.to_string();
        let want = &model.apis[&id];
        assert_eq!(app.get_rest_api(&id).await.unwrap(), told);
        assert_eq!(app.get_tags(&arn(&id, None)).await.unwrap(), want.tags);
        assert_eq!(&seen(app, told, limit).await, want, "API {id}");
        for (name, stage) in &want.stages {
            assert_eq!(app.get_tags(&arn(&id, Some(name))).await.unwrap(), stage.tags);
        }
    }
}

/// A whole list, page by page. Pages are full but for the last, which names no next one.
async fn every<T>(limit: i64, list: impl AsyncFn(Paging) -> Result<Page<T>, AppError>) -> Vec<T> {
    let mut all = Vec::new();
    let mut position = None;
    loop {
        let page = list(Paging { position, limit: Some(limit) }).await.unwrap();
        let count = page.items.len() as i64;
        all.extend(page.items);
        match page.position {
            Some(next) => {
                assert_eq!(count, limit, "a page before the last is full");
                position = Some(next);
            }
            None => {
                assert!(count > 0 || all.is_empty(), "the last page is not empty");
                return all;
            }
        }
    }
}

async fn seen(app: &App, told: shown::RestApi, limit: i64) -> Api {
    let id = told.id.as_str();
    let listed = every(limit, async |paging| app.get_resources(id, &paging).await).await;
    assert!(listed.is_sorted_by_key(|resource| resource.path.clone()));
    let mut resources = BTreeMap::new();
    for resource in listed {
        let alone = app.get_resource(id, resource.id.as_str()).await.unwrap();
        assert_eq!(alone, *resource, "the row and the kept copy differ");
        let methods = resource
            .resource_methods
            .values()
            .map(|method| (method.http_method.to_string(), seen_method(method)));
        let held = Resource { id: resource.id.to_string(), methods: methods.collect() };
        assert!(resources.insert(resource.path.clone(), held).is_none(), "a path is there twice");
    }
    let mut deployments = BTreeMap::new();
    for deployment in every(limit, async |paging| app.get_deployments(id, &paging).await).await {
        let key = deployment.id.to_string();
        let whole = app.get_deployment(id, &key, EmbedSummary(true)).await.unwrap();
        let frozen: BTreeSet<_> = whole
            .api_summary
            .unwrap()
            .into_iter()
            .flat_map(|(path, verbs)| {
                verbs.into_keys().map(move |verb| (path.clone(), verb.to_string()))
            })
            .collect();
        deployments.insert(key, Deployment { description: deployment.description, frozen });
    }
    let stages = app.get_stages(id, None).await.unwrap();
    for key in deployments.keys() {
        let pointing = app.get_stages(id, Some(key)).await.unwrap();
        let want = stages.iter().filter(|stage| stage.deployment_id.as_str() == key);
        assert!(pointing.iter().eq(want), "GetStages of one deployment");
    }
    let stages = stages.into_iter().map(|stage| (stage.stage_name.to_string(), seen_stage(stage)));
    Api {
        stages: stages.collect(),
        name: told.name,
        description: told.description,
        version: told.version,
        binary: told.binary_media_types.unwrap_or_default(),
        compression: told.minimum_compression_size,
        key_in_header: told.api_key_source == ApiKeySource::Header,
        disabled: told.disable_execute_api_endpoint,
        tags: told.tags.unwrap_or_default(),
        resources,
        deployments,
    }
}

fn seen_method(method: &shown::Method) -> Method {
    Method {
        iam: method.authorization_type == shown::AuthorizationType::AwsIam,
        key_required: method.api_key_required,
        operation: method.operation_name.clone(),
        parameters: method.request_parameters.clone().unwrap_or_default(),
        scopes: method.authorization_scopes.clone().unwrap_or_default(),
        integrated: method.method_integration.is_some(),
    }
}

fn seen_stage(stage: shown::Stage) -> Stage {
    let settings = stage.method_settings.into_iter().map(|(key, setting)| {
        let seen = Setting {
            burst: setting.throttling_burst_limit.into(),
            ttl: setting.cache_ttl_in_seconds.into(),
            metrics: setting.metrics_enabled,
        };
        (key, seen)
    });
    Stage {
        settings: settings.collect(),
        deployment: stage.deployment_id.to_string(),
        description: stage.description,
        tracing: stage.tracing_enabled,
        variables: stage.variables.unwrap_or_default(),
        canary: stage.canary_settings.map(|canary| Canary {
            percent: canary.percent_traffic,
            deployment: canary.deployment_id.to_string(),
            overrides: canary.stage_variable_overrides.unwrap_or_default(),
        }),
        tags: stage.tags.unwrap_or_default(),
    }
}
