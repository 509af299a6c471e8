//! Multinomial logistic regression by L-BFGS over all rows. Deterministic: one thread, sums in one order whatever
//! the processor.

use half::f16;

use crate::kernel::{self, Kernel, Strided};

/// What to fit.
pub struct Problem<'a> {
    /// Numbers of the rows, one row after the other.
    pub rows: &'a [f32],
    /// Numbers in a row.
    pub width: usize,
    /// The class of each row.
    pub labels: &'a [u32],
    /// What each row counts; `None`: all the same.
    pub weights: Option<&'a [f32]>,
    /// How many classes.
    pub classes: usize,
    /// Weight of the squared norm against the mean loss; keeps rare classes from overfitting. Biases are free.
    pub decay: f32,
    /// Most iterations.
    pub iterations: usize,
}

/// A fitted classifier: per class `width` factors and a bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Numbers in a row.
    pub width: usize,
    /// Per class `width` factors, then the bias.
    pub values: Vec<f32>,
}

impl Linear {
    /// How many classes.
    pub fn classes(&self) -> usize {
        self.values.len() / (self.width + 1)
    }

    /// Rounds every number to one that half the bits hold, as files keep them.
    pub fn round_to_half(&mut self) {
        self.values.iter_mut().for_each(|x| *x = f16::from_f32(*x).to_f32());
    }

    /// One score a class.
    pub fn logits(&self, row: &[f32]) -> Vec<f32> {
        self.values.chunks_exact(self.width + 1).map(|w| dot(&w[..self.width], row) + w[self.width]).collect()
    }
}

