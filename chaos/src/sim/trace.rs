//! What happened, step by step: a hash that two runs of one seed share, and the steps for people.

use std::fmt::Write as _;

/// One step: a call that was done or refused, or a blow of the nemesis.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Milliseconds since the history began.
    pub(crate) at: u64,
    /// Who; 0 is the nemesis.
    pub(crate) client: u16,
    /// What was called.
    pub(crate) call: &'static str,
    /// The run, by its number in the history; 255 is none.
    pub(crate) run: u8,
    /// What became of it.
    pub(crate) said: &'static str,
    /// A number that tells it from others: a batch's, for example.
    pub(crate) number: u64,
    /// More about it, where the trace is for people.
    pub(crate) words: String,
}

/// All steps of a history.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    steps: Vec<Step>,
}

impl Trace {
    /// Adds a step.
    pub(crate) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// How many steps there were.
    pub(crate) const fn len(&self) -> usize {
        self.steps.len()
    }

    /// A hash over all of it (FNV-1a, 64 bits).
    pub(crate) fn hash(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for Step { at, client, call, run, said, number, words: _ } in &self.steps {
            eat(&at.to_le_bytes());
            eat(&client.to_le_bytes());
            eat(call.as_bytes());
            eat(&[*run]);
            eat(said.as_bytes());
            eat(&number.to_le_bytes());
        }
        hash
    }

    /// The steps, one a line.
    pub(crate) fn text(&self, clients: &[String]) -> String {
        let mut text = String::new();
        for Step { at, client, call, run, said, number, words } in &self.steps {
            let who = clients.get(usize::from(*client)).map_or("nemesis", String::as_str);
            let run = if *run == u8::MAX { String::new() } else { format!("run {run}") };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{at:>7} ms  {who:<12} {call:<24} {run:<6} {said} {number} {words}");
        }
        text
    }
}
