//! Resolving `$ref` and `id` against the URI of where they stand (RFC 3986, section 5).

/// `reference` as seen from `base`, with its fragment split off.
pub(super) fn resolve<'r>(base: &str, reference: &'r str) -> (String, &'r str) {
    let (locator, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    (join(base, locator), fragment)
}

fn join(base: &str, locator: &str) -> String {
    if locator.is_empty() {
        return base.to_owned();
    }
    if has_scheme(locator) {
        return locator.to_owned();
    }
    let Some((scheme, rest)) = base.split_once(':').filter(|_| has_scheme(base)) else {
        return merge("", base, locator);
    };
    if locator.starts_with("//") {
        return format!("{scheme}:{locator}");
    }
    let authority_end = rest
        .strip_prefix("//")
        .map_or(0, |after| 2 + after.find(['/', '?']).unwrap_or(after.len()));
    let (authority, path) = rest.split_at(authority_end);
    merge(&format!("{scheme}:{authority}"), path, locator)
}

/// Puts a relative path in the place of the last segment of `path`, and takes dot segments out.
fn merge(before: &str, path: &str, locator: &str) -> String {
    let merged = match path.rfind('/') {
        _ if locator.starts_with('/') => locator.to_owned(),
        Some(last) => format!("{}{locator}", &path[..=last]),
        None if before.is_empty() => locator.to_owned(),
        None => format!("/{locator}"),
    };
    let mut kept: Vec<&str> = Vec::new();
    for segment in merged.split('/') {
        match segment {
            "." => {}
            ".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
            }
            other => kept.push(other),
        }
    }
    format!("{before}{}", kept.join("/"))
}

fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        let mut letters = scheme.bytes();
        letters.next().is_some_and(|b| b.is_ascii_alphabetic())
            && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (base, reference, want) in [
            ("", "#/definitions/a", ("", "/definitions/a")),
            ("", "item.json", ("item.json", "")),
            ("http://h/a/b.json", "c.json#x", ("http://h/a/c.json", "x")),
            ("http://h/a/b.json", "/c.json", ("http://h/c.json", "")),
            ("http://h/a/", "folder/", ("http://h/a/folder/", "")),
            ("http://h", "x", ("http://h/x", "")),
            ("http://h/a/b/c", "../d", ("http://h/a/d", "")),
            ("http://h/a", "https://o/p#/q", ("https://o/p", "/q")),
            ("http://h/a", "//o/p", ("http://o/p", "")),
            ("urn:uuid:1", "#x", ("urn:uuid:1", "x")),
        ] {
            let (locator, fragment) = resolve(base, reference);
            assert_eq!((locator.as_str(), fragment), want, "{base} {reference}");
        }
    }
}
