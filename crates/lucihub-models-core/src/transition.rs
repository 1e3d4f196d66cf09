//! The state machine of a run: which state may follow which.

use crate::v1::RunState;

/// What writing a state does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The run changes its state.
    Change,
    /// The run is in that state already: a success that writes nothing.
    Repeat,
}

impl RunState {
    /// Whether a run in this state has ended. Unknown states have not.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// What writing `next` to a run in this state does; `None` if it is illegal.
    ///
    /// | state | may follow |
    /// | --- | --- |
    /// | `queued` | nothing: it is written at creation |
    /// | `inprogress` | `queued`, unknown |
    /// | `succeeded` | `inprogress`, unknown |
    /// | `failed`, `cancelled` | `queued`, `inprogress`, unknown |
    /// | unknown | `queued`, `inprogress`, unknown |
    ///
    /// ```
    /// use lucihub_models_core::{RunState, Step};
    /// assert_eq!(RunState::Queued.step_to(&RunState::InProgress), Some(Step::Change));
    /// assert_eq!(RunState::Failed.step_to(&RunState::Failed), Some(Step::Repeat));
    /// assert_eq!(RunState::Failed.step_to(&RunState::Succeeded), None);
    /// ```
    #[must_use]
    pub fn step_to(&self, next: &Self) -> Option<Step> {
        if self == next {
            Some(Step::Repeat)
        } else if next.may_follow(self) {
            Some(Step::Change)
        } else {
            None
        }
    }

    /// The known states that this one may follow. A script that cannot call
    /// Rust gets them as arguments; unknown states may precede all but `queued`.
    #[must_use]
    pub const fn allowed_predecessors(&self) -> &'static [Self] {
        match self {
            Self::Queued => &[],
            Self::InProgress => &[Self::Queued],
            Self::Succeeded => &[Self::InProgress],
            Self::Failed | Self::Cancelled | Self::Other(_) => &[Self::Queued, Self::InProgress],
        }
    }

    fn may_follow(&self, previous: &Self) -> bool {
        match previous {
            Self::Other(_) => *self != Self::Queued,
            known => self.allowed_predecessors().contains(known),
        }
    }

    /// Reads a state from a filter, where it arrives in any letter case.
    #[must_use]
    pub fn from_any_case(word: &str) -> Self {
        Self::from(&*word.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        use RunState::{Cancelled, Failed, InProgress, Queued, Succeeded};
        let unknown = RunState::Other("calibrating".into());
        let all = [Queued, InProgress, Succeeded, Failed, Cancelled, unknown.clone()];
        let legal = [
            (Queued, InProgress),
            (Queued, Failed),
            (Queued, Cancelled),
            (Queued, unknown.clone()),
            (InProgress, Succeeded),
            (InProgress, Failed),
            (InProgress, Cancelled),
            (InProgress, unknown.clone()),
            (unknown.clone(), InProgress),
            (unknown.clone(), Succeeded),
            (unknown.clone(), Failed),
            (unknown, Cancelled),
        ];
        for from in &all {
            for to in &all {
                let expected = if from == to {
                    Some(Step::Repeat)
                } else {
                    legal.contains(&(from.clone(), to.clone())).then_some(Step::Change)
                };
                assert_eq!(from.step_to(to), expected, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn filters_come_in_any_case() {
        assert_eq!(RunState::from_any_case("InProgress"), RunState::InProgress);
    }
}
