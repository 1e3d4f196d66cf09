//! What a push may bring: checked before anything of it is queued.

use lucihub_models_core::{BatchBody, HeadPatch, Invalid, RunState};

use super::recorder::Recorder;
use super::shared::Pending;

impl Recorder {
    pub(super) fn check_step(from: &RunState, to: &RunState) -> Result<(), Invalid> {
        match from.step_to(to) {
            Some(_) => Ok(()),
            None => Err(Invalid::new("state", format!("a run in state {from} may not become {to}"))),
        }
    }

    pub(super) fn check_channel(channel: u32, channels: usize) -> Result<(), Invalid> {
        if (channel as usize) < channels {
            return Ok(());
        }
        Err(Invalid::new(format!("channel {channel}"), format!("the run has {channels}"))
            .hint("describe its channels when you create it, or with `describe`"))
    }

    pub(super) fn check_jump(&self, p: &Pending, channel: u32, first: u64) -> Result<(), Invalid> {
        Self::check_channel(channel, p.channels)?;
        let skipped = first.saturating_sub(p.next.sample(channel));
        if skipped <= self.limits.gap {
            return Ok(());
        }
        Err(Invalid::new(format!("channel {channel}"), format!("a jump of {skipped} samples"))
            .hint(format!("the limit is {}", self.limits.gap)))
    }

    /// Whether the head takes one more entry of a kind.
    pub(super) fn check_count(&self, thing: &str, have: u64) -> Result<(), Invalid> {
        if have < self.limits.head_entries as u64 { Ok(()) } else { Err(self.too_many(thing)) }
    }

    /// Whether something fits a batch together with what is there already.
    pub(super) fn check_size(&self, thing: &str, bytes: usize) -> Result<(), Invalid> {
        let most = self.limits.batch_bytes / 2;
        if bytes <= most {
            return Ok(());
        }
        Err(Invalid::new(thing, format!("{bytes} bytes")).hint(format!("a batch takes {most} bytes of it")))
    }

    pub(super) fn too_many(&self, thing: &str) -> Invalid {
        Invalid::new(thing, "too many").hint(format!("the limit is {} of them", self.limits.head_entries))
    }

    pub(super) fn too_long(&self, thing: &str) -> Invalid {
        Invalid::new(thing, "too long").hint(format!("the limit is {} bytes", self.limits.text_bytes))
    }
}

/// Bytes that a patch counts against a batch.
pub(super) fn patch_size(patch: &HeadPatch) -> usize {
    BatchBody { patch: patch.clone(), ..BatchBody::default() }.size()
}
