//! Verification: every cell of an archived run read back, and the digest computed anew.

use std::ops::Range;

use futures_util::TryStreamExt;
use lucihub_models_core::cold::ColdRun;
use lucihub_models_core::{AttachmentName, Digest, Result, RunId, StoreError, Subject};

use super::repair::Replacements;
use crate::read::{Cell, CellKey, Found, ReadBack};
use crate::runs::not_found;
use crate::store::Store;

/// What is wrong with a part of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Damage {
    /// A cell is damaged or missing.
    Cell {
        /// Which one.
        key: CellKey,
        /// The line numbers or sample indices that are lost with it.
        range: Range<u64>,
        /// What is wrong.
        why: StoreError,
        /// Whether it was put right.
        repaired: bool,
    },
    /// The summary of a cell, from which envelopes are drawn; its samples are whole.
    Summary {
        /// The channel.
        channel: u32,
        /// The number of the cell.
        cell: u64,
        /// What is wrong.
        why: StoreError,
        /// Whether it was put right.
        repaired: bool,
    },
    /// An attachment.
    Attachment {
        /// Its name.
        name: AttachmentName,
        /// What is wrong.
        why: StoreError,
    },
    /// Every cell can be read, and together they have another digest.
    Digest {
        /// The one that they have.
        found: Digest,
    },
}

impl Damage {
    /// Whether it was put right.
    #[must_use]
    pub const fn is_repaired(&self) -> bool {
        matches!(self, Self::Cell { repaired: true, .. } | Self::Summary { repaired: true, .. })
    }
}

/// What verifying an archived run found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The run.
    pub run: RunId,
    /// The digest that it was archived with.
    pub digest: Digest,
    /// Cells that it has.
    pub cells: u64,
    /// Log lines that it has.
    pub lines: u64,
    /// Log lines that can be read.
    pub readable_lines: u64,
    /// Samples and missing samples of all channels: indices.
    pub samples: u64,
    /// Of these, what can be read.
    pub readable_samples: u64,
    /// What is wrong; empty if nothing is.
    pub damage: Vec<Damage>,
}

impl Verified {
    /// Whether nothing is wrong, or nothing any more.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damage.iter().all(Damage::is_repaired)
    }
}

impl Store {
    /// Reads an archived run back, cell by cell, and compares checksums and digest. One log cell or
    /// four cells of a channel are in memory at a time. Damage becomes an event of the run, where this store may write.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` for a run that is not archived: it has no digest yet, and its keeper verifies it
    /// before it archives it. Others when cold storage cannot be read at all.
    pub async fn verify(&self, run: RunId) -> Result<Verified> {
        let verified = self.verify_with(run, None).await?;
        self.tell_verified(&verified).await;
        Ok(verified)
    }

    /// Verifies an archived run, and puts damaged and missing cells right from what hot storage still has of it. They
    /// are written only if the run has its digest again with all of them. Each transaction writes a few MiB; a repair
    /// that was stopped is gone on with by the next.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and when hot storage cannot be read.
    pub async fn repair(&self, run: RunId) -> Result<Verified> {
        let mut replacements = Replacements::new(self, run).await?;
        let mut verified = self.verify_with(run, Some(&mut replacements)).await?;
        replacements.write(&mut verified).await?;
        self.tell_verified(&verified).await;
        Ok(verified)
    }

    async fn verify_with(&self, run: RunId, mut with: Option<&mut Replacements<'_>>) -> Result<Verified> {
        let cold = self.cold_run(run).await?.ok_or_else(|| not_found(run))?;
        let Some(archived) = cold.archived else {
            let why = "it is not archived yet; a keeper verifies it when it is";
            return Err(StoreError::precondition(format!("run {run}"), why));
        };
        let mut verified = Verified {
            run,
            digest: archived.digest,
            cells: 0,
            lines: 0,
            readable_lines: 0,
            samples: 0,
            readable_samples: 0,
            damage: Vec::new(),
        };
        let mut cells = ReadBack::new(self, &cold.head, &cold.positions);
        // Whether all hashes are known, of cold storage's cells or of those that will replace them.
        let mut complete = true;
        while let Some(found) = cells.next().await? {
            verified.count(&found);
            let Found { key, range, content } = found;
            match content {
                Ok(cell) => {
                    cells.take(&cell.hash());
                    if let Some(why) = self.summary_damage(run, &cell).await? {
                        let CellKey::Samples { channel, cell: number } = key else { continue };
                        if let Some(with) = &mut with {
                            with.keep(key, range, cell.hash());
                        }
                        verified.damage.push(Damage::Summary { channel, cell: number, why, repaired: false });
                    }
                }
                Err(why) => {
                    let replacement = match &with {
                        Some(with) => with.in_hot(key, &range).await?,
                        None => None,
                    };
                    match (&mut with, replacement) {
                        (Some(with), Some(cell)) => {
                            cells.take(&cell.hash());
                            with.keep(key, range.clone(), cell.hash());
                        }
                        _ => complete = false,
                    }
                    verified.damage.push(Damage::Cell { key, range, why, repaired: false });
                }
            }
        }
        let found = cells.digest();
        let is_same = complete && found == archived.digest;
        if let Some(with) = with {
            with.settle(is_same);
        }
        let unread = verified.damage.iter().any(|damage| matches!(damage, Damage::Cell { .. }));
        if !is_same && !unread {
            verified.damage.push(Damage::Digest { found });
        }
        self.verify_attachments(&cold, &mut verified).await?;
        Ok(verified)
    }

    /// What is wrong with the small columns of a cell whose samples are whole.
    async fn summary_damage(&self, run: RunId, cell: &Cell) -> Result<Option<StoreError>> {
        let Cell::Samples(cell) = cell else { return Ok(None) };
        match self.cold().summaries(run, cell.channel, cell.cell..cell.cell + 1).await {
            Ok(_) => Ok(None),
            Err(error @ StoreError::Corrupt { .. }) => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    async fn verify_attachments(&self, cold: &ColdRun, verified: &mut Verified) -> Result<()> {
        let subject = Subject::from(cold.head.id);
        for info in self.cold().attachments(&subject).await? {
            let read = async {
                let Some(attachment) = self.cold().attachment(&subject, &info.name).await? else { return Ok(()) };
                // Its digest is compared before the last part is given.
                attachment.bytes.try_for_each(|_| std::future::ready(Ok(()))).await
            };
            match read.await {
                Ok(()) => {}
                Err(why @ StoreError::Corrupt { .. }) => {
                    verified.damage.push(Damage::Attachment { name: info.name, why });
                }
                // Replaced or deleted meanwhile: people may.
                Err(StoreError::Unavailable { .. })
                    if self.cold().attachments(&subject).await?.iter().all(|now| *now != info) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Verified {
    fn count(&mut self, found: &Found) {
        let (size, read) = (found.range.end - found.range.start, found.content.is_ok());
        let (all, readable) = match found.key {
            CellKey::Lines(_) => (&mut self.lines, &mut self.readable_lines),
            CellKey::Samples { .. } => (&mut self.samples, &mut self.readable_samples),
        };
        *all += size;
        *readable += if read { size } else { 0 };
        self.cells += 1;
    }
}
