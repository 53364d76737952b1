//! API key files: CSV with a header line. Source: `rest-api-runtime` section 17, and the Developer Guide, "API Gateway API key
//! file format".
//!
//! Fields are quoted by `"`, as CSV has it; AWS also takes `'`, which its guide shows around lists of usage plans. What is
//! wrong with one line is a warning and leaves the line out; what makes the file unreadable refuses it. Neither ever repeats
//! a key's value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Described, check_value};
use crate::app::AppError;

/// One key of a file.
#[derive(Clone)]
pub(super) struct Line {
    /// Where it stands, from 1 on.
    pub(super) number: u64,
    pub(super) value: String,
    pub(super) described: Described,
    pub(super) usage_plans: Vec<String>,
}

/// What a file says.
pub(super) struct File {
    /// Each value once.
    pub(super) lines: Vec<Line>,
    pub(super) warnings: Vec<String>,
}

/// Reads a file of at most `most` keys.
pub(super) fn read(bytes: &[u8], most: usize) -> Result<File, AppError> {
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\0') {
        return Err(unreadable("it contains a NUL character"));
    }
    // An open quote would take the rest of the file for one field.
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err(unreadable("a double quote is not closed"));
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = Columns::find(reader.headers().map_err(|_| unreadable("it has no header"))?)?;
    let mut file = File { lines: Vec::new(), warnings: Vec::new() };
    let mut seen: HashMap<String, usize> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|_| unreadable("it is not CSV"))?;
        let number = record.position().map_or(0, csv::Position::line);
        let line = match columns.line(number, &record) {
            Ok(line) => line,
            Err(wrong) => {
                file.warnings.push(format!("Line {number}: {wrong}"));
                continue;
            }
        };
        match seen.entry(line.value.clone()) {
            Entry::Occupied(known) => {
                let earlier = std::mem::replace(&mut file.lines[*known.get()], line).number;
                let warning =
                    format!("Line {number}: overwrites the same API Key of line {earlier}");
                file.warnings.push(warning);
            }
            Entry::Vacant(new) => {
                new.insert(file.lines.len());
                file.lines.push(line);
            }
        }
        if file.lines.len() > most {
            return Err(AppError::TooManyOf { what: "API keys", of: "import" });
        }
    }
    Ok(file)
}

fn unreadable(reason: &str) -> AppError {
    AppError::InvalidApiKeyFile { reason: reason.to_owned() }
}

/// Which column is where. Others are ignored.
struct Columns {
    count: usize,
    key: usize,
    name: usize,
    description: Option<usize>,
    enabled: Option<usize>,
    usage_plans: Option<usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, AppError> {
        let place = |column: &str| -> Result<Option<usize>, AppError> {
            let is = |field: &str| unquoted(field.trim()).eq_ignore_ascii_case(column);
            let mut places = (0..).zip(header.iter()).filter(|(_, field)| is(field));
            let first = places.next().map(|(place, _)| place);
            match places.next() {
                None => Ok(first),
                Some(_) => Err(unreadable(&format!("column '{column}' occurs twice"))),
            }
        };
        Ok(Self {
            count: header.len(),
            key: place("Key")?.ok_or(AppError::MissingColumn { column: "Key" })?,
            name: place("Name")?.ok_or(AppError::MissingColumn { column: "Name" })?,
            description: place("Description")?,
            enabled: place("Enabled")?,
            usage_plans: place("UsagePlanIds")?,
        })
    }

