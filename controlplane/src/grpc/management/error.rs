//! Refusals over gRPC: the only place where causes become status codes.

use tonic::{Code, Status};

use crate::app::{AppError, Fault};
use crate::drive::ExplainError;

/// Metadata of a refusal: AWS's name of the error.
pub const ERROR: &str = "tidegate-error";

/// Metadata of every answer: the id the log knows the call by.
pub const REQUEST_ID: &str = "tidegate-request-id";

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The operation refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// A member is missing or outside its set.
    #[error("{0}")]
    Invalid(String),
    /// The caller's certificate is none of an operator.
    #[error("{0}")]
    NotOperator(String),
    /// The request to explain makes no sense.
    #[error(transparent)]
    Explain(ExplainError),
}

impl From<ExplainError> for Refused {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::App(error) => Self::App(error),
            other => Self::Explain(other),
        }
    }
}

impl Refused {
    /// A member that must be there is not.
    pub(super) fn missing(member: &str) -> Self {
        Self::Invalid(format!("{member} must be set"))
    }

    /// gRPC's code and AWS's name.
    fn class(&self) -> (Code, &'static str) {
        let fault = match self {
            Self::App(AppError::ConcurrentModification) => {
                return (Code::Aborted, "ConflictException");
            }
            Self::App(error) => error.fault(),
            Self::NotOperator(_) => return (Code::PermissionDenied, "AccessDeniedException"),
            Self::Invalid(_) => return (Code::InvalidArgument, "ValidationException"),
            Self::Explain(_) => Fault::BadRequest,
        };
        match fault {
            Fault::BadRequest => (Code::InvalidArgument, "BadRequestException"),
            Fault::NotFound => (Code::NotFound, "NotFoundException"),
            Fault::Conflict => (Code::AlreadyExists, "ConflictException"),
            Fault::LimitExceeded => (Code::ResourceExhausted, "LimitExceededException"),
            Fault::Unavailable => (Code::Unavailable, "ServiceUnavailableException"),
            Fault::Internal => (Code::Internal, "InternalFailure"),
        }
    }

    /// The status, with the error's name in its metadata.
    pub(super) fn status(&self) -> Status {
        let (code, name) = self.class();
        let mut status = Status::new(code, self.to_string());
        status.metadata_mut().insert(ERROR, tonic::metadata::MetadataValue::from_static(name));
        status
    }

    /// Tells the log: our faults in full, the caller's for those who look.
    pub(super) fn report(&self, call: &'static str, request_id: &str) {
        if let Self::App(AppError::Store(cause)) = self {
            let mut chain = cause.to_string();
            let mut next = std::error::Error::source(cause);
            while let Some(source) = next {
                chain.push_str(": ");
                chain.push_str(&source.to_string());
                next = source.source();
            }
            tracing::error!(call, request_id, error = chain, "management call failed");
        } else {
            tracing::debug!(call, request_id, refused = %self, "management call refused");
        }
    }
}
