//! SDK types: what AWS generates clients for, and what it asks for. Clients themselves are not generated here.

use serde::Serialize;

use super::{App, AppError, Page, Paging};

/// A kind of client, as GetSdkType shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SdkType {
    /// As it stands in addresses.
    pub id: &'static str,
    /// For people.
    pub friendly_name: &'static str,
    /// For people.
    pub description: &'static str,
    /// What GetSdk takes beside the stage.
    pub configuration_properties: &'static [SdkConfigurationProperty],
}

/// Something GetSdk takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SdkConfigurationProperty {
    /// The query parameter.
    pub name: &'static str,
    /// For people.
    pub friendly_name: &'static str,
    /// For people.
    pub description: &'static str,
    /// Whether there is no SDK without it.
    pub required: bool,
}

impl App {
    /// GetSdkTypes, in the order of their ids.
    pub fn get_sdk_types(&self, paging: &Paging) -> Result<Page<SdkType>, AppError> {
        paging.page(SDK_TYPES.iter().map(|sdk| (sdk.id.to_owned(), *sdk)))
    }

    /// GetSdkType.
    pub fn get_sdk_type(&self, id: &str) -> Result<SdkType, AppError> {
        SDK_TYPES.iter().find(|sdk| sdk.id == id).copied().ok_or(AppError::InvalidSdkType)
    }

    /// GetSdk: says what is wrong with the question, and else that there is no answer in this release.
    pub async fn get_sdk(&self, api: &str, stage: &str, id: &str) -> Result<(), AppError> {
        self.workspace(api).await?.stage(stage)?;
        let sdk = self.get_sdk_type(id)?;
        Err(AppError::SdkNotGenerated { sdk: sdk.friendly_name.to_owned() })
    }
}

const fn required(
    name: &'static str,
    friendly_name: &'static str,
    description: &'static str,
) -> SdkConfigurationProperty {
    SdkConfigurationProperty { name, friendly_name, description, required: true }
}

const fn optional(
    name: &'static str,
    friendly_name: &'static str,
    description: &'static str,
) -> SdkConfigurationProperty {
    SdkConfigurationProperty { required: false, ..required(name, friendly_name, description) }
}

const CLASS_PREFIX: SdkConfigurationProperty =
    required("classPrefix", "Prefix", "The prefix of the names of all classes of the SDK.");

/// The names of the types and of their required properties are the service model's; the optional ones are from the
/// Developer Guide, "Generate SDKs for REST APIs". Descriptions are ours.
const SDK_TYPES: [SdkType; 6] = [
    SdkType {
        id: "android",
        friendly_name: "Android",
        description: "A Java client for Android.",
        configuration_properties: &[
            required("groupId", "Group ID", "The Maven group of the SDK."),
            required("artifactId", "Artifact ID", "The Maven artifact of the SDK."),
            required("artifactVersion", "Artifact Version", "The Maven version of the SDK."),
            required("invokerPackage", "Invoker package", "The Java package of the SDK."),
        ],
    },
    SdkType {
        id: "java",
        friendly_name: "Java",
        description: "A client for Java.",
        configuration_properties: &[
            required("serviceName", "Service Name", "The name of the client's classes."),
            required("javaPackageName", "Java Package Name", "The Java package of the SDK."),
            optional("javaBuildSystem", "Java Build System", "maven or gradle."),
            optional("javaGroupId", "Java Group Id", "The Maven group of the SDK."),
            optional("javaArtifactId", "Java Artifact Id", "The Maven artifact of the SDK."),
            optional(
                "javaArtifactVersion",
                "Java Artifact Version",
                "The Maven version of the SDK.",
            ),
        ],
    },
    SdkType {
        id: "javascript",
        friendly_name: "JavaScript",
        description: "A client for JavaScript in browsers.",
        configuration_properties: &[],
    },
    SdkType {
        id: "objectivec",
        friendly_name: "iOS (Objective-C)",
        description: "A client for iOS in Objective-C.",
        configuration_properties: &[CLASS_PREFIX],
    },
    SdkType {
        id: "ruby",
        friendly_name: "Ruby",
        description: "A client for Ruby.",
        configuration_properties: &[
            required("service.name", "Service Name", "The name of the client's module."),
            optional("ruby.gem-name", "Ruby Gem Name", "The name of the gem."),
            optional("ruby.gem-version", "Ruby Gem Version", "The version of the gem."),
        ],
    },
    SdkType {
        id: "swift",
        friendly_name: "iOS (Swift)",
        description: "A client for iOS in Swift.",
        configuration_properties: &[CLASS_PREFIX],
    },
];
