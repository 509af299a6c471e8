//! The reliability plot: of the guesses with probability p, which share is right? A calibrated robot is on the diagonal.

use std::fmt::Write as _;

use crate::nlu::intent::eval::Bin;

/// For a terminal: a bar for each tenth, with a mark where it should end.
pub fn text(bins: &[Bin]) -> String {
    const WIDTH: usize = 40;
    let mut out = String::from("PROBABILITY  RIGHT (│ where it should end)");
    for (n, bin) in bins.iter().enumerate() {
        let (from, to) = (n * 100 / bins.len(), (n + 1) * 100 / bins.len());
        let range = format!("{from}-{to} %");
        // shares are between 0 and 1
        let (filled, mark) = ((bin.right * WIDTH as f32) as usize, (bin.p * WIDTH as f32) as usize);
        let bar: String = (0..=WIDTH)
            .map(|k| match k {
                k if k == mark && bin.texts > 0 => '│',
                k if k < filled => '█',
                _ => ' ',
            })
            .collect();
        let told = if bin.texts > 0 { format!("{:3.0} % of {}", bin.right * 100.0, bin.texts) } else { "-".into() };
        // writing into a string doesn't fail
        let _ = write!(out, "\n{range:>11}  {bar} {told}");
    }
    out
}

/// The plot as SVG.
pub fn svg(bins: &[Bin]) -> String {
    let (size, left) = (300.0, 45.0);
    let y = |share: f32| 15.0 + size * (1.0 - share);
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 370 370\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <title>Reliability</title>\n<rect width=\"370\" height=\"370\" fill=\"#fff\"/>\n",
    );
    // writing into a string doesn't fail
    for (n, bin) in bins.iter().enumerate().filter(|(_, b)| b.texts > 0) {
        let width = size / bins.len() as f32;
        let (x, top) = (left + n as f32 * width, y(bin.right));
        let (height, middle) = (size * bin.right, x + width / 2.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#4a7bd0\">\
             <title>{:.0} % of {} right at {:.0} %</title></rect>\
             <circle cx=\"{middle:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"#c33\"/>",
            width - 2.0,
            bin.right * 100.0,
            bin.texts,
            bin.p * 100.0,
            y(bin.p)
        );
    }
    let (right, bottom) = (left + size, y(0.0));
    let _ = writeln!(
        out,
        "<path d=\"M{left} {bottom}L{right} {}\" stroke=\"#888\" stroke-dasharray=\"4\"/>\
         <path d=\"M{left} {}V{bottom}H{right}\" fill=\"none\" stroke=\"#000\"/>",
        y(1.0),
        y(1.0)
    );
    for percent in [0u8, 25, 50, 75, 100] {
        let share = f32::from(percent) / 100.0;
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{percent}</text>\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{percent}</text>",
            left - 6.0,
            y(share) + 4.0,
            left + size * share,
            bottom + 16.0
        );
    }
    out + "<text x=\"195\" y=\"355\" text-anchor=\"middle\">probability, %</text>\
        <text transform=\"translate(14 165) rotate(-90)\" text-anchor=\"middle\">right, %</text>\n</svg>\n"
}
