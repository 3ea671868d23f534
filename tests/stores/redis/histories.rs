//! Random histories beside the transitions.

use super::Part;
use super::beside::{is_as_the_transitions_say, moves};
use proptest::prelude::*;
use seawall::stores::Micros;

fn server_time(part: &Part) -> Micros {
    let (seconds, micros): (Micros, Micros) =
        redis::cmd("TIME").query(&mut part.server.admin()).unwrap();
    seconds * 1_000_000 + micros
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// The script says the rules once more: it says the same.
    #[test]
    fn the_script_says_what_the_transitions_say(moves in moves()) {
        let part = Part::new();
        is_as_the_transitions_say(&part, || server_time(&part), moves)?;
    }
}
