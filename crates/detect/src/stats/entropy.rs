//! Entropy of counts that are seen one after the other, in constant memory.

/// Takes the count of each kind once; gives the entropy over all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy {
    total: f64,
    /// Sum of x · log2 x over kinds.
    sum: f64,
    kinds: u64,
}

impl Entropy {
    /// Adds a kind that occurred `count` times.
    pub fn push(&mut self, count: f64) {
        if count > 0.0 {
            self.total += count;
            self.sum += count * count.log2();
            self.kinds += 1;
        }
    }

    /// In bits.
    pub fn bits(&self) -> f64 {
        if self.kinds < 2 { 0.0 } else { (self.total.log2() - self.sum / self.total).max(0.0) }
    }

    /// How even the kinds are, 0 to 1: the entropy over the largest that so many kinds can have
    /// (Pielou's index). 0 for a single kind.
    pub fn evenness(&self) -> f64 {
        if self.kinds < 2 { 0.0 } else { (self.bits() / (self.kinds as f64).log2()).min(1.0) }
    }

    /// Kinds seen.
    pub fn kinds(&self) -> u64 {
        self.kinds
    }
}

#[cfg(test)]
mod tests {
    use super::Entropy;

    fn of(counts: &[f64]) -> Entropy {
        let mut entropy = Entropy::default();
        for &count in counts {
            entropy.push(count);
        }
        entropy
    }

    #[test]
    fn entropies_by_hand() {
        assert_eq!((of(&[1.0; 8]).bits(), of(&[5.0; 8]).evenness()), (3.0, 1.0));
        assert!((of(&[2.0, 1.0, 1.0]).bits() - 1.5).abs() < 1e-12);
        assert_eq!((of(&[7.0]).evenness(), of(&[]).bits(), of(&[7.0, 0.0]).kinds()), (0.0, 0.0, 1));
    }
}
