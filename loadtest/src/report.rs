//! Reports: aligned text, statistics and SVG plots.

pub mod bars;
pub mod interval;
pub mod percentiles;
pub mod text;
