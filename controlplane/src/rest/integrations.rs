//! Integrations on the wire.

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::methods::place;
use super::reply::Reply;
use crate::app::App;
use crate::app::integrations::PutIntegration;
use crate::model::{IntegrationType, TlsConfig};

pub(super) async fn put(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let absent = members.is_absent("type");
    let kind = members.one_of("type")?;
    if absent {
        members.required("type")?;
    }
    let input = PutIntegration {
        http_method: members.text("httpMethod")?,
        uri: members.text("uri")?,
        connection_type: members.one_of("connectionType")?,
        connection_id: members.text("connectionId")?,
        credentials: members.text("credentials")?,
        request_parameters: members.map("requestParameters")?,
        request_templates: members.templates("requestTemplates")?,
        passthrough_behavior: members.text("passthroughBehavior")?,
        cache_namespace: members.text("cacheNamespace")?,
        cache_key_parameters: members.texts("cacheKeyParameters")?,
        content_handling: members.one_of("contentHandling")?,
        timeout_in_millis: members.integer("timeoutInMillis")?,
        tls_config: tls_config(&mut members)?,
        response_transfer_mode: members.one_of("responseTransferMode")?,
        integration_target: members.text("integrationTarget")?,
        // A violation stands in the way of the stand-in.
        ..PutIntegration::new(kind.unwrap_or(IntegrationType::Mock))
    };
    members.finish()?;
    let (api, resource, verb) = place(call);
    Ok(Reply::json(call.status(), &app.put_integration(api, resource, verb, input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    Ok(Reply::json(call.status(), &app.get_integration(api, resource, verb).await?))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    Ok(Reply::json(
        call.status(),
        &app.update_integration(api, resource, verb, &call.patch()?).await?,
    ))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    app.delete_integration(api, resource, verb).await?;
    Ok(Reply::empty(call.status()))
}

fn tls_config(members: &mut Members) -> Result<Option<TlsConfig>, RestError> {
    let Some(mut nested) = members.object("tlsConfig")? else { return Ok(None) };
    let skip = nested.flag("insecureSkipVerification")?.unwrap_or_default();
    members.absorb(nested);
    Ok(Some(TlsConfig { insecure_skip_verification: skip }))
}
