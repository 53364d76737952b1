//! The latency percentile curve as SVG: percentiles towards 100% on the x axis, latency on a logarithmic y axis.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::text;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;

/// Colours that differ in lightness too (Okabe and Ito's palette).
pub const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/// One curve.
#[derive(Debug)]
pub struct Series<'a> {
    pub name: &'a str,
    /// Nanoseconds.
    pub histogram: &'a Histogram<u64>,
}

/// Draws the curves. Series without values are left out.
pub fn plot(title: &str, series: &[Series<'_>]) -> String {
    let shown: Vec<&Series<'_>> = series.iter().filter(|one| !one.histogram.is_empty()).collect();
    let low = shown.iter().map(|one| one.histogram.min()).min().unwrap_or(1_000).max(100) as f64;
    let high =
        shown.iter().map(|one| one.histogram.max()).max().unwrap_or(1_000_000).max(1_000) as f64;
    let (low, high) = (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0));
    // As many nines as the largest sample supports.
    let samples = shown.iter().map(|one| one.histogram.len()).max().unwrap_or(1) as f64;
    let nines = samples.log10().floor().clamp(2.0, 6.0);
    let x = |q: f64| LEFT + (-(1.0 - q).log10()).min(nines) / nines * (WIDTH - LEFT - RIGHT);
    let y = |ns: f64| {
        HEIGHT - BOTTOM - (ns.max(1.0).log10() - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
    };

    let mut svg = open(title);
    for power in low as i32..=high as i32 {
        let (value, at) = (10f64.powi(power), y(10f64.powi(power)));
        let (end, label) = (WIDTH - RIGHT, text::micros(value / 1e3).replace(".00", ""));
        line(&mut svg, (LEFT, at), (end, at), "#ddd");
        label_text(&mut svg, LEFT - 8.0, at + 4.0, "end", &label);
    }
    for (label, q) in ticks(nines as usize) {
        line(&mut svg, (x(q), TOP), (x(q), HEIGHT - BOTTOM), "#ddd");
        label_text(&mut svg, x(q), HEIGHT - BOTTOM + 18.0, "middle", &label);
    }
    label_text(
        &mut svg,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 12.0,
        "middle",
        "percentile of requests",
    );
    for (index, one) in shown.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let steps = 200;
        let points: Vec<String> = (0..=steps)
            .map(|step| 1.0 - 10f64.powf(-nines * f64::from(step) / f64::from(steps)))
            .map(|q| format!("{:.1},{:.1}", x(q), y(one.histogram.value_at_quantile(q) as f64)))
            .collect();
        let points = points.join(" ");
        // Writing to a String does not fail, here and below.
        let _ = writeln!(
            svg,
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>"#
        );
        let at = TOP + 16.0 + 20.0 * index as f64;
        line(&mut svg, (WIDTH - RIGHT + 12.0, at - 4.0), (WIDTH - RIGHT + 34.0, at - 4.0), colour);
        label_text(&mut svg, WIDTH - RIGHT + 40.0, at, "start", one.name);
    }
    svg + "</svg>\n"
}

fn ticks(nines: usize) -> Vec<(String, f64)> {
    let mut ticks = vec![("0%".to_owned(), 0.0), ("50%".to_owned(), 0.5)];
    for nine in 1..=nines {
        let label = match nine {
            1 => "90%".to_owned(),
            2 => "99%".to_owned(),
            more => format!("99.{}%", "9".repeat(more - 2)),
        };
        ticks.push((label, 1.0 - 10f64.powi(-(nine as i32))));
    }
    ticks
}

pub(super) fn open(title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{}\" y=\"26\" text-anchor=\"middle\" font-size=\"15\">{}</text>\n",
        WIDTH / 2.0,
        escape(title)
    )
}

pub(super) fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        svg,
        r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"/>"#
    );
}

pub(super) fn label_text(svg: &mut String, x: f64, y: f64, anchor: &str, label: &str) {
    let label = escape(label);
    let _ = writeln!(
        svg,
        r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="#333">{label}</text>"##
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_curve_per_series_with_values() {
        let mut full = Histogram::<u64>::new(3).unwrap();
        (1..=10_000).for_each(|us| full.record(us * 1_000).unwrap());
        let empty = Histogram::<u64>::new(3).unwrap();
        let svg = plot(
            "a < b",
            &[Series { name: "x", histogram: &full }, Series { name: "y", histogram: &empty }],
        );
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert!(svg.contains("a &lt; b") && svg.contains("99.99%") && !svg.contains("99.999%"));
        assert!(!svg.contains("NaN") && svg.ends_with("</svg>\n"));
    }
}
