//! A head from end to end, with a bag of characters for a model.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::{
    train::{ANCHORS, cover},
    *,
};
use crate::embed::{Embed as _, Fingerprint, testing::*};

fn set() -> Examples {
    let mut examples = Examples::default();
    let intents = [
        "return goods please",
        "where is my parcel",
        "open an invoice",
        "change the password",
        "buy cheaper",
        "talk to a person",
    ];
    for (n, base) in intents.iter().enumerate() {
        for k in 0..8 {
            let extra = ["", " now", " thanks", " hello", "!", " again", " asap", " today"][k];
            examples.push(&format!("{base}{extra}"), &format!("intent{n}"), (String::new(), 0));
        }
    }
    examples
}

fn trained(examples: Examples) -> IntentClassifier {
    train(examples, &mut bags(2), &mut |_| ()).unwrap()
}

fn head() -> &'static IntentClassifier {
    static HEAD: OnceLock<IntentClassifier> = OnceLock::new();
    HEAD.get_or_init(|| trained(set()))
}

#[test]
fn it_learns_and_shows_the_nearest_examples() {
    let head = head();
    let vector = Bag(64).embed("where is my parcel please").unwrap();
    let guess = head.predict(&vector);
    assert_eq!(head.intents[guess.intents[0].0].0, "intent1");
    let near = head.near(&vector, 3);
    assert_eq!((near.len(), near[0].intent.as_str()), (3, "intent1"));
    assert!(near[0].cosine >= near[1].cosine);
    assert!(head.summary.accuracy > 0.9, "{:?}", head.summary);
    let stranger = head.predict(&Bag(64).embed("量子力学的历史").unwrap());
    assert!(stranger.out_of_scope > guess.out_of_scope);
}

#[test]
fn neither_order_nor_repetition_matters() {
    let mut backwards = set();
    backwards.list.reverse();
    let again = backwards.list[3].clone();
    backwards.list.push(again);
    assert_eq!(*head(), trained(backwards));
}

#[test]
fn examples_out_of_scope_are_rejected_but_never_guessed() {
    let mut examples = set();
    for n in 0..30 {
        examples.push(&format!("天气{n}怎么样"), OUT_OF_SCOPE, (String::new(), 0));
    }
    let head = trained(examples);
    assert!(head.intents.iter().all(|(name, _)| name != OUT_OF_SCOPE));
    assert!(head.predict(&Bag(64).embed("天气99怎么样").unwrap()).out_of_scope > 0.8);
    assert!(head.predict(&Bag(64).embed("open an invoice").unwrap()).out_of_scope < 0.3);
    assert_eq!(head.near(&Bag(64).embed("天气5怎么样").unwrap(), 1)[0].intent, OUT_OF_SCOPE);
    assert!(head.summary.outside_recall > 0.9, "{:?}", head.summary);
}

#[test]
fn of_many_examples_all_teach_and_some_stay_for_comparison() {
    let mut examples = set();
    for n in 0..300 {
        examples.push(&format!("where is parcel {n}"), "intent1", (String::new(), 0));
    }
    let head = trained(examples);
    assert_eq!(head.examples(), 348);
    let of_class = |class| head.anchors.iter().filter(|n| head.examples.class(**n as usize) == class).count();
    assert_eq!((of_class(0), of_class(1), head.rows.len()), (8, ANCHORS, 5 * 8 + ANCHORS));
    let read = IntentClassifier::from_bytes(&head.to_bytes()).unwrap();
    assert_eq!(read, head);
    assert_eq!(head.to_examples().list.len(), 348, "another training learns from all");
}

#[test]
fn the_chosen_of_a_class_cover_it() {
    // three clouds of 50, 6 and 4, each around an axis of its own
    let cloud = |axis: usize, count: usize| {
        (0..count).map(move |n| {
            let small = 0.02 * n as f32 / count as f32;
            let mut vector = [small; 8];
            vector[axis] = 1.0 - small;
            vector
        })
    };
    let vectors: Vec<[f32; 8]> = cloud(0, 50).chain(cloud(1, 6)).chain(cloud(2, 4)).collect();
    let chosen = cover(vectors.iter().map(|v| &v[..]), 8, 3);
    let mut clouds: Vec<usize> = chosen.iter().map(|n| [50, 56, 60].partition_point(|end| end <= n)).collect();
    clouds.sort_unstable();
    assert_eq!(clouds, [0, 1, 2], "{chosen:?}");
    assert_eq!(cover(vectors[..3].iter().map(|v| &v[..]), 8, 3), [0, 1, 2], "all, if there are no more");
    let same = vec![vectors[0]; 9];
    assert_eq!(cover(same.iter().map(|v| &v[..]), 8, 3).len(), 1, "one of equals");
}

#[test]
fn what_cannot_be_learned_is_refused_with_the_report() {
    let mut examples = Examples::default();
    examples.push("a", "x", (String::new(), 0));
    let Err(TrainError::Examples(_, report)) = train(examples, &mut bags(1), &mut |_| ()) else { panic!("trained") };
    assert!(report.errors() >= 2);
}

#[test]
fn progress_comes_to_its_end() {
    let (mut embedded, mut fitted) = (0, (0, 1));
    let mut hear = |p| match p {
        Progress::Embedding { done, total } => embedded = total - done,
        Progress::Fitting { done, total } => fitted = (done, total),
    };
    train(set(), &mut bags(2), &mut hear).unwrap();
    assert_eq!((embedded, fitted.0), (0, fitted.1));
}

#[test]
fn a_head_survives_its_file_and_serves_one_model_only() {
    let bytes = head().to_bytes();
    let model = Fingerprint::of(&mut Bag(64)).unwrap();
    assert_eq!(IntentClassifier::for_model(&bytes, model).as_ref(), Ok(head()));
    let other = Fingerprint::of(&mut Bag(32)).unwrap();
    assert!(matches!(IntentClassifier::for_model(&bytes, other), Err(ClassifierError::Model { .. })));
    assert_eq!(IntentClassifier::from_bytes(b"text,intent"), Err(ClassifierError::Kind));
    let mut later = bytes.clone();
    later[8] = 9;
    assert_eq!(IntentClassifier::from_bytes(&later), Err(ClassifierError::Version(9)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn probabilities_sum_to_one(text in "\\PC{0,40}") {
        let guess = head().predict(&Bag(64).embed(&text).unwrap());
        let sum = guess.out_of_scope + guess.intents.iter().map(|(_, p)| p).sum::<f32>();
        prop_assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        prop_assert!(guess.intents.iter().all(|(_, p)| (0.0..=1.0).contains(p)));
        prop_assert!(guess.intents.windows(2).all(|w| w[0].1 >= w[1].1));
    }

    #[test]
    fn a_damaged_file_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8, cut: bool) {
        let mut bytes = head().to_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
        prop_assert!(IntentClassifier::from_bytes(&bytes).is_err());
    }
}