/// Turns scores into probabilities, in place. Gives the logarithm of the sum of exponentials.
pub fn softmax(logits: &mut [f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for z in logits.iter_mut() {
        *z = (*z - most).exp();
        sum += *z;
    }
    logits.iter_mut().for_each(|z| *z /= sum);
    most + sum.ln()
}

/// Steps that are remembered.
const MEMORY: usize = 8;
/// A gradient this small, relative to the first, is the bottom.
const SMALL: f64 = 1e-3;
/// Rows whose scores are held at a time: with their numbers they stay in a processor's cache.
const BLOCK: usize = 64;

/// Fits; `tick` hears after each iteration.
pub fn fit(problem: &Problem<'_>, tick: &mut dyn FnMut()) -> Linear {
    let mut work = Work::new(problem, kernel::best());
    let mut x = vec![0f32; work.size()];
    let mut gradient = x.clone();
    let mut loss = work.loss(&x, &mut gradient);
    let first = norm(&gradient);
    let mut steps: Vec<(Vec<f32>, Vec<f32>, f64)> = Vec::new();
    let (mut next, mut next_gradient) = (x.clone(), gradient.clone());
    for iteration in 0..problem.iterations {
        if norm(&gradient) <= SMALL * first.max(1e-12) {
            break;
        }
        let direction = direction(&gradient, &steps);
        let slope = dot64(&direction, &gradient);
        // no memory yet: a first step of length one
        let mut length = if iteration == 0 { 1.0 / first.max(1e-12) } else { 1.0 };
        let mut accepted = false;
        for _ in 0..20 {
            for ((n, x), d) in next.iter_mut().zip(&x).zip(&direction) {
                *n = x + length as f32 * d;
            }
            let tried = work.loss(&next, &mut next_gradient);
            if tried <= loss + 1e-4 * length * slope {
                loss = tried;
                accepted = true;
                break;
            }
            length *= 0.5;
        }
        if !accepted {
            break; // as near to the bottom as f32 can tell
        }
        let moved: Vec<f32> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let turned: Vec<f32> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot64(&moved, &turned);
        if curvature > 1e-12 {
            if steps.len() == MEMORY {
                steps.remove(0);
            }
            steps.push((moved, turned, 1.0 / curvature));
        }
        std::mem::swap(&mut x, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        tick();
    }
    work.linear(&x)
}

/// A problem with what computing its loss needs. The unknowns lie with the classes side by side, in lines of sixteen: a
/// row of factors for each number of an example, then the biases.
struct Work<'a> {
    problem: &'a Problem<'a>,
    kernel: &'static dyn Kernel,
    /// Lines in a row of classes.
    lines: usize,
    scores: Vec<[f32; 16]>,
}

impl<'a> Work<'a> {
    fn new(problem: &'a Problem<'a>, kernel: &'static dyn Kernel) -> Self {
        let lines = problem.classes.div_ceil(16);
        Self { problem, kernel, lines, scores: vec![[0.0; 16]; BLOCK * lines] }
    }

    /// How many unknowns, with those that pad the lines and stay 0.
    fn size(&self) -> usize {
        (self.problem.width + 1) * self.lines * 16
    }

    /// Mean loss with decay, and its gradient.
    fn loss(&mut self, x: &[f32], gradient: &mut [f32]) -> f64 {
        let Problem { rows, width, labels, weights, classes, decay, .. } = *self.problem;
        let lines = self.lines;
        gradient.fill(0.0);
        let (x_lines, _) = x.as_chunks::<16>();
        let (factors, biases) = x_lines.split_at(width * lines);
        let (gradient_lines, _) = gradient.as_chunks_mut::<16>();
        let (of_factors, of_biases) = gradient_lines.split_at_mut(width * lines);
        let (mut loss, mut total) = (0f64, 0f64);
        for (b, (values, labels)) in rows.chunks(BLOCK * width).zip(labels.chunks(BLOCK)).enumerate() {
            let count = labels.len();
            let scores = &mut self.scores[..count * lines];
            scores.chunks_exact_mut(lines).for_each(|row| row.copy_from_slice(biases));
            let block = Strided { values, rows: count, depth: width, down: width, next: 1 };
            self.kernel.combine(block, factors, scores);
            self.kernel.softmax(scores, classes);
            // from probabilities to errors
            for (n, (row, label)) in scores.chunks_exact_mut(lines).zip(labels).enumerate() {
                let (row, label) = (row.as_flattened_mut(), *label as usize);
                let weight = weights.map_or(1.0, |w| w[b * BLOCK + n]);
                loss -= f64::from(weight) * f64::from(row[label]).ln();
                total += f64::from(weight);
                row[label] -= 1.0;
                row.iter_mut().for_each(|error| *error *= weight);
            }
            let turned = Strided { values, rows: width, depth: count, down: 1, next: width };
            self.kernel.combine(turned, scores, of_factors);
            let ones = Strided { values: &[1.0], rows: 1, depth: count, down: 0, next: 0 };
            self.kernel.combine(ones, scores, of_biases);
        }
        let (scale, mut square) = (1.0 / total.max(1e-12), 0f64);
        let factors = width * lines * 16;
        gradient.iter_mut().for_each(|g| *g *= scale as f32);
        for (g, w) in gradient.iter_mut().zip(&x[..factors]) {
            *g += decay * w;
            square += f64::from(*w) * f64::from(*w);
        }
        loss * scale + 0.5 * f64::from(decay) * square
    }

    /// The unknowns, class by class.
    fn linear(&self, x: &[f32]) -> Linear {
        let (width, stride) = (self.problem.width, self.lines * 16);
        let values = (0..self.problem.classes).flat_map(|class| (0..=width).map(move |n| x[n * stride + class]));
        Linear { width, values: values.collect() }
    }
}

/// The two loops of L-BFGS: where to go from here.
fn direction(gradient: &[f32], steps: &[(Vec<f32>, Vec<f32>, f64)]) -> Vec<f32> {
    let mut q: Vec<f32> = gradient.iter().map(|g| -g).collect();
    let mut factors = Vec::with_capacity(steps.len());
    for (moved, turned, rho) in steps.iter().rev() {
        let a = rho * dot64(moved, &q);
        q.iter_mut().zip(turned).for_each(|(q, t)| *q -= a as f32 * t);
        factors.push(a);
    }
    if let Some((_, turned, rho)) = steps.last() {
        let scale = 1.0 / (rho * dot64(turned, turned)).max(1e-12);
        q.iter_mut().for_each(|q| *q *= scale as f32);
    }
    for ((moved, turned, rho), a) in steps.iter().zip(factors.iter().rev()) {
        let b = rho * dot64(turned, &q);
        q.iter_mut().zip(moved).for_each(|(q, m)| *q += (a - b) as f32 * m);
    }
    q
}

/// Eight sums side by side, so that the compiler may use vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in left.zip(right) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}

fn dot64(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot64(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_that_calculus_finds() {
        // one feature that is always 1: the probabilities must become the shares of the classes
        let (rows, labels) = (vec![1f32; 10], [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]);
        let problem =
            Problem { rows: &rows, width: 1, labels: &labels, weights: None, classes: 3, decay: 1e-6, iterations: 200 };
        let mut p = fit(&problem, &mut || ()).logits(&[1.0]);
        softmax(&mut p);
        for (p, share) in p.iter().zip([0.5, 0.3, 0.2]) {
            assert!((p - share).abs() < 0.01, "{p} {share}");
        }
    }

    #[test]
    fn every_kernel_finds_the_same_bits() {
        // three clouds, more rows than a block, weights, and a class that pads a line
        let labels: Vec<u32> = (0..BLOCK as u32 + 30).map(|n| n % 3).collect();
        let rows: Vec<f32> = (0..labels.len() * 5).map(|n| ((n * n) % 17) as f32 / 17.0 + (n / 5 % 3) as f32).collect();
        let weights: Vec<f32> = labels.iter().map(|l| 1.0 + *l as f32).collect();
        let weights = Some(&weights[..]);
        let problem =
            Problem { rows: &rows, width: 5, labels: &labels, weights, classes: 3, decay: 0.01, iterations: 1 };
        let look = |kernel| {
            let (x, mut gradient) = (
                (0..96u8).map(|n| f32::from(u8::from(n % 16 < 3)) * f32::from(n) / 96.0).collect::<Vec<_>>(),
                vec![0.0; 96],
            );
            let loss = Work::new(&problem, kernel).loss(&x, &mut gradient);
            (loss.to_bits(), gradient.iter().map(|g| g.to_bits()).collect::<Vec<_>>())
        };
        let all = kernel::available();
        let want = look(*all.last().unwrap());
        for kernel in all {
            assert_eq!(look(kernel), want, "{}", kernel.name());
        }
    }

    #[test]
    fn the_gradient_is_the_slope() {
        let rows = [0.3, -0.2, 0.8, 0.1, -0.5, 0.4];
        let (labels, weights) = ([0, 1, 1], [1.0, 0.5, 2.0]);
        let weights = Some(&weights[..]);
        let problem =
            Problem { rows: &rows, width: 2, labels: &labels, weights, classes: 2, decay: 0.1, iterations: 1 };
        // two factors a class, and a bias
        let (mut work, mut x) = (Work::new(&problem, kernel::best()), [0f32; 48]);
        for (n, value) in [0.2, -0.4, 0.1, 0.5, 0.3, -0.2].into_iter().enumerate() {
            x[n / 2 * 16 + n % 2] = value;
        }
        let mut gradient = [0f32; 48];
        work.loss(&x, &mut gradient);
        for i in 0..48 {
            if i % 16 > 1 {
                assert_eq!(gradient[i], 0.0, "{i} only pads");
                continue;
            }
            let (mut up, mut down, mut waste) = (x, x, [0f32; 48]);
            up[i] += 1e-3;
            down[i] -= 1e-3;
            let slope = (work.loss(&up, &mut waste) - work.loss(&down, &mut waste)) / 2e-3;
            assert!((slope - f64::from(gradient[i])).abs() < 1e-3, "{i}: {slope} {}", gradient[i]);
        }
    }
}
