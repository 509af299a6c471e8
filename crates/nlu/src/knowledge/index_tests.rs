//! Finding, with a bag of characters for a model.

use proptest::prelude::*;

use super::*;
use crate::embed::{Embed as _, Fingerprint, testing::*};

fn entry(id: &str, question: &str) -> Entry {
    Entry { id: id.into(), question: question.into(), answer: format!("answer of {id}"), ..Entry::default() }
}

fn index(entries: Vec<Entry>) -> Index {
    let mut book = KnowledgeBase::default();
    book.put_all(entries);
    let mut cache = Cache::new(Fingerprint::of(&mut Bag(64)).unwrap(), 64);
    cache.fill(&book, &mut bags(1), &mut |_, _| ()).unwrap();
    Index::new(book, &cache)
}

fn find(index: &Index, text: &str, site: &str, day: &str, lang: &str) -> Vec<(String, f32)> {
    let vector = Bag(64).embed(text).unwrap();
    let found = index.find(&KnowledgeQuery { text, vector: &vector, site, day, lang }, 3);
    found.into_iter().map(|f| (f.entry.id.clone(), f.score)).collect()
}

#[test]
fn the_entry_that_fits_comes_first_and_the_same_words_are_certain() {
    let index = index(vec![
        Entry { similar: vec!["想退货怎么操作".into()], ..entry("return", "怎么退货") },
        entry("invoice", "怎么开发票"),
        entry("ship", "多久能送到"),
    ]);
    assert_eq!((index.entries(), index.phrases()), (3, 4));
    let found = find(&index, "请问想退货要怎么操作", "web", "2026-01-01", "");
    assert_eq!(found[0].0, "return");
    assert_eq!(found.len(), 3, "an entry comes once, however many of its phrases fit");
    assert_eq!(find(&index, " 怎么开发票", "web", "2026-01-01", "")[0], ("invoice".into(), 1.0));
    let vector = Bag(64).embed("想退货怎么操作").unwrap();
    let wanted =
        KnowledgeQuery { text: "想退货怎么操作", vector: &vector, site: "", day: "2026-01-01", lang: "" };
    assert_eq!(index.find(&wanted, 1)[0].phrase, "想退货怎么操作");
}

#[test]
fn what_does_not_hold_here_and_today_is_not_found() {
    let index = index(vec![
        Entry { site: Some("app".into()), ..entry("app", "怎么退货") },
        Entry { until: Some("2025-12-31".into()), ..entry("old", "怎么退货") },
        Entry { lang: Some("en".into()), ..entry("en", "怎么退货") },
        entry("any", "怎么退货呢"),
    ]);
    let ids = |site, day, lang| find(&index, "怎么退货", site, day, lang).into_iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(ids("web", "2026-01-01", "en"), ["en", "any"]);
    assert_eq!(ids("app", "2026-01-01", "en")[..2], ["app", "en"]);
    assert_eq!(ids("web", "2025-12-31", "zh")[0], "old");
}

#[test]
fn an_empty_book_and_a_vector_of_another_width_find_nothing() {
    let empty = index(Vec::new());
    assert!(find(&empty, "退货", "", "2026-01-01", "").is_empty());
    let index = index(vec![entry("a", "退货")]);
    let wanted = KnowledgeQuery { text: "退货", vector: &[1.0; 3], site: "", day: "", lang: "" };
    assert!(index.find(&wanted, 3).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The race with its bar finds what sorting everything finds.
    #[test]
    fn the_race_is_won_by_the_best(questions in proptest::collection::vec("[退货换款开票多久]{1,5}", 1..30), text in "[退货换款开票多久]{1,5}") {
        let entries = questions.iter().enumerate().map(|(n, q)| entry(&format!("e{n:02}"), q)).collect();
        let index = index(entries);
        let few = find(&index, &text, "", "", "");
        let vector = Bag(64).embed(&text).unwrap();
        let all = index.find(&KnowledgeQuery { text: &text, vector: &vector, site: "", day: "", lang: "" }, 100);
        prop_assert_eq!(few.len(), all.len().min(3));
        for (few, all) in few.iter().zip(&all) {
            prop_assert_eq!(few.1, all.score);
        }
        prop_assert!(all.iter().all(|f| (0.0..=1.0).contains(&f.score)));
    }
}
