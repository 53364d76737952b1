//! What a caller may ask of an import, and the query parameters that say it.

use crate::model::{ApiId, EndpointType, WireName};

/// What to do with the document's base path. Source: `admin-api` section 14.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BasePath {
    /// Leave it out.
    #[default]
    Ignore,
    /// Put it in front of every path.
    Prepend,
    /// Put it in front of every path, without its first part.
    Split,
}

/// How to import a document.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The API the document is for; model references and policies name it.
    pub api_id: ApiId,
    /// Stands for `${AWS::Region}`.
    pub region: String,
    /// Stands for `${AWS::AccountId}`.
    pub account_id: String,
    /// Stands for `${AWS::Partition}`.
    pub partition: String,
    /// Query `basepath`.
    pub base_path: BasePath,
    /// Query `failonwarnings`.
    pub fail_on_warnings: bool,
    /// Query `ignore=documentation`.
    pub ignore_documentation: bool,
    /// Query `endpointConfigurationTypes`; PutRestApi ignores it.
    pub endpoint_type: Option<EndpointType>,
    /// Query `endpointConfigurationVpcEndpointIds`, which wins over the document.
    pub vpc_endpoint_ids: Option<Vec<String>>,
}

/// A query parameter whose value is none of those it may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value '{value}' for query parameter '{name}'.")]
pub struct InvalidOption {
    /// The parameter.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl ImportOptions {
    /// AWS's defaults, in the partition `aws`.
    pub fn new(api_id: ApiId, region: impl Into<String>, account_id: impl Into<String>) -> Self {
        Self {
            api_id,
            region: region.into(),
            account_id: account_id.into(),
            partition: "aws".to_owned(),
            base_path: BasePath::Ignore,
            fail_on_warnings: false,
            ignore_documentation: false,
            endpoint_type: None,
            vpc_endpoint_ids: None,
        }
    }

    /// Takes one query parameter of ImportRestApi or PutRestApi; false for one it does not know (such as `mode`).
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool, InvalidOption> {
        let invalid = || InvalidOption { name: name.to_owned(), value: value.to_owned() };
        match name {
            "basepath" => {
                self.base_path = match value.to_ascii_lowercase().as_str() {
                    "ignore" => BasePath::Ignore,
                    "prepend" => BasePath::Prepend,
                    "split" => BasePath::Split,
                    _ => return Err(invalid()),
                }
            }
            "failonwarnings" => self.fail_on_warnings = value.eq_ignore_ascii_case("true"),
            "ignore" => {
                self.ignore_documentation =
                    value.split(',').any(|part| part.trim() == "documentation");
            }
            "endpointConfigurationTypes" => {
                self.endpoint_type = Some(EndpointType::from_name(value).ok_or_else(invalid)?);
            }
            "endpointConfigurationVpcEndpointIds" => {
                let ids = value.split(',').map(str::trim).filter(|id| !id.is_empty());
                self.vpc_endpoint_ids = Some(ids.map(str::to_owned).collect());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