    /// The key a line describes, or what is wrong with it.
    fn line(&self, number: u64, record: &csv::StringRecord) -> Result<Line, String> {
        let fields = fields(record, self.count);
        if fields.len() > self.count {
            return Err("there are more fields than columns".to_owned());
        }
        let field = |place: Option<usize>| {
            place.and_then(|place| fields.get(place)).map_or("", |field| unquoted(field.trim()))
        };
        let optional = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let value = field(Some(self.key)).to_owned();
        check_value(&value, SHORTEST_VALUE).map_err(|wrong| wrong.to_string())?;
        let enabled = match field(self.enabled) {
            "" => true,
            text if text.eq_ignore_ascii_case("true") => true,
            text if text.eq_ignore_ascii_case("false") => false,
            _ => return Err("Enabled must be TRUE or FALSE".to_owned()),
        };
        let described = Described {
            name: optional(field(Some(self.name))),
            description: optional(field(self.description)),
            enabled,
        };
        described.check().map_err(|wrong| wrong.to_string())?;
        let plans = field(self.usage_plans).split(',').map(str::trim);
        let usage_plans = plans.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Ok(Line { number, value, described, usage_plans })
    }
}

/// The fields of a record. Where there are more than columns, those that lie between single quotes are one.
fn fields(record: &csv::StringRecord, columns: usize) -> Vec<Cow<'_, str>> {
    if record.len() <= columns {
        return record.iter().map(Cow::Borrowed).collect();
    }
    let parts: Vec<&str> = record.iter().collect();
    // For each part, the next one after it that ends with a quote.
    let mut closing = vec![None; parts.len()];
    let mut next = None;
    for (at, part) in parts.iter().enumerate().rev() {
        closing[at] = next;
        next = if part.trim_end().ends_with('\'') { Some(at) } else { next };
    }
    let mut joined = Vec::new();
    let mut at = 0;
    while let Some(first) = parts.get(at).map(|part| part.trim()) {
        let last = closing[at].filter(|_| first.starts_with('\'') && !is_quoted(first));
        let last = last.unwrap_or(at);
        joined.push(Cow::Owned(parts[at..=last].join(",")));
        at = last + 1;
    }
    joined
}

/// A text without the single quotes around it.
fn unquoted(text: &str) -> &str {
    if is_quoted(text) { &text[1..text.len() - 1] } else { text }
}

fn is_quoted(text: &str) -> bool {
    text.len() >= 2 && text.starts_with('\'') && text.ends_with('\'')
}

