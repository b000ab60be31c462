//! Medians, percentiles, and the ratio of the product to the limit.

use std::{fmt, time::Duration};

/// When the last page had it, and the acknowledgement came.
#[derive(Clone, Copy)]
pub struct Round {
    /// From the check to its acknowledgement: decided, on disk, answered.
    pub acknowledged: Duration,
    /// From the check to the last page having it.
    pub last: Duration,
}

/// What all rounds came to.
#[derive(Default)]
pub struct Figures {
    acknowledged: Vec<Duration>,
    product: Vec<Duration>,
    bare: Vec<Duration>,
    ratios: Vec<f64>,
}

impl Figures {
    /// Adds a round of both.
    pub fn add(&mut self, product: Round, bare: Duration) {
        self.acknowledged.push(product.acknowledged);
        self.product.push(product.last);
        self.bare.push(bare);
        self.ratios.push(product.last.as_secs_f64() / bare.as_secs_f64());
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "check to its acknowledgement", &self.acknowledged)?;
        line(f, "check to the last page", &self.product)?;
        line(f, "bare write to the last socket", &self.bare)?;
        let mut ratios = self.ratios.clone();
        ratios.sort_by(f64::total_cmp);
        let (low, middle, high) = (at(&ratios, 10), at(&ratios, 50), at(&ratios, 90));
        writeln!(f, "last page to bare limit, by round: median {middle:.2}, p10 {low:.2}, p90 {high:.2}")
    }
}

/// A line with median and percentiles of some times.
pub fn line(f: &mut impl fmt::Write, what: &str, times: &[Duration]) -> fmt::Result {
    let mut times = times.to_vec();
    times.sort();
    let [p50, p90, p99] = [50, 90, 99].map(|percent| at(&times, percent).as_secs_f64() * 1_000.0);
    writeln!(f, "{what:<30} p50 {p50:>7.2} ms   p90 {p90:>7.2} ms   p99 {p99:>7.2} ms")
}

/// The median of times.
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Median, and the tenth and ninetieth percentile beside it.
pub struct Spread(f64, f64, f64);

/// The spread of some values, one at least.
pub fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    Spread(at(&values, 10), at(&values, 50), at(&values, 90))
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread(low, middle, high) = self;
        let digits = f.precision().unwrap_or(2);
        write!(f, "{middle:.digits$} (p10 {low:.digits$}, p90 {high:.digits$})")
    }
}

/// The value below which so many percent lie, of values in rising order.
pub fn at<T: Copy>(sorted: &[T], percent: usize) -> T {
    sorted[(sorted.len() - 1) * percent / 100]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_say_median_and_ratio() {
        let mut figures = Figures::default();
        for ms in 1..=100 {
            let last = Duration::from_millis(2 * ms);
            figures.add(Round { acknowledged: last / 2, last }, Duration::from_millis(ms));
        }
        let text = figures.to_string();
        assert!(text.contains("check to the last page         p50  100.00 ms"), "{text}");
        assert!(text.contains("median 2.00, p10 2.00, p90 2.00"), "{text}");
    }
}
