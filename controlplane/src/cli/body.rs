//! A body on the command line.

use std::io::Read as _;
use std::path::Path;

use super::error::CliError;

/// Reads what an argument says: a file, `-` for standard input, or the text itself.
pub(super) fn read(argument: Option<&str>) -> Result<Vec<u8>, CliError> {
    let mut body = Vec::new();
    match argument {
        None => {}
        Some("-") => {
            let read = std::io::stdin().lock().read_to_end(&mut body);
            read.map_err(|cause| CliError::System {
                what: "standard input cannot be read",
                cause,
            })?;
        }
        Some(file) if Path::new(file).is_file() => {
            let read = std::fs::read(file);
            body = read.map_err(|cause| CliError::File { path: file.into(), cause })?;
        }
        Some(text) => body = text.as_bytes().to_owned(),
    }
    Ok(body)
}
