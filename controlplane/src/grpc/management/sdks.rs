//! SDKs and their types.

use tidegate_proto::v1;

use super::Management;
use super::convert::paging;
use super::error::Refused;
use crate::app::sdks::SdkType;

pub(super) async fn get_sdk(
    service: &Management,
    request: v1::GetSdkRequest,
) -> Result<v1::Done, Refused> {
    let (api, stage) = (&request.rest_api_id, &request.stage_name);
    service.app.get_sdk(api, stage, &request.sdk_type).await?;
    Ok(v1::Done {})
}

pub(super) async fn get_sdk_type(
    service: &Management,
    request: v1::SdkTypeAddress,
) -> Result<v1::SdkType, Refused> {
    Ok(shown(service.app.get_sdk_type(&request.id)?))
}

pub(super) async fn get_sdk_types(
    service: &Management,
    request: v1::GetSdkTypesRequest,
) -> Result<v1::GetSdkTypesResponse, Refused> {
    let page = service.app.get_sdk_types(&paging(request.paging))?;
    Ok(v1::GetSdkTypesResponse {
        items: page.items.into_iter().map(shown).collect(),
        position: page.position.unwrap_or_default(),
    })
}

fn shown(sdk: SdkType) -> v1::SdkType {
    let property =
        |property: &crate::app::sdks::SdkConfigurationProperty| v1::SdkConfigurationProperty {
            name: property.name.to_owned(),
            friendly_name: property.friendly_name.to_owned(),
            description: property.description.to_owned(),
            required: property.required,
        };
    v1::SdkType {
        id: sdk.id.to_owned(),
        friendly_name: sdk.friendly_name.to_owned(),
        description: sdk.description.to_owned(),
        configuration_properties: sdk.configuration_properties.iter().map(property).collect(),
    }
}
