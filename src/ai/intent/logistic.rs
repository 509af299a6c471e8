//! Multinomial logistic regression by L-BFGS over all rows. Deterministic: one thread, sums in order.

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

/// Fits; `tick` hears after each iteration.
pub fn fit(problem: &Problem<'_>, tick: &mut dyn FnMut()) -> Linear {
    let size = problem.classes * (problem.width + 1);
    let mut x = vec![0f32; size];
    let mut gradient = vec![0f32; size];
    let mut loss = problem.loss(&x, &mut gradient);
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
            let tried = problem.loss(&next, &mut next_gradient);
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
    Linear { width: problem.width, values: x }
}

impl Problem<'_> {
    /// Mean loss with decay, and its gradient.
    fn loss(&self, x: &[f32], gradient: &mut [f32]) -> f64 {
        let (width, stride) = (self.width, self.width + 1);
        gradient.fill(0.0);
        let (mut loss, mut total) = (0f64, 0f64);
        let mut p = vec![0f32; self.classes];
        for (n, (row, label)) in self.rows.chunks_exact(width).zip(self.labels).enumerate() {
            let weight = self.weights.map_or(1.0, |w| w[n]);
            for (z, w) in p.iter_mut().zip(x.chunks_exact(stride)) {
                *z = dot(&w[..width], row) + w[width];
            }
            let own = p[*label as usize];
            loss += f64::from(weight) * f64::from(softmax(&mut p) - own);
            total += f64::from(weight);
            p[*label as usize] -= 1.0;
            for (error, g) in p.iter().zip(gradient.chunks_exact_mut(stride)) {
                let error = error * weight;
                g[..width].iter_mut().zip(row).for_each(|(g, x)| *g += error * x);
                g[width] += error;
            }
        }
        let (scale, mut square) = (1.0 / total.max(1e-12), 0f64);
        for (w, g) in x.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)) {
            for (w, g) in w[..width].iter().zip(g.iter_mut()) {
                *g = *g * scale as f32 + self.decay * w;
                square += f64::from(*w) * f64::from(*w);
            }
            g[width] *= scale as f32;
        }
        loss * scale + 0.5 * f64::from(self.decay) * square
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
    fn the_gradient_is_the_slope() {
        let rows = [0.3, -0.2, 0.8, 0.1, -0.5, 0.4];
        let (labels, weights) = ([0, 1, 1], [1.0, 0.5, 2.0]);
        let weights = Some(&weights[..]);
        let problem =
            Problem { rows: &rows, width: 2, labels: &labels, weights, classes: 2, decay: 0.1, iterations: 1 };
        let x = [0.2, -0.4, 0.1, 0.5, 0.3, -0.2];
        let mut gradient = [0f32; 6];
        problem.loss(&x, &mut gradient);
        for i in 0..6 {
            let (mut up, mut down, mut waste) = (x, x, [0f32; 6]);
            up[i] += 1e-3;
            down[i] -= 1e-3;
            let slope = (problem.loss(&up, &mut waste) - problem.loss(&down, &mut waste)) / 2e-3;
            assert!((slope - f64::from(gradient[i])).abs() < 1e-3, "{i}: {slope} {}", gradient[i]);
        }
    }
}