/// Characters of a value in a file: more than CreateApiKey asks for, as AWS's guide has it.
const SHORTEST_VALUE: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "apikey1234abcdefghij0123456789";
    const B: &str = "apikey1234abcdefghij0123456780";

    /// `{name}|{description}|{enabled}|{plans}` of each line.
    fn told(text: &str) -> Vec<String> {
        let file = read(text.as_bytes(), 100).unwrap();
        assert_eq!(file.warnings, Vec::<String>::new(), "{text}");
        let lines = file.lines.into_iter().map(|line| {
            let Described { name, description, enabled } = line.described;
            let (name, description) = (name.unwrap_or_default(), description.unwrap_or_default());
            format!("{name}|{description}|{enabled}|{}", line.usage_plans.join("+"))
        });
        lines.collect()
    }

    #[test]
    fn columns_come_in_any_order_and_case() {
        for (text, want) in [
            (format!("Key,name\n{A},first"), "first||true|"),
            (format!("\u{feff}NAME , 'KEY'\r\nfirst,{A}\r\n\r\n"), "first||true|"),
            (
                format!(
                    "Key,name,description,Enabled,usageplanIds\n{A},n,imported,TRUE,\"c7y23b,glvrsr\""
                ),
                "n|imported|true|c7y23b+glvrsr",
            ),
            (
                format!("usageplanids,enabled,key,name\n'c7y23b, glvrsr',fALSE,{A},n"),
                "n||false|c7y23b+glvrsr",
            ),
            (format!("name,usageplanids,key\nn,c7y23b,{A}"), "n||true|c7y23b"),
            (format!("name,usageplanids,key\nn,'c7y23b',{A}"), "n||true|c7y23b"),
            (format!("name,usageplanids,key\nn,\"'c7y23b,glvrsr'\",{A}"), "n||true|c7y23b+glvrsr"),
            (format!("Key,x,Name,y\n{A},1,\"a \"\"b\"\", 'c'\",2"), "a \"b\", 'c'||true|"),
            (format!("Key,Name,Description\n{A},'tis,so"), "'tis|so|true|"),
            (format!("Key,Name,Description\n{A},\"two\nlines\",so"), "two\nlines|so|true|"),
            (format!("Key,Name,Enabled,Description\n{A}"), "||true|"),
        ] {
            assert_eq!(told(&text), [want], "{text}");
        }
    }

    #[test]
    fn a_line_that_is_wrong_is_left_out_with_a_warning() {
        for (line, want) in [
            ("short,n,".to_owned(), "API Key value should be at least 30 characters"),
            (",n,".to_owned(), "API Key value should be at least 30 characters"),
            (
                format!("{},n,", "a".repeat(129)),
                "API Key value exceeds maximum size of 128 characters",
            ),
            (format!("{A}é,n,"), "API Key value should only contain visible ASCII characters"),
            (
                format!("{A},{},", "n".repeat(1_025)),
                "Invalid API Key name, can be at most 1024 characters.",
            ),
            (format!("{A},n,yes"), "Enabled must be TRUE or FALSE"),
            (format!("{A},n,,x"), "there are more fields than columns"),
            (format!("{A},'n,,x"), "there are more fields than columns"),
        ] {
            let text = format!("Key,Name,Enabled\n{line}\n{B},good,");
            let file = read(text.as_bytes(), 100).unwrap();
            assert_eq!(file.warnings, [format!("Line 2: {want}")], "{line}");
            assert_eq!((file.lines.len(), file.lines[0].number), (1, 3), "{line}");
        }
    }

    #[test]
    fn of_the_same_value_the_last_line_holds() {
        let text = format!("Key,Name\n{A},first\n{B},other\n{A},last\n{A},very last");
        let file = read(text.as_bytes(), 2).unwrap();
        let names: Vec<_> =
            file.lines.iter().map(|line| line.described.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["very last", "other"]);
        assert_eq!(
            file.warnings,
            [
                "Line 4: overwrites the same API Key of line 2",
                "Line 5: overwrites the same API Key of line 4"
            ]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused() {
        let many = format!("Key,Name\n{A},a\n{B},b");
        let wide = ",".repeat(1 << 20);
        for (bytes, want) in [
            (&b""[..], "Missing required column 'Key'"),
            (b"/tmp/apikey.csv", "Missing required column 'Key'"),
            (b"Key\n", "Missing required column 'Name'"),
            (b"Key,Name,KEY\n", "Invalid API Key file: column 'Key' occurs twice"),
            (b"Key,Name\n\xff", "Invalid API Key file: it is not UTF-8"),
            (b"Key,Name\n\0", "Invalid API Key file: it contains a NUL character"),
            (b"Key,Name\n\"a,b\nc,d\n", "Invalid API Key file: a double quote is not closed"),
            (
                many.as_bytes(),
                "Maximum number of API keys for this import has been reached. Please contact your administrator if you need additional API keys.",
            ),
            (wide.as_bytes(), "Missing required column 'Key'"),
        ] {
            let told = read(bytes, 1).err().unwrap().to_string();
            assert_eq!(told, want, "{}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
        }
    }

    #[test]
    fn hostile_lines_cost_no_more_than_their_length() {
        let quotes = "'a,".repeat(100_000);
        let text = format!("Key,Name\n{A},{quotes}\n{B},b\n");
        let file = read(text.as_bytes(), 10).unwrap();
        assert_eq!((file.lines.len(), file.warnings.len()), (1, 1));
        let lines = "\"\",\"\"\n".repeat(200_000);
        let file = read(format!("Key,Name\n{lines}").as_bytes(), 10).unwrap();
        assert_eq!((file.lines.len(), file.warnings.len()), (0, 200_000));
    }
}
