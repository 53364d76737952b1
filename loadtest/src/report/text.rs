//! Numbers with units and aligned columns.

/// Two columns: names, then values.
pub fn pairs(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

/// A table whose first row is its heading; the first column is text, the others are numbers to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        rows.iter().filter_map(|row| row.get(at)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(
                |(at, (cell, width))| {
                    if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// The same table in Markdown.
pub fn markdown(rows: &[Vec<String>]) -> String {
    let Some((head, rest)) = rows.split_first() else { return String::new() };
    let line = |row: &[String]| format!("| {} |\n", row.join(" | "));
    let rule: Vec<&str> = (0..head.len()).map(|at| if at == 0 { "---" } else { "---:" }).collect();
    let body: String = rest.iter().map(|row| line(row)).collect();
    format!("{}| {} |\n{body}", line(head), rule.join(" | "))
}

/// Microseconds, in the unit that reads best.
pub fn micros(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.0} us"),
        us if us < 1e6 => format!("{:.2} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

/// Bytes in binary units.
pub fn bytes(count: u64) -> String {
    let (mut value, mut units) = (count as f64, ["KiB", "MiB", "GiB", "TiB"].iter());
    if value < 1024.0 {
        return format!("{count} B");
    }
    let mut unit = "";
    while value >= 1024.0
        && let Some(next) = units.next()
    {
        (value, unit) = (value / 1024.0, next);
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (us, want) in [(12.4, "12 us"), (1500.0, "1.50 ms"), (2e6, "2.00 s")] {
            assert_eq!(micros(us), want);
        }
        for (count, want) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(bytes(count), want);
        }
    }

    #[test]
    fn tables() {
        let rows =
            [vec!["peer".to_owned(), "us".to_owned()], vec!["x".to_owned(), "13.5".to_owned()]];
        assert_eq!(table(&rows), "peer    us\nx     13.5\n");
        assert_eq!(markdown(&rows), "| peer | us |\n| --- | ---: |\n| x | 13.5 |\n");
    }
}
