//! Regular expressions of ECMA 262.

use crate::regex::Regex;

/// Compiles a pattern; the error is for people.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern))
}

/// `\d`, `\w` and `\D`, `\W` are ASCII in ECMA 262, `\s` knows one character more, `\cX` is a control character, and `[^]` is any character.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('d') => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('w') => out.push_str(if in_class { "A-Za-z0-9_" } else { "[A-Za-z0-9_]" }),
                Some('s') => out.push_str(if in_class { r"\s\x{FEFF}" } else { r"[\s\x{FEFF}]" }),
                Some('S') => out.push_str(r"[^\s\x{FEFF}]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some('c') if characters.peek().is_some_and(char::is_ascii_alphabetic) => {
                    let letter = characters.next().unwrap_or('@');
                    out.push_str(&format!("\\x{:02x}", letter as u32 % 32));
                }
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                if pattern_ahead(&characters, "^]") {
                    characters.by_ref().take(2).for_each(drop);
                    out.push_str("[\\s\\S]");
                } else {
                    in_class = true;
                    out.push('[');
                }
            }
            // A bracket within a class is a character; ours would open a nested class.
            '[' => out.push_str("\\["),
            ']' => {
                in_class = false;
                out.push(']');
            }
            // Within a class ours takes doubled ones for set operations.
            '&' | '~' | '-' if in_class && characters.peek() == Some(&character) => {
                out.extend(['\\', character]);
            }
            other => out.push(other),
        }
    }
    out
}

fn pattern_ahead(characters: &std::iter::Peekable<std::str::Chars<'_>>, wanted: &str) -> bool {
    let ahead = characters.clone().take(wanted.len());
    ahead.eq(wanted.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, want) in [
            ("^a*$", "aaa", true),
            ("a+", "xxaayy", true),
            (r"^\d+$", "٣", false),
            (r"^[\d-]+$", "1-2", true),
            (r"^\w+$", "é", false),
            (r"^\W+$", "é", true),
            (r"^\cC$", "\u{3}", true),
            (r"^[^]$", "\n", true),
            (r"^[[]$", "[", true),
            (r"^[a&&b]+$", "&", true),
            (r"^\/x$", "/x", true),
            (r"^\u0041$", "A", true),
            (r"^(?=.*[A-Z])(?=.*\d).{8,}$", "Passw0rd", true),
            (r"^(?=.*[A-Z])(?=.*\d).{8,}$", "password", false),
            (r"^(.)\1$", "aa", true),
        ] {
            assert_eq!(
                compile(pattern).unwrap().is_match(text, &mut 1_000),
                Ok(want),
                "{pattern} {text}"
            );
        }
        assert!(compile("(").unwrap_err().contains("unclosed group"));
    }
}
