//! Chance from a seed.

use oorandom::Rand64;

/// A stream of random numbers. Streams of one seed are independent, so that drawing more from one of them
/// changes nothing that follows from another.
#[derive(Clone, Debug)]
pub(crate) struct Random(Rand64);

impl Random {
    /// The stream of that number.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // Seeds are often neighbours, and the generator's first numbers would be too.
        Self(Rand64::new(u128::from(scrambled(seed)) << 64 | u128::from(scrambled(!stream))))
    }

    /// Any number.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// 0 to n-1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.rand_range(0..n as u64) as usize
    }

    /// Uniform from `from` up to `to`.
    pub(crate) fn uniform(&mut self, (from, to): (f64, f64)) -> f64 {
        from + (to - from) * self.0.rand_float()
    }

    /// From `from` up to `to`, each factor as likely as each other.
    pub(crate) fn log_uniform(&mut self, (from, to): (f64, f64)) -> f64 {
        self.uniform((from.ln(), to.ln())).exp()
    }

    /// Exponential with that mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.0.rand_float()).ln() * mean
    }

    /// True with that chance.
    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        self.0.rand_float() < chance
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Rank 0 to n-1; the first of `a` times as many ranks is `a` times as rarely taken (Zipf with
    /// exponent 1, by its continuous form).
    pub(crate) fn zipf(&mut self, n: usize) -> usize {
        let most = n as f64 + 1.0;
        ((self.uniform((0.0, 1.0)) * most.ln()).exp() as usize).clamp(1, n) - 1
    }

    /// So many signs of an alphabet.
    pub(crate) fn token(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(*self.pick(alphabet))).collect()
    }
}

/// SplitMix64's output function.
fn scrambled(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
