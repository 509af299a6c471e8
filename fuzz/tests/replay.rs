//! Every seed, everything in `corpus/`, and some hundred changed inputs, always the same ones, pass through each target.

use std::{fs, path::Path};

use kefu_fuzz::{
    TARGETS,
    mutate::{Random, mutated},
};

#[test]
fn no_target_panics_on_what_is_known() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        let kept = fs::read_dir(kept).into_iter().flatten().map(|file| fs::read(file.unwrap().path()).unwrap());
        let mut random = Random::new(1);
        let changed = (0..300).map(|n| mutated(&seeds[n % seeds.len()], &seeds[0], &mut random));
        seeds.iter().cloned().chain(kept).chain(changed).for_each(|input| (target.run)(&input));
    }
}

#[test]
fn the_same_seed_makes_the_same_changes() {
    let twice = [7, 7].map(|seed| mutated(b"{\"t\":\"ping\"}", b"other", &mut Random::new(seed)));
    assert_eq!(twice[0], twice[1]);
    assert_ne!(twice[0], mutated(b"{\"t\":\"ping\"}", b"other", &mut Random::new(8)));
}
