//! `cargo run -p kefu-fuzz -- [SECONDS] [TARGET]`: mutates seeds and prints the bytes on which a target panics or takes long. Those
//! bytes go to `fuzz/corpus/TARGET/`, which the tests replay from then on.

use std::{
    fs,
    panic::catch_unwind,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use kefu_fuzz::{
    TARGETS,
    mutate::{Random, mutated},
};

/// An input that takes longer than this is reported, too.
const SLOW: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or(60);
    let only = words.next();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seed = now.as_nanos() as u64;
    println!("seed {seed}");
    let mut found = 0;
    for target in TARGETS.iter().filter(|target| only.as_ref().is_none_or(|only| only == target.name)) {
        let (seeds, mut random) = ((target.seeds)(), Random::new(seed));
        let (begin, mut runs, mut faults) = (Instant::now(), 0u64, 0);
        while begin.elapsed() < Duration::from_secs(seconds) && faults < 10 {
            let (a, b) = (random.below(seeds.len()), random.below(seeds.len()));
            let input = mutated(&seeds[a], &seeds[b], &mut random);
            let started = Instant::now();
            let ended = catch_unwind(|| (target.run)(&input));
            runs += 1;
            if ended.is_err() || started.elapsed() > SLOW {
                faults += 1;
                let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
                let path = dir.join(format!("{seed}-{runs}"));
                let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, &input));
                println!("{}: fault kept in {} ({written:?})", target.name, path.display());
            }
        }
        println!("{}: {runs} inputs in {:.0} s, {faults} faults", target.name, begin.elapsed().as_secs_f32());
        found += faults;
    }
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
