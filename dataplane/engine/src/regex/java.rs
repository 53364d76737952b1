//! What Java writes otherwise than the `regex` crate.
//!
//! Source: `java.util.regex.Pattern`.

use std::iter::Peekable;
use std::str::Chars;

/// Writes an expression of Java's as the `regex` crate does, and says whether it gives nothing back (`a++`), which the crate would
/// read as another quantifier. What is wrong in it stays wrong.
pub(super) fn translate(pattern: &str) -> (String, bool) {
    let mut made = Translation {
        rest: pattern.chars().peekable(),
        out: String::new(),
        classes: 0,
        possessive: false,
        dots: false,
    };
    while let Some(character) = made.rest.next() {
        made.character(character);
    }
    (made.out, made.possessive)
}

struct Translation<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    /// Classes that are open, one within another.
    classes: usize,
    possessive: bool,
    /// A flag said that a dot matches the ends of lines, too.
    dots: bool,
}

impl Translation<'_> {
    fn character(&mut self, character: char) {
        match character {
            '\\' => self.escape(),
            '[' => {
                self.classes += 1;
                self.out.push('[');
            }
            ']' => {
                self.classes = self.classes.saturating_sub(1);
                self.out.push(']');
            }
            // Within a class two of them are an operator to the crate; in Java the second is a character.
            '-' | '~' if self.classes > 0 && self.rest.next_if_eq(&character).is_some() => {
                self.out.extend([character, '\\', character]);
            }
            '*' | '+' | '?' | '}' if self.classes == 0 => {
                self.possessive |= self.rest.peek() == Some(&'+');
                self.out.push(character);
            }
            '.' if self.classes == 0 && !self.dots => self.out.push_str(NO_LINE_END),
            '(' if self.classes == 0 && self.is_next("?") => self.group(),
            other => self.out.push(other),
        }
    }

    fn is_next(&self, text: &str) -> bool {
        self.rest.clone().take(text.len()).eq(text.chars())
    }

    /// A group that begins with a question mark: its flags, if it has any.
    fn group(&mut self) {
        let mut ahead = self.rest.clone();
        ahead.next();
        let mut flags = String::new();
        while let Some(flag) = ahead.next_if(|c| c.is_ascii_alphabetic() || *c == '-') {
            flags.push(flag);
        }
        let end = ahead.next_if(|c| matches!(c, ')' | ':'));
        self.out.push('(');
        let Some(end) = end else { return };
        self.rest = ahead;
        let (on, off) = flags.split_once('-').unwrap_or((&flags, ""));
        self.dots = (self.dots || on.contains('s')) && !off.contains('s');
        // `d`, `u` and `U` say what counts as the end of a line or as the case of a letter.
        let mut flags: String = flags.chars().filter(|c| !matches!(c, 'd' | 'u' | 'U')).collect();
        if flags.ends_with('-') {
            flags.pop();
        }
        if flags.is_empty() && end == ')' {
            self.out.pop();
        } else {
            self.out.push('?');
            self.out.push_str(&flags);
            self.out.push(end);
        }
    }

    fn escape(&mut self) {
        let Some(character) = self.rest.next() else {
            self.out.push('\\');
            return;
        };
        if let Some(members) = class(character) {
            self.class(members, false);
        } else if let Some(members) = class(character.to_ascii_lowercase()) {
            self.class(members, true);
        } else {
            match character {
                'Q' => self.quote(),
                'R' => self.out.push_str(r"(?:\r\n|[\n\x0B\x0C\r\x{85}\x{2028}\x{2029}])"),
                'Z' => self.out.push_str(r"(?=(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z)"),
                'e' => self.out.push_str(r"\x1B"),
                // Ends of words to the crate.
                '<' | '>' => self.out.push(character),
                'p' | 'P' => self.property(character == 'P'),
                other => self.out.extend(['\\', other]),
            }
        }
    }

    /// Everything up to `\E` stands for itself.
    fn quote(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.next_if_eq(&'E').is_some() {
                break;
            }
            self.out.push_str(&::regex::escape(character.encode_utf8(&mut [0; 4])));
        }
    }

    /// `\p{Name}` and `\P{Name}`. The names of POSIX mean ASCII.
    fn property(&mut self, negated: bool) {
        let mut ahead = self.rest.clone();
        let mut name = String::new();
        if ahead.next_if_eq(&'{').is_some() {
            name.extend(std::iter::from_fn(|| ahead.next_if(|c| *c != '}')));
            ahead.next();
        }
        let posix = POSIX.iter().find(|(held, _)| *held == name);
        match (posix, name.strip_prefix("Is")) {
            (Some((_, members)), _) => self.class(members, negated),
            (None, Some(name)) => {
                let letter = if negated { 'P' } else { 'p' };
                self.out.push_str(&format!("\\{letter}{{{name}}}"));
            }
            (None, None) => {
                self.out.extend(['\\', if negated { 'P' } else { 'p' }]);
                return;
            }
        }
        self.rest = ahead;
    }

    fn class(&mut self, members: &str, negated: bool) {
        self.out.push_str(if negated { "[^" } else { "[" });
        self.out.push_str(members);
        self.out.push(']');
    }
}

