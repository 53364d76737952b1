//! Horizontal bars with an interval each, as SVG: one value per peer.

use std::fmt::Write as _;

use super::percentiles::{COLOURS, label_text, line, open};

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    pub name: String,
    pub value: f64,
    /// Drawn as a whisker.
    pub interval: Option<(f64, f64)>,
}

const LEFT: f64 = 130.0;
const SPAN: f64 = 520.0;
const TOP: f64 = 60.0;
/// The drawing is 420 high; the axis needs the rest.
const ROWS: f64 = 290.0;

/// Draws the bars from zero, so that lengths compare.
pub fn plot(title: &str, unit: &str, bars: &[Bar]) -> String {
    let mut svg = open(title);
    let largest =
        bars.iter().map(|bar| bar.interval.map_or(bar.value, |(_, high)| high.max(bar.value)));
    let largest = largest.fold(0.0, f64::max).max(1e-9);
    let x = |value: f64| LEFT + value / largest * SPAN;
    let row = ROWS / bars.len().max(1) as f64;
    for (index, bar) in bars.iter().enumerate() {
        let (top, height) = (TOP + row * index as f64, (row * 0.6).min(40.0));
        let (middle, width, colour) =
            (top + height / 2.0, x(bar.value) - LEFT, COLOURS[index % COLOURS.len()]);
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            r#"<rect x="{LEFT}" y="{top:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}" opacity="0.8"/>"#
        );
        label_text(&mut svg, LEFT - 8.0, middle + 4.0, "end", &bar.name);
        let mut end = x(bar.value);
        if let Some((low, high)) = bar.interval {
            line(&mut svg, (x(low), middle), (x(high), middle), "#000");
            for edge in [low, high] {
                line(&mut svg, (x(edge), middle - 5.0), (x(edge), middle + 5.0), "#000");
            }
            end = end.max(x(high));
        }
        label_text(&mut svg, end + 8.0, middle + 4.0, "start", &format!("{:.1}", bar.value));
    }
    label_text(&mut svg, LEFT + SPAN / 2.0, TOP + ROWS + 30.0, "middle", unit);
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_each() {
        let bar = |name: &str, value| Bar {
            name: name.to_owned(),
            value,
            interval: Some((value, value + 1.0)),
        };
        let svg = plot("t", "us", &[bar("a", 1.0), bar("b", 9.0)]);
        assert_eq!(svg.matches("<rect").count(), 3, "the ground and two bars");
        assert!(!svg.contains("NaN"));
    }
}
