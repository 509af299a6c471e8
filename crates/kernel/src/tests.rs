//! Every kernel this processor can run against the portable one, bit for bit, and the portable one against arithmetic in
//! f64 and i64.

use proptest::prelude::*;

use super::*;

/// Numbers that look like activations: mostly near 1, some far out, some zero.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut one = || {
        let bits = next();
        let unit = (bits >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        match bits % 64 {
            0 => unit * 30.0,
            1 => 0.0,
            _ => unit * 2.0,
        }
    };
    (0..count).map(|_| one()).collect()
}

fn rows_of(seed: u64, rows: usize, width: usize, slack: usize) -> Rows {
    let mut to = Rows::new(width, slack);
    to.reserve(rows);
    let values = numbers(seed, rows * width);
    for n in 0..rows {
        to.view_mut().row_mut(n).copy_from_slice(&values[n * width..][..width]);
    }
    to
}

fn bits(rows: &Rows, count: usize) -> Vec<u32> {
    let view = rows.view();
    view.values[..count * view.stride].iter().map(|x| x.to_bits()).collect()
}

struct Matrix {
    codes: Vec<i8>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

fn matrix(seed: u64, inputs: usize, outputs: usize) -> Matrix {
    let codes = numbers(seed, inputs * outputs).iter().map(|x| (x * 63.0).clamp(-127.0, 127.0) as i8).collect();
    let scales = numbers(seed + 1, outputs).iter().map(|x| x.abs() * 1e-3).collect();
    Matrix { codes, scales, bias: numbers(seed + 2, outputs) }
}

fn product(kernel: &dyn Kernel, input: &Rows, rows: usize, m: &Matrix, then: Activation) -> Rows {
    let mut packed = Packed::empty(input.view().width, kernel.offset());
    for (codes, (scale, bias)) in m.codes.chunks_exact(packed.inputs()).zip(m.scales.iter().zip(&m.bias)) {
        packed.push(codes, *scale, *bias);
    }
    let mut codes = CodeRows::new(input.view().width);
    codes.reserve(rows);
    kernel.quantise(input.view(), rows, &mut codes);
    let mut out = Rows::new(packed.outputs(), 0);
    out.reserve(rows);
    kernel.product(&codes, rows, &packed, then, out.view_mut());
    out
}

fn attention(kernel: &dyn Kernel, heads: Heads, qkv: &Rows, texts: &[usize]) -> Rows {
    let rows = texts.iter().sum();
    let mut out = Rows::new(heads.count * heads.width, SLACK);
    out.reserve(rows);
    let (mut first, mut work) = (0, Workspace::default());
    for tokens in texts {
        kernel.attention(heads, qkv.view(), first, *tokens, out.view_mut(), &mut work);
        first += tokens;
    }
    out
}

/// Widths of this and other BERTs, and odd ones.
fn width() -> impl Strategy<Value = usize> {
    prop_oneof![Just(256usize), Just(312), Just(384), Just(128), 1usize..200]
}

fn heads() -> impl Strategy<Value = Heads> {
    prop_oneof![Just((12usize, 26usize)), Just((8, 32)), Just((12, 32)), Just((4, 64)), (1usize..6, 1usize..40)]
        .prop_map(|(count, width)| Heads { count, width })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn products_are_the_same_bits_on_every_kernel(
        seed: u64, rows in 1usize..=128, inputs in width(), outputs in width(), gelu: bool,
    ) {
        let then = if gelu { Activation::Gelu } else { Activation::Nothing };
        let (input, m) = (rows_of(seed, rows, inputs, 0), matrix(seed ^ 1, inputs, outputs));
        let want = bits(&product(&portable::Portable, &input, rows, &m, then), rows);
        for kernel in available() {
            prop_assert!(bits(&product(kernel, &input, rows, &m, then), rows) == want, "{}", kernel.name());
        }
    }

    #[test]
    fn attention_is_the_same_bits_on_every_kernel(
        seed: u64, heads in heads(), texts in prop::collection::vec(1usize..=40, 1..4),
    ) {
        let rows = texts.iter().sum();
        let qkv = rows_of(seed, rows, 3 * heads.count * heads.width, SLACK);
        let want = bits(&attention(&portable::Portable, heads, &qkv, &texts), rows);
        for kernel in available() {
            prop_assert!(bits(&attention(kernel, heads, &qkv, &texts), rows) == want, "{}", kernel.name());
        }
    }

    #[test]
    fn float_products_and_softmax_are_the_same_bits_on_every_kernel(
        seed: u64, rows in 1usize..40, depth in 1usize..80, width in 1usize..60, turned: bool,
    ) {
        let (values, lines) = (numbers(seed, rows * depth), width.div_ceil(16));
        let (down, next) = if turned { (1, rows) } else { (depth, 1) };
        let run = |kernel: &dyn Kernel| {
            let a = Strided { values: &values, rows, depth, down, next };
            let (b, mut out) = (in_lines(&numbers(seed ^ 5, depth * lines * 16)), vec![[0.5; 16]; rows * lines]);
            kernel.combine(a, &b, &mut out);
            let product: Vec<u32> = out.as_flattened().iter().map(|x| x.to_bits()).collect();
            kernel.softmax(&mut out, width);
            (product, out.as_flattened().iter().map(|x| x.to_bits()).collect::<Vec<_>>())
        };
        let want = run(&portable::Portable);
        for kernel in available() {
            prop_assert!(run(kernel) == want, "{}", kernel.name());
        }
    }

    #[test]
    fn norms_and_codes_are_the_same_bits_on_every_kernel(
        seed: u64, rows in 1usize..=40, width in width(), with_residual: bool,
    ) {
        let norm = Affine::new(&numbers(seed ^ 2, width), &numbers(seed ^ 3, width), 1e-12);
        let residual = rows_of(seed ^ 4, rows, width, 0);
        let run = |kernel: &dyn Kernel| {
            let (mut x, mut codes) = (rows_of(seed, rows, width, 0), CodeRows::new(width));
            codes.reserve(rows);
            kernel.add_norm(x.view_mut(), with_residual.then(|| residual.view()), rows, &norm, Some(&mut codes));
            let signed: Vec<Vec<u8>> = (0..rows)
                .map(|n| codes.row_mut(n).0[..width].iter().map(|b| b.wrapping_sub(kernel.offset())).collect())
                .collect();
            let scales: Vec<u32> = codes.scales.iter().map(|s| s.to_bits()).collect();
            (bits(&x, rows), signed, scales)
        };
        let want = run(&portable::Portable);
        for kernel in available() {
            prop_assert!(run(kernel) == want, "{}", kernel.name());
        }
    }
}

#[test]
fn products_are_exact_sums_of_codes() {
    let (rows, inputs, outputs) = (5, 1248, 70);
    let (input, m) = (rows_of(7, rows, inputs, 0), matrix(8, inputs, outputs));
    let mut codes = CodeRows::new(inputs);
    codes.reserve(rows);
    portable::Portable.quantise(input.view(), rows, &mut codes);
    let out = product(&portable::Portable, &input, rows, &m, Activation::Nothing);
    for n in 0..rows {
        let (bytes, scale) = codes.row_mut(n);
        let most = input.view().row(n).iter().fold(0f32, |most, x| most.max(x.abs()));
        assert_eq!(*scale, most / 127.0);
        for (x, byte) in input.view().row(n).iter().zip(&*bytes) {
            assert!((f32::from(*byte as i8) * *scale - x).abs() <= *scale * 0.501);
        }
        for output in 0..outputs {
            let row = &m.codes[output * inputs..][..inputs];
            let sum: i64 = row.iter().zip(&*bytes).map(|(w, x)| i64::from(*w) * i64::from(*x as i8)).sum();
            assert_eq!(out.view().row(n)[output], sum as f32 * (*scale * m.scales[output]) + m.bias[output]);
        }
    }
}

fn in_lines(numbers: &[f32]) -> Vec<[f32; 16]> {
    numbers.as_chunks::<16>().0.to_vec()
}

#[test]
fn float_products_add_up_and_softmax_sums_to_one() {
    let (rows, depth, lines, width) = (13, 21, 2, 23);
    let (values, b) = (numbers(1, rows * depth), in_lines(&numbers(2, depth * lines * 16)));
    for (down, next) in [(depth, 1), (1, rows)] {
        let mut out = vec![[1.0; 16]; rows * lines];
        portable::Portable.combine(Strided { values: &values, rows, depth, down, next }, &b, &mut out);
        for (n, row) in out.chunks_exact(lines).enumerate() {
            for (c, found) in row.as_flattened().iter().enumerate() {
                let product =
                    |k: usize| f64::from(values[n * down + k * next]) * f64::from(b.as_flattened()[k * lines * 16 + c]);
                let want = 1.0 + (0..depth).map(product).sum::<f64>();
                assert!((f64::from(*found) - want).abs() < 1e-3, "{found} for {want}");
            }
        }
        let scores = out.clone();
        portable::Portable.softmax(&mut out, width);
        for (scores, p) in scores.chunks_exact(lines).zip(out.chunks_exact(lines)) {
            let (scores, p) = (scores.as_flattened(), p.as_flattened());
            let most = scores[..width].iter().copied().fold(f32::MIN, f32::max);
            let sum: f64 = scores[..width].iter().map(|z| f64::from(z - most).exp()).sum();
            for (z, p) in scores[..width].iter().zip(p) {
                assert!((f64::from(*p) - f64::from(z - most).exp() / sum).abs() < 1e-6);
                assert!(*p > 0.0, "its logarithm is asked for");
            }
            assert!(p[width..].iter().all(|p| *p == 0.0));
        }
    }
}

#[test]
#[should_panic(expected = "a matrix within its numbers")]
fn a_float_product_reads_nothing_beyond_its_numbers() {
    let a = Strided { values: &[0.0; 11], rows: 3, depth: 4, down: 4, next: 1 };
    portable::Portable.combine(a, &[[0.0; 16]; 4], &mut [[0.0; 16]; 3]);
}

#[test]
fn packed_outputs_are_those_that_were_pushed() {
    for inputs in [1, 30, 64] {
        let mut packed = Packed::empty(inputs, 128);
        let row = |n: usize| (0..inputs).map(|i| (n * 7 + i * 13) as u8 as i8).collect::<Vec<_>>();
        for n in 0..70 {
            packed.push(&row(n), n as f32, 0.0);
        }
        assert!((0..70).all(|n| packed.output(n) == (row(n), n as f32)), "{inputs}");
    }
}

#[test]
fn attention_is_softmax_of_scores_times_values() {
    let (heads, tokens) = (Heads { count: 3, width: 26 }, 17);
    let hidden = heads.count * heads.width;
    let qkv = rows_of(9, tokens, 3 * hidden, SLACK);
    let out = attention(&portable::Portable, heads, &qkv, &[tokens]);
    let at = |token: usize, column: usize| f64::from(qkv.view().row(token)[column]);
    for head in 0..heads.count {
        let columns = head * heads.width..(head + 1) * heads.width;
        for i in 0..tokens {
            let scores: Vec<f64> = (0..tokens)
                .map(|j| columns.clone().map(|c| at(i, c) * at(j, hidden + c)).sum::<f64>() / 26f64.sqrt())
                .collect();
            let most = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for c in columns.clone() {
                let want: f64 = (0..tokens).map(|j| weights[j] / sum * at(j, 2 * hidden + c)).sum();
                let found = f64::from(out.view().row(i)[c]);
                assert!((found - want).abs() < 1e-4 * want.abs().max(1.0), "{found} for {want}");
            }
        }
    }
}

#[test]
fn a_norm_has_mean_zero_and_variance_one_and_clean_padding() {
    let width = 312;
    let mut x = rows_of(3, 2, width, 0);
    let norm = Affine::new(&vec![1.0; width], &vec![0.0; width], 1e-12);
    portable::Portable.add_norm(x.view_mut(), None, 2, &norm, None);
    for n in 0..2 {
        let row = x.view().row(n);
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64;
        let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / width as f64;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
    }
    let view = x.view();
    assert!(view.values[width..view.stride].iter().all(|x| *x == 0.0));
}

/// `f` of sixteen numbers at a time.
fn in_lanes(numbers: &[f32], f: impl Fn([f32; 16]) -> [f32; 16]) -> Vec<f32> {
    numbers.chunks_exact(16).flat_map(|c| f(std::array::from_fn(|i| c[i]))).collect()
}

#[test]
fn exp_is_exact_to_two_in_the_last_place() {
    let x: Vec<f32> = (0..200_000).map(|i| -87.0 * i as f32 / 200_000.0).collect();
    for (x, found) in x.iter().zip(in_lanes(&x, |x| math::exp(portable::Portable, x))) {
        let want = f64::from(*x).exp();
        assert!(((f64::from(found) - want) / want).abs() < 2.4e-7, "e^{x} is {want}, not {found}");
    }
    assert!(math::exp(portable::Portable, [f32::MIN; 16])[0] < 1e-37);
}

#[test]
fn gelu_is_half_x_times_one_plus_erf() {
    // the Taylor series of erf in f64, good to 1e-13 for |x| < 4; beyond, erf is ±1 to f32
    let erf = |x: f64| {
        let (mut term, mut sum) = (x, x);
        for n in 1..120 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    };
    let x: Vec<f32> = (-80_000..80_000).map(|i| i as f32 / 10_000.0).collect();
    for (x, found) in x.iter().zip(in_lanes(&x, |x| math::gelu(portable::Portable, x))) {
        let wide = f64::from(*x);
        let z = wide / std::f64::consts::SQRT_2;
        let want = wide / 2.0 * (1.0 + if z.abs() < 4.0 { erf(z) } else { z.signum() });
        assert!((f64::from(found) - want).abs() < 5e-7 * wide.abs().max(1.0), "gelu({x}) is {want}, not {found}");
    }
}

#[test]
fn rows_of_zeros_and_of_the_smallest_numbers_have_codes_of_zero() {
    for value in [0.0, f32::MIN_POSITIVE, 1e-40] {
        for kernel in available() {
            let (mut x, mut codes) = (Rows::new(48, 0), CodeRows::new(48));
            x.reserve(1);
            codes.reserve(1);
            x.view_mut().row_mut(0).fill(value);
            kernel.quantise(x.view(), 1, &mut codes);
            let (bytes, scale) = codes.row_mut(0);
            assert!(*scale == 0.0 && bytes[..48].iter().all(|b| *b == kernel.offset()), "{}", kernel.name());
        }
    }
}

/// Processors of other kinds can't be asked here, so their common answer is written down: the same on x86-64 and ARM64.
#[test]
fn the_bits_are_those_of_every_other_architecture() {
    const BITS: u64 = 13_571_181_997_450_016_503;
    for kernel in available() {
        let (rows, width) = (11, 312);
        let heads = Heads { count: 12, width: 26 };
        let qkv = product(kernel, &rows_of(1, rows, width, 0), rows, &matrix(2, width, 3 * width), Activation::Gelu);
        let mut wide = Rows::new(3 * width, SLACK);
        wide.reserve(rows);
        for n in 0..rows {
            wide.view_mut().row_mut(n).copy_from_slice(qkv.view().row(n));
        }
        let mut x = attention(kernel, heads, &wide, &[4, 7]);
        let norm = Affine::new(&numbers(3, width), &numbers(4, width), 1e-12);
        kernel.add_norm(x.view_mut(), None, rows, &norm, None);
        // FNV-1a
        let hash = bits(&x, rows)
            .iter()
            .flat_map(|b| b.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        assert_eq!(hash, BITS, "{}", kernel.name());
    }
}