/// What a letter behind a backslash stands for: ASCII only, but for the spaces and ends of lines.
fn class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        'w' => "0-9A-Z_a-z",
        's' => r"\t\n\x0B\x0C\r ",
        'h' => r"\t \xA0\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}",
        'v' => r"\n\x0B\x0C\r\x{85}\x{2028}\x{2029}",
        _ => return None,
    })
}

const NO_LINE_END: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";

const POSIX: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "A-Za-z"),
    ("Digit", "0-9"),
    ("Alnum", "0-9A-Za-z"),
    ("Punct", r"!-/:-@\[-`{-\~"),
    ("Graph", "!-\\~"),
    ("Print", " -\\~"),
    ("Blank", r" \t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9A-Fa-f"),
    ("Space", r" \t\n\x0B\x0C\r"),
];

#[cfg(test)]
mod tests {
    use super::super::{ONCE, Regex};

    #[test]
    fn expressions_mean_what_they_mean_in_java() {
        for (pattern, text, want) in [
            ("404", "404", true),
            ("404", "4040", false),
            (r"4\d{2}", "404", true),
            (r"\d", "٣", false),
            (r"\w+", "é", false),
            (r"\W", "é", true),
            (r"[\w.-]+@[\w.-]+", "a.b-c@d.e", true),
            (r"[^\d]+", "abc", true),
            (r"[^\D]+", "12", true),
            (r"a\sb", "a\u{a0}b", false),
            (r"a\hb", "a\u{a0}b", true),
            (r"a\Rb", "a\r\nb", true),
            ("a|b", "ab", false),
            ("a|ab", "ab", true),
            (".*Bad.*", "it is\nBad here", false),
            (".*Bad.*", "it is\rBad here", false),
            ("(?s).*Bad.*", "it is\nBad here", true),
            ("(?is).*bad.*", "it is\nBad here", true),
            ("(?u)a", "a", true),
            ("(?iu:a)", "A", true),
            ("(\\n|.)+", "it is\nBad here", true),
            (r".*\Q[1.5]\E.*", "see [1.5] there", true),
            (r"\Qa.c", "abc", false),
            (r"\Qa.c", "a.c", true),
            (r"\<a\>", "<a>", true),
            (r"[+--]+", "+,-", true),
            (r"[a~~]+", "~a", true),
            (r"[a-c[x-z]]+", "ax", true),
            (r"[a-z&&[^bc]]+", "ad", true),
            (r"[a-z&&[^bc]]+", "ab", false),
            (r"\p{Alpha}+", "é", false),
            (r"\p{L}+", "é", true),
            (r"\pL+", "é", true),
            (r"\p{IsGreek}+", "α", true),
            (r"\P{Punct}+", "a1", true),
            (r"[\p{Punct}]+", "!~[", true),
            // Beyond linear time.
            ("^(?!.*ok).*$", "it failed", true),
            ("^(?!.*ok).*$", "it is ok", false),
            ("(?=b).*", "bc", true),
            (r"(.)\1.*", "aab", true),
            (r"(.)\1.*", "abb", false),
            (r"(?<x>a)\k<x>", "aa", true),
            ("a++b", "aab", true),
            (".++b", "aab", false),
            ("(a|aa)*+a", "aaa", false),
            ("a{1,3}+a", "aaa", false),
            (r"a\++", "a++", true),
            ("[+*]++", "+*", true),
            ("(?>a|ab)c", "abc", false),
            (".*(?<=b)c", "abc", true),
        ] {
            let regex = Regex::java_whole(pattern, false).expect(pattern);
            assert_eq!(regex.is_match(text, &mut ONCE.clone()), Ok(want), "{pattern} {text}");
        }
        for pattern in [
            "(",
            "a)|(b",
            "*",
            "[",
            "(?<x>a)(?<x>b)",
            "(?<x>a)++(?<x>b)",
            r"(?<x>a)(?<x>b)\1",
            "[a--z]",
            "(?<=a",
            "a{100000}{1000}",
            r"\p{Nonsense}",
        ] {
            assert!(Regex::java_whole(pattern, false).is_err(), "{pattern}");
        }
    }
}
