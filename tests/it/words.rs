//! Suggestions in agents' browsers are found by a TypeScript version of this search by words; both are tested with the same vectors
//! (`ui/tests/knowledge.test.ts`).

use kefu::nlu::{
    embed::{Embed, EmbedError, Fingerprint},
    knowledge::{Cache, Entry, Index, KnowledgeBase, KnowledgeQuery, same},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    phrases: Vec<String>,
    asked: Vec<Asked>,
    same: Vec<VerySame>,
}

#[derive(Deserialize)]
struct VerySame {
    text: String,
    #[serde(rename = "as")]
    key: String,
}

#[derive(Deserialize)]
struct Asked {
    text: String,
    cover: Vec<f32>,
}

#[test]
fn the_very_same_question_is_the_same_in_the_pages() {
    let vectors: Vectors = serde_json::from_str(include_str!("../data/words.json")).unwrap();
    for VerySame { text, key } in vectors.same {
        assert_eq!(same(&text), key, "{text}");
    }
}

/// All texts have the same vector, so everything is found.
struct Same;

impl Embed for Same {
    fn width(&self) -> usize {
        8
    }

    fn embed(&mut self, _: &str) -> Result<Vec<f32>, EmbedError> {
        Ok(vec![0.125_f32.sqrt(); 8])
    }
}

#[test]
fn words_cover_as_much_as_in_the_pages() {
    let vectors: Vectors = serde_json::from_str(include_str!("../data/words.json")).unwrap();
    let entry = |(n, phrase): (usize, &String)| Entry {
        id: format!("{n:03}"),
        question: phrase.clone(),
        answer: "yes".into(),
        ..Entry::default()
    };
    let mut book = KnowledgeBase::default();
    book.put_all(vectors.phrases.iter().enumerate().map(entry).collect());
    let mut cache = Cache::new(Fingerprint::of(&mut Same).unwrap(), 8);
    cache.fill(&book, &mut [Box::new(Same)], &mut |_, _| ()).unwrap();
    let index = Index::new(book, &cache);
    let vector = Same.embed("").unwrap();
    for asked in &vectors.asked {
        let wanted = KnowledgeQuery { text: &asked.text, vector: &vector, site: "", day: "", lang: "" };
        let mut found = index.find(&wanted, vectors.phrases.len());
        found.sort_by(|a, b| a.entry.id.cmp(&b.entry.id));
        assert_eq!(found.len(), vectors.phrases.len());
        for (hit, expected) in found.iter().zip(&asked.cover) {
            let (cover, phrase) = (hit.cover, hit.phrase);
            assert!((cover - expected).abs() < 1e-5, "{:?} in {phrase:?}: {cover}, expected {expected}", asked.text);
        }
    }
}
