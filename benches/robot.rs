//! A visitor's line from text to decision against the encoder alone, with the shipped intents and no knowledge:
//! `cargo bench --bench robot`. One thread; the two take turns. Pin it to a core.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

use std::{path::Path, sync::Arc, time::Instant};

use kefu::{
    config::Robot,
    nlu::{Encoder, Model},
    robot::engine::{RobotEngine, RobotFiles},
    robot::policy::{Dialogue, Policy, TurnInput},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TEXTS: [&str; 4] = [
    "怎么退货呀",
    "你好，我上周买的鞋怎么还没发",
    "你好，我上周买的鞋到现在还没有发货，能不能帮我查一下是什么原因，急着穿",
    "I ordered two pairs of shoes last week and paid with my card, but the page still says that they are being packed; \
     could you tell me when they will leave your warehouse and whether I can still change the address?",
];
const ROUNDS: usize = 500;

fn main() -> anyhow::Result<()> {
    let model = Model::embedded()?.ok_or_else(|| anyhow::anyhow!("this build has no model"))?;
    let mut encoder = Encoder::new(Arc::new(model))?;
    let nowhere = RobotFiles { dir: Path::new("no such directory").into() };
    let robot = RobotEngine::of_command(nowhere, Policy::new(&Robot::default())?)?;
    for text in TEXTS {
        let tokens = encoder.model().tokens(text);
        let input = TurnInput { text, site: "web", now_ms: 1_795_399_200_000, zh: None, dialogue: Dialogue::default() };
        let (mut alone, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            std::hint::black_box(encoder.encode(&tokens)?);
            alone.push(begin.elapsed().as_secs_f64() * 1e3);
            let begin = Instant::now();
            std::hint::black_box(robot.decide(&input));
            whole.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        let median = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let (alone, whole) = (median(&mut alone), median(&mut whole));
        println!(
            "{:>3} tokens: encoder {alone:.3} ms, text to decision {whole:.3} ms, {:.2} times",
            tokens.len(),
            whole / alone
        );
    }
    Ok(())
}
