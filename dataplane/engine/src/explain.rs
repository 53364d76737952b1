//! What each phase decided and why, recorded only when asked.

/// The decisions of one request, in the order they were made.
#[derive(Debug, Default)]
pub struct Trace {
    /// One entry per decision.
    pub phases: Vec<Phase>,
    /// Whether the values behind decisions about mappings are kept, too: bodies, templates, variables, parameters.
    pub values: bool,
}

/// One decision.
#[derive(Debug)]
pub struct Phase {
    /// Which phase: `address`, `stage`, `canary`, `route`, `authorize`, `validate`, `mapping`, `integration` or `respond`.
    pub name: &'static str,
    /// What it decided, one line.
    pub decision: String,
    /// What led to it: candidates that lost, values that were mapped.
    pub details: Vec<String>,
}

impl Trace {
    pub(crate) fn note(&mut self, name: &'static str, decision: String) {
        self.phases.push(Phase { name, decision, details: Vec::new() });
    }

    pub(crate) fn detail(&mut self, text: String) {
        if let Some(last) = self.phases.last_mut() {
            last.details.push(text);
        }
    }
}

/// Bytes as a detail shows them: text, and of long text the beginning.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let end = bytes.len().min(MAX_SHOWN);
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    if end < bytes.len() { format!("{text}… ({} bytes)", bytes.len()) } else { text }
}

/// Bytes of a value that are shown: whoever reads an explanation looks for one place, and a body may have 10 MB.
const MAX_SHOWN: usize = 16 << 10;

/// The candidate closest to `wanted`, for "did you mean". `None` when nothing is near.
pub fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Edit distance is quadratic; long paths are compared by their first bytes, which is enough for a hint.
    let wanted = &wanted.as_bytes()[..wanted.len().min(64)];
    candidates
        .take(2_000)
        .map(|candidate| {
            (distance(wanted, &candidate.as_bytes()[..candidate.len().min(64)]), candidate)
        })
        .filter(|(cost, _)| *cost <= wanted.len().max(4) / 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in bytes.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_path_is_named_and_a_far_one_is_not() {
        let paths = ["/pets", "/pets/{petId}", "/orders"];
        assert_eq!(nearest("/pet", paths.iter().copied()), Some("/pets"));
        assert_eq!(nearest("/pets/7", paths.iter().copied()), Some("/pets"));
        assert_eq!(nearest("/completely/else", paths.iter().copied()), None);
    }
}
