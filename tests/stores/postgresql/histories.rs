//! Random histories beside the transitions.

use crate::Schema;
use crate::beside::{is_as_the_transitions_say, moves};
use proptest::prelude::*;
use seawall::stores::Micros;
use std::sync::OnceLock;

fn server_time(place: &Schema) -> Micros {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
    u64::try_from(place.admin.lock().unwrap().count(sql)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// The statements of the usual way say some of the rules once more: they say the same.
    #[test]
    fn the_statements_say_what_the_transitions_say(moves in moves()) {
        // Tables take longer to make than a history takes.
        static PLACE: OnceLock<Schema> = OnceLock::new();
        let place = PLACE.get_or_init(Schema::new);
        place.admin.lock().unwrap().run(&format!("DELETE FROM {}", place.table()));
        is_as_the_transitions_say(place, || server_time(place), moves)?;
    }
}
