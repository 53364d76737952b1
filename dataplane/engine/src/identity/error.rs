//! Why a caller was refused, with the names and texts of AWS's front end.

/// A refusal. All of them answer 403, as AWS's front end does.
///
/// Texts: `rest-api-runtime` 5.1 and 5.3, and the messages AWS's own clients print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Neither an `Authorization` header nor a presigned query.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// There is a signature, and it cannot be read. The text never repeats the header, which may hold a token.
    #[error("{0}")]
    IncompleteSignature(String),
    /// The access key is unknown or disabled; which of the two is not told.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The signature is well-formed and wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    SignatureMismatch,
    /// The signature is for another service, day or time, or leaves out what must be signed.
    #[error("{0}")]
    InvalidSignature(String),
    /// The request looks as if a web page had sent it, or it came in under a foreign host name.
    #[error("{0}")]
    AccessDenied(&'static str),
}

impl AuthError {
    /// The value of `x-amzn-ErrorType`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::SignatureMismatch | Self::InvalidSignature(_) => "InvalidSignatureException",
            Self::AccessDenied(_) => "AccessDeniedException",
        }
    }

    /// The status of the answer. Source: `admin-api` section 3.
    pub fn status(&self) -> u16 {
        403
    }
}
